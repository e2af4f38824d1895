"""What must hold of every rendering of the chart, beyond the schemas of its kinds; each rule yields what breaks it."""

import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from charts.assembling import collector, settings_read
from charts.facts import SPOT_SECONDS
from charts.manifests import Manifests, Object, Pod, name_of
from streams.stages import CHAINS
from streams.topics import TOPICS

Rule = Callable[[Manifests], Iterator[str]]
PARTITIONS_EACH = 4
"""Of a topic, for each consumer that there may be."""
COLLECTOR = set(re.findall(r"env:(MONOLAYER_\w+)", collector()))
"""Variables that the collector's configuration reads."""
_STAGES = "streams"
"""The module that runs chains."""


def pods_are_confined(manifests: Manifests) -> Iterator[str]:
    """No root, no privileges, nothing to write on but what is mounted, and no token of the cluster's."""
    for pod in manifests.pods:
        if not pod.spec["securityContext"].get("runAsNonRoot"):
            yield f"{pod.owner} may run as root"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod.owner} is given a token of the cluster's"
        for each in pod.containers:
            context = each.get("securityContext", {})
            if context.get("allowPrivilegeEscalation") is not False or not context.get("readOnlyRootFilesystem"):
                yield f"{pod.owner}: the container {each['name']} is not confined"
            if context.get("capabilities", {}).get("drop") != ["ALL"]:
                yield f"{pod.owner}: the container {each['name']} keeps capabilities"


def pods_say_what_they_need(manifests: Manifests) -> Iterator[str]:
    """Requests, a limit of memory, a fixed version; and how to tell that what stays works."""
    for pod in manifests.pods:
        for each in pod.containers:
            resources = each.get("resources", {})
            if {"cpu", "memory"} - resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
                yield f"{pod.owner}: the container {each['name']} doesn't say what it needs"
            if each["image"].rpartition(":")[2] in ("", "latest"):
                yield f"{pod.owner}: {each['image']} is no fixed version"
        if pod.kind != "Job" and not all("livenessProbe" in each for each in pod.spec["containers"]):
            yield f"{pod.owner}: nobody would notice if it hung"


def pods_leave_in_time(manifests: Manifests) -> Iterator[str]:
    """Whatever may run on a Spot node is gone before the node is."""
    for pod in manifests.pods:
        if pod.kind == "Deployment" and pod.spec["terminationGracePeriodSeconds"] > SPOT_SECONDS:
            yield f"{pod.owner} asks for more time to stop than a Spot node has"


def selectors_find_pods(manifests: Manifests) -> Iterator[str]:
    """Who selects pods means some, and ports that they have."""
    for each in manifests.kind("Deployment", "StatefulSet", "PodDisruptionBudget", "PodMonitor"):
        if not _meant(manifests, each["spec"]["selector"]):
            yield f"{each['kind']} {name_of(each)} selects no pod"
    for each in manifests.kind("Service"):
        pods = _meant(manifests, {"matchLabels": each["spec"]["selector"]})
        wanted = {port["targetPort"] for port in each["spec"]["ports"]}
        if not pods or any(wanted - pod.ports.keys() for pod in pods):
            yield f"Service {name_of(each)} leads nowhere"
    for each in manifests.kind("NetworkPolicy"):
        ports = {name for pod in _meant(manifests, each["spec"]["podSelector"]) for name in pod.ports}
        named = {port["port"] for way in each["spec"].get("ingress", ()) for port in way.get("ports", ())}
        if named - ports:
            yield f"NetworkPolicy {name_of(each)} opens {sorted(named - ports)}, where nobody listens"


def commands_and_variables_exist(manifests: Manifests) -> Iterator[str]:
    """What containers run is a module of ours, with a chain that there is, and reads the variables that it is given."""
    for pod in manifests.pods:
        for each in pod.containers:
            yield from (f"{pod.owner} runs {wrong}" for wrong in _unknown(each.get("command", [])))
            given = {one["name"] for one in each.get("env", ()) if one["name"].startswith("MONOLAYER_")}
            if unknown := given - settings_read() - COLLECTOR:
                yield f"{pod.owner} is given {sorted(unknown)}, which nobody reads"


def secrets_are_there(manifests: Manifests) -> Iterator[str]:
    """A secret that a container reads is in the chart with that key, or not in the chart: then it is the user's."""
    for pod in manifests.pods:
        for one in (one for each in pod.containers for one in each.get("env", ())):
            wanted = one.get("valueFrom", {}).get("secretKeyRef")
            found = manifests.named("Secret", wanted["name"]) if wanted else None
            if found and wanted["key"] not in found["stringData"]:
                yield f"{pod.owner} asks {wanted['name']} for {wanted['key']}"


def topics_are_those_of_the_code(manifests: Manifests) -> Iterator[str]:
    """All of them, with no fewer partitions."""
    found = {each["spec"]["topicName"]: each["spec"]["partitions"] for each in manifests.kind("KafkaTopic")}
    if not found:
        return
    wanted = {topic.name: topic.partitions for topic in TOPICS}
    if found.keys() != wanted.keys():
        yield f"topics differ from the code's: {sorted(found.keys() ^ wanted.keys())}"
    for name in found.keys() & wanted.keys():
        if found[name] < wanted[name]:
            yield f"the topic {name} has {found[name]} partitions, and {wanted[name]} in the code"


def scaling_is_safe(manifests: Manifests) -> Iterator[str]:
    """What scales exists; what is missing freezes it; the lag alone wakes it; and each consumer finds partitions."""
    partitions = {each["spec"]["topicName"]: each["spec"]["partitions"] for each in manifests.kind("KafkaTopic")}
    for each in manifests.kind("ScaledObject"):
        spec, name = each["spec"], name_of(each)
        triggers = spec["triggers"]
        if manifests.named("Deployment", spec["scaleTargetRef"]["name"]) is None:
            yield f"{name} scales nothing"
        if spec["minReplicaCount"] > spec["maxReplicaCount"]:
            yield f"{name} wants more at least than at most"
        if any(one["metadata"].get("ignoreNullValues") != "false" for one in triggers if one["type"] == "prometheus"):
            yield f"{name} takes a missing metric for nothing to do"
        if not any(one["type"] == "kafka" for one in triggers):
            yield f"{name} is not woken by the lag alone"
        yield from _narrow(each, partitions)


def what_scales_is_recorded(manifests: Manifests) -> Iterator[str]:
    """Every number that an autoscaler asks for is one that a rule records."""
    recorded = {f"max({series})" for series in _recorded(manifests)}
    for each in manifests.kind("ScaledObject"):
        asked = {one["metadata"]["query"] for one in each["spec"]["triggers"] if one["type"] == "prometheus"}
        if recorded and (unknown := asked - recorded):
            yield f"{name_of(each)} asks for {sorted(unknown)}, which no rule records"


RULES: tuple[Rule, ...] = (
    pods_are_confined,
    pods_say_what_they_need,
    pods_leave_in_time,
    selectors_find_pods,
    commands_and_variables_exist,
    secrets_are_there,
    topics_are_those_of_the_code,
    scaling_is_safe,
    what_scales_is_recorded,
)


def broken(manifests: Manifests) -> list[str]:
    """All that is wrong."""
    return [sentence for rule in RULES for sentence in rule(manifests)]


def _meant(manifests: Manifests, selector: Object) -> list[Pod]:
    return [pod for pod in manifests.pods if pod.fits(selector)]


def _unknown(command: list[str]) -> Iterator[str]:
    if command[:2] != ["python", "-m"]:
        return
    module, *arguments = command[2:]
    if find_spec(module) is None:
        yield f"{module}, which there is not"
    elif module == _STAGES and not set(arguments) <= set(CHAINS):
        yield f"{arguments[0]}, which is no chain"


def _recorded(manifests: Manifests) -> Iterator[str]:
    groups = [group for each in manifests.kind("PrometheusRule") for group in each["spec"]["groups"]]
    for rule in (rule for group in groups for rule in group["rules"] if "record" in rule):
        stage = rule.get("labels", {}).get("stage")
        yield f'{rule["record"]}{{stage="{stage}"}}' if stage else rule["record"]


def _narrow(scaled: Object, partitions: dict[str, int]) -> Iterator[str]:
    if name_of(scaled).endswith("-triton"):  # looks at the workers' topics, and reads none
        return
    for trigger in scaled["spec"]["triggers"]:
        topic = trigger["metadata"].get("topic")
        if topic in partitions and partitions[topic] < PARTITIONS_EACH * scaled["spec"]["maxReplicaCount"]:
            yield f"{name_of(scaled)} may have more consumers than {topic}'s {partitions[topic]} partitions are for"
