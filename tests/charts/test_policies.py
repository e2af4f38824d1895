"""Each rule for renderings notices what breaks it, and nothing else."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from charts import policies
from charts.manifests import Manifests
from charts.policies import RULES, Rule
from streams.topics import TOPICS

LABELS = {"component": "tile"}
Spoil = Callable[[dict[str, Any]], object]


def good() -> dict[str, Any]:
    """Objects by kind, all as they should be."""
    container = {
        "name": "stage",
        "image": "monolayer:0.1.0",
        "command": ["python", "-m", "streams", "tile+predict+postprocess"],
        "env": [
            {"name": "MONOLAYER_KAFKA", "value": "kafka:9092"},
            {"name": "MONOLAYER_S3_SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "storage", "key": "secret"}}},
        ],
        "ports": [{"name": "metrics", "containerPort": 9100}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "livenessProbe": {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "securityContext": {"runAsNonRoot": True},
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 12,
        "containers": [container],
    }
    query = {"type": "prometheus", "metadata": {"query": 'max(wanted{stage="tile"})', "ignoreNullValues": "false"}}
    made = {
        "Deployment": {
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
        "Service": {"selector": LABELS, "ports": [{"targetPort": "metrics"}]},
        "NetworkPolicy": {"podSelector": {"matchLabels": LABELS}, "ingress": [{"ports": [{"port": "metrics"}]}]},
        "ScaledObject": {
            "scaleTargetRef": {"name": "Deployment"},
            "minReplicaCount": 0,
            "maxReplicaCount": 4,
            "triggers": [{"type": "kafka", "metadata": {"topic": "images.bulk"}}, query],
        },
        "PrometheusRule": {"groups": [{"rules": [{"record": "wanted", "labels": {"stage": "tile"}}]}]},
    }
    objects = {kind: {"kind": kind, "metadata": {"name": kind}, "spec": spec} for kind, spec in made.items()}
    secret = {"kind": "Secret", "metadata": {"name": "storage"}, "stringData": {"secret": ""}}
    topics = {
        topic.name: {
            "kind": "KafkaTopic",
            "metadata": {"name": topic.name},
            "spec": {"topicName": topic.name, "partitions": topic.partitions},
        }
        for topic in TOPICS
    }
    return deepcopy({**objects, "Secret": secret, **topics})


def pod(objects: dict[str, Any]) -> Any:
    return objects["Deployment"]["spec"]["template"]["spec"]


def container(objects: dict[str, Any]) -> Any:
    return pod(objects)["containers"][0]


def scaled(objects: dict[str, Any]) -> Any:
    return objects["ScaledObject"]["spec"]


SPOILT: list[tuple[Rule, Spoil]] = [
    (policies.pods_are_confined, lambda all_: pod(all_)["securityContext"].clear()),
    (policies.pods_are_confined, lambda all_: pod(all_).pop("automountServiceAccountToken")),
    (policies.pods_are_confined, lambda all_: container(all_)["securityContext"].update(readOnlyRootFilesystem=False)),
    (policies.pods_are_confined, lambda all_: container(all_)["securityContext"].pop("capabilities")),
    (policies.pods_say_what_they_need, lambda all_: container(all_)["resources"]["limits"].clear()),
    (policies.pods_say_what_they_need, lambda all_: container(all_).update(image="monolayer:latest")),
    (policies.pods_say_what_they_need, lambda all_: container(all_).pop("livenessProbe")),
    (policies.pods_leave_in_time, lambda all_: pod(all_).update(terminationGracePeriodSeconds=16)),
    (policies.selectors_find_pods, lambda all_: all_["Service"]["spec"].update(selector={"component": "til"})),
    (policies.selectors_find_pods, lambda all_: all_["Service"]["spec"]["ports"][0].update(targetPort="http")),
    (
        policies.selectors_find_pods,
        lambda all_: all_["Deployment"]["spec"].update(selector={"matchLabels": {"a": ""}}),
    ),
    (
        policies.selectors_find_pods,
        lambda all_: all_["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0].update(port="http"),
    ),
    (
        policies.commands_and_variables_exist,
        lambda all_: container(all_).update(command=["python", "-m", "streams.inboxes"]),
    ),
    (
        policies.commands_and_variables_exist,
        lambda all_: container(all_).update(command=["python", "-m", "streams", "tile+predict"]),
    ),
    (policies.commands_and_variables_exist, lambda all_: container(all_)["env"].append({"name": "MONOLAYER_KAFKAS"})),
    (policies.secrets_are_there, lambda all_: all_["Secret"]["stringData"].clear()),
    (policies.topics_are_those_of_the_code, lambda all_: all_.pop("outcomes")),
    (policies.topics_are_those_of_the_code, lambda all_: all_["outcomes"]["spec"].update(partitions=1)),
    (policies.scaling_is_safe, lambda all_: scaled(all_)["scaleTargetRef"].update(name="other")),
    (policies.scaling_is_safe, lambda all_: scaled(all_).update(minReplicaCount=5)),
    (policies.scaling_is_safe, lambda all_: scaled(all_).update(maxReplicaCount=5)),
    (policies.scaling_is_safe, lambda all_: scaled(all_)["triggers"][1]["metadata"].pop("ignoreNullValues")),
    (policies.scaling_is_safe, lambda all_: scaled(all_)["triggers"].pop(0)),
    (
        policies.what_scales_is_recorded,
        lambda all_: scaled(all_)["triggers"][1]["metadata"].update(query='max(wanted{stage="til"})'),
    ),
]


def found(rule: Rule, objects: dict[str, Any]) -> list[str]:
    def all_of() -> Iterator[str]:
        yield from rule(Manifests(list(objects.values())))

    return list(all_of())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_has_nothing_to_say_where_all_is_well(rule: Rule) -> None:
    assert found(rule, good()) == []


@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_notices_what_breaks_it(rule: Rule, spoil: Spoil) -> None:
    objects = good()
    spoil(objects)
    assert len(found(rule, objects)) == 1


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _ in SPOILT} == set(RULES)
