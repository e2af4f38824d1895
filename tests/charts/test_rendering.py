"""The chart as Helm renders it, with each of its values files: part of `make charts`, which builds what that needs."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts import checking, tools
from charts.assembling import assemble
from charts.manifests import Manifests, name_of
from charts.policies import broken
from kiosk.local.cache import LocalError, cache_folder
from observability import scaling
from streams.stages import CHAINS

if "MONOLAYER_TEST_CHARTS" not in os.environ:
    pytest.skip("`make charts` renders the chart", allow_module_level=True)
VARIANTS = ("default", "cpu", "gke", "seaweedfs", "everything")
Rendered = Callable[..., Manifests]


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def variants(chart: Path) -> dict[str, Manifests]:
    places = checking.render(chart, cache_folder(), chart.parent / "rendered")
    return {name: Manifests.of(place.read_text()) for name, place in places.items()}


@pytest.fixture(scope="module")
def rendered(chart: Path) -> Rendered:
    """Render with values, as `a.b=c`."""

    def render(*values: str) -> Manifests:
        arguments = [part for value in (checking.LEAST, *values) for part in ("--set", value)]
        return Manifests.of(tools.template(cache_folder(), chart, *arguments))

    return render


def scaled(manifests: Manifests) -> dict[str, Any]:
    return {name_of(each).removeprefix("monolayer-"): each["spec"] for each in manifests.kind("ScaledObject")}


def queries(manifests: Manifests, name: str) -> list[str]:
    triggers = scaled(manifests)[name]["triggers"]
    return [each["metadata"]["query"] for each in triggers if each["type"] == "prometheus"]


def recorded(manifests: Manifests) -> dict[str, str]:
    """Expressions, by what they record."""
    groups = [group for each in manifests.kind("PrometheusRule") for group in each["spec"]["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "record" in rule]
    return {f"{rule['record']} {rule.get('labels', {}).get('stage', '')}".strip(): rule["expr"] for rule in rules}


def test_every_values_file_is_among_those_that_are_tried(variants: dict[str, Manifests]) -> None:
    assert variants.keys() == set(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_rendering_breaks_no_rule(variants: dict[str, Manifests], variant: str) -> None:
    assert not broken(variants[variant])


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_chain_has_its_deployment_and_scales(variants: dict[str, Manifests], variant: str) -> None:
    commands = [each.get("command", []) for pod in variants[variant].pods for each in pod.containers]
    assert {command[3] for command in commands if command[:3] == ["python", "-m", "streams"]} == set(CHAINS)
    assert scaled(variants[variant]).keys() == {*(chain.split("+")[0] for chain in CHAINS), "triton"}


def test_what_is_not_as_the_schemas_want_it_is_told(chart: Path, tmp_path: Path) -> None:
    wrong = [
        {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "spec": {"scaleTargetRef": {"named": "a"}}},
        {"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaTopic", "spec": {"partitions": "3"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replica": 3}},
        {"apiVersion": "example.org/v1", "kind": "Nothing"},
    ]
    objects = [{**each, "metadata": {"name": "a"}} for each in wrong]
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump_all(objects))
    found = tools.kubeconform(cache_folder(), tmp_path / "wrong.yaml")
    assert sorted(sentence.split()[1] for sentence in found) == sorted(str(each["kind"]) for each in wrong)


@pytest.mark.parametrize(
    "value",
    [
        "chains.tile.most=3",
        "chains.tiles.max=3",
        "tritonn.max=3",
        "settings.MONOLAYER_KAFKA=a:1",
        "settings.MONOLAYER_RESULT_DAYS=3",
        "storage.endpoint=s3.example.org",
        "triton.device=tpu",
        "scaling.policy=guess",
        "kafka.replicas=0",
    ],
)
def test_a_value_that_means_nothing_is_refused(rendered: Rendered, value: str) -> None:
    with pytest.raises(LocalError, match=r"don't meet the specifications"):
        rendered(value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["storage.endpoint="], "where is the bucket"),
        (["storage.existingSecret="], "storage.accessKey"),
        (["kafka.enabled=false"], "which Kafka"),
        (["triton.device=cpu", "scaling.policy=published"], "there are none"),
        (["api.ingress.enabled=true"], "under which name"),
    ],
)
def test_what_has_to_be_said_is_asked_for_in_a_sentence(rendered: Rendered, values: list[str], sentence: str) -> None:
    with pytest.raises(LocalError, match=sentence):
        rendered(*values)


def test_a_limit_is_one_value_and_partitions_follow_it(rendered: Rendered) -> None:
    manifests = rendered("chains.tile.max=40")
    assert scaled(manifests)["tile"]["maxReplicaCount"] == 40
    partitions = {each["spec"]["topicName"]: each["spec"]["partitions"] for each in manifests.kind("KafkaTopic")}
    assert partitions["images.bulk"] == partitions["images.interactive"] == 160
    assert not broken(manifests)


def test_autoscalers_have_the_pace_of_the_formulas(variants: dict[str, Manifests]) -> None:
    for name, spec in scaled(variants["default"]).items():
        pace = scaling.SERVERS if name == "triton" else scaling.WORKERS
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] == spec["cooldownPeriod"] == pace.waits
        assert [(each["value"], each["periodSeconds"]) for each in down["policies"]] == [(pace.most_down, pace.every)]
        assert spec["pollingInterval"] == scaling.LOOKS_SECONDS


def test_the_values_agree_with_the_formulas(variants: dict[str, Manifests]) -> None:
    wanted = recorded(variants["default"])["monolayer:wanted_servers"]
    assert f"/ {scaling.UTILISATION:g} +" in wanted
    assert wanted.endswith(f"/ {scaling.drain_seconds(scaling.WORKERS, scaling.SERVERS):g})")


def test_either_policy_is_one_value(variants: dict[str, Manifests], rendered: Rendered) -> None:
    ours, published = variants["default"], rendered("scaling.policy=published")
    assert queries(ours, "tile") == ['max(monolayer:wanted_workers{stage="tile"})']
    assert queries(ours, "triton") == ["max(monolayer:wanted_servers)", "max(monolayer:pressed_servers)"]
    assert queries(published, "tile") == ['max(monolayer:published_workers{stage="tile"})']
    assert queries(published, "triton") == ["max(monolayer:published_servers)"]
    assert queries(published, "unzip") == queries(ours, "unzip")


def test_prometheus_reads_the_rules(variants: dict[str, Manifests], tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool reads the rules: install prometheus (Debian, Ubuntu)")
    for variant in ("default", "cpu"):
        for each in variants[variant].kind("PrometheusRule"):
            file = tmp_path / f"{variant}-{name_of(each)}.yaml"
            file.write_text(yaml.safe_dump({"groups": each["spec"]["groups"]}))
            ran = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
            assert ran.returncode == 0, ran.stdout + ran.stderr


def test_without_a_gpu_nothing_asks_for_one(variants: dict[str, Manifests]) -> None:
    (pod,) = (pod for pod in variants["cpu"].pods if pod.owner == "monolayer-triton")
    assert "nvidia.com/gpu" not in str(pod.spec)
    rules = recorded(variants["cpu"]).items()
    assert not [expression for name, expression in rules if "servers" in name and "gpu" in expression]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("slack=https://hooks.example.org/a", "slackConfigs"),
        ("webhook=https://example.org/b", "webhookConfigs"),
        ("mail=a@b.org", "emailConfigs"),
    ],
)
def test_each_way_to_be_told_of_alerts_is_one_value(rendered: Rendered, value: str, kind: str) -> None:
    (config,) = rendered(f"monitoring.{value}").kind("AlertmanagerConfig")
    (receiver,) = config["spec"]["receivers"]
    assert receiver.keys() == {"name", kind}


def test_parts_that_are_switched_off_leave_nothing_behind(rendered: Rendered) -> None:
    off = ("scaling", "monitoring", "inbox")
    manifests = rendered(*(f"{part}.enabled=false" for part in off), "networkPolicies=false", "disruptionBudgets=false")
    kinds = {each["kind"] for each in manifests.objects}
    assert kinds.isdisjoint({"ScaledObject", "PodMonitor", "PrometheusRule", "ConfigMap", "NetworkPolicy"})
    assert manifests.named("Deployment", "monolayer-inbox") is None
    assert all(each["spec"]["replicas"] >= 1 for each in manifests.kind("Deployment"))
    assert not broken(manifests)


def test_another_kafka_is_one_value_and_ours_is_gone(rendered: Rendered) -> None:
    manifests = rendered("kafka.enabled=false", "kafka.bootstrap=kafka.example.org:9094")
    assert not manifests.kind("Kafka", "KafkaTopic", "KafkaNodePool", "KafkaUser", "TriggerAuthentication")
    variables = [one for pod in manifests.pods for each in pod.containers for one in each.get("env", ())]
    given = {one["value"] for one in variables if one["name"] == "MONOLAYER_KAFKA"}
    assert given == {"kafka.example.org:9094"}


def test_who_only_announces_may_not_read_and_who_only_looks_may_not_write(variants: dict[str, Manifests]) -> None:
    may = {
        name_of(each): {one for acl in each["spec"]["authorization"]["acls"] for one in acl["operations"]}
        for each in variants["default"].kind("KafkaUser")
    }
    assert may.keys() == {"monolayer-stages", "monolayer-door", "monolayer-watch"}
    assert "Read" not in may["monolayer-door"]
    assert "Write" not in may["monolayer-watch"]


def test_each_process_comes_to_kafka_as_who_it_is(variants: dict[str, Manifests]) -> None:
    users = {name_of(each) for each in variants["default"].kind("KafkaUser")}
    for pod in variants["default"].pods:
        found = {one["name"]: one for each in pod.spec["containers"] for one in each["env"]}
        if "MONOLAYER_KAFKA" in found:
            user = found["KAFKA_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"]
            assert user in users
            assert found["MONOLAYER_KAFKA"]["value"].startswith(f"{user}:$(KAFKA_PASSWORD)@")


@pytest.mark.parametrize(
    ("endpoint", "port"), [("https://a.org", 443), ("http://a.org", 80), ("http://a.org:8333", 8333)]
)
def test_those_that_read_strangers_files_reach_the_bucket_and_not_the_world(
    rendered: Rendered, endpoint: str, port: int
) -> None:
    policy = rendered(f"storage.endpoint={endpoint}").named("NetworkPolicy", "monolayer-confined")
    assert policy is not None
    anywhere = [each["ports"][0]["port"] for each in policy["spec"]["egress"] if "to" not in each]
    assert anywhere == [53, port]
