"""Renders a chart with each of its values files, and tells what is wrong with any of the renderings."""

from collections.abc import Iterator
from pathlib import Path

from charts import tools
from charts.manifests import Manifests
from charts.policies import broken

LEAST = "storage.endpoint=https://s3.example.org,storage.existingSecret=monolayer-storage"
"""What has no default."""


def variants(chart: Path) -> dict[str, list[str]]:
    """Helm's arguments for each set of values, by name: those files that the chart brings, and next to nothing."""
    files = {path.stem: ["--values", str(path)] for path in sorted((chart / "values").glob("*.yaml"))}
    return {"default": ["--set", LEAST], **files}


def render(chart: Path, cache: Path, folder: Path) -> dict[str, Path]:
    """The manifests for each set of values, as files; raises `LocalError` where Helm finds something to complain of."""
    folder.mkdir(exist_ok=True)
    places = {name: folder / f"{name}.yaml" for name in variants(chart)}
    for name, values in variants(chart).items():
        tools.lint(cache, chart, *values)
        places[name].write_text(tools.template(cache, chart, *values))
    return places


def failures(chart: Path, cache: Path) -> list[str]:
    """What is wrong, a line each, with the values it was found with; the renderings stay beside the chart."""
    return list(_wrong(render(chart, cache, chart.parent / "rendered"), cache))


def _wrong(rendered: dict[str, Path], cache: Path) -> Iterator[str]:
    yield from tools.kubeconform(cache, *rendered.values())
    for name, place in rendered.items():
        yield from (f"{name}: {wrong}" for wrong in broken(Manifests.of(place.read_text())))
