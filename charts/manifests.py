"""What `helm template` printed, to ask questions of: objects by kind, and the pods that they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pod:
    """The template of the pods of one object."""

    owner: str
    kind: str
    labels: Mapping[str, str]
    spec: Object

    @property
    def containers(self) -> list[Object]:
        """All of them, those first that run before the others."""
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Those it listens on, by name."""
        return {port["name"]: port["containerPort"] for each in self.containers for port in each.get("ports", ())}

    def fits(self, selector: Object) -> bool:
        """Whether a selector means it; knows `In` and `NotIn`, which are all that the chart uses."""
        named = all(self.labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
        return named and all(
            (self.labels.get(each["key"]) in each["values"]) == (each["operator"] == "In")
            for each in selector.get("matchExpressions", ())
        )


@dataclass(frozen=True, slots=True)
class Manifests:
    """All objects of one rendering."""

    objects: Sequence[Object]

    @classmethod
    def of(cls, text: str) -> "Manifests":
        """Those in what Helm printed."""
        return cls([each for each in yaml.safe_load_all(text) if each])

    def kind(self, *kinds: str) -> list[Object]:
        """The objects of these kinds."""
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object | None:
        """One object; none where there is none."""
        return next((each for each in self.kind(kind) if name_of(each) == name), None)

    @property
    def pods(self) -> list[Pod]:
        """Of whatever makes pods."""
        return list(self._pods())

    def _pods(self) -> Iterator[Pod]:
        for each in self.kind("Deployment", "StatefulSet", "Job"):
            template = each["spec"]["template"]
            yield Pod(name_of(each), each["kind"], template["metadata"]["labels"], template["spec"])


def name_of(one: Object) -> str:
    """An object's name."""
    return str(one["metadata"]["name"])
