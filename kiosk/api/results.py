"""A job's results as one zip that is made while it is sent: nothing is kept, one image is in memory at a time."""

import csv
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from inference.models import Model
from kiosk.api import naming
from kiosk.contract import Fate
from kiosk.zips import Member, members_as_zip
from storage import keys
from storage.images import read_image
from storage.labels import Labels, read_cells, read_labels
from storage.objects import Changed, NotFound, Store
from storage.overlays import LONGEST, overlay_png
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.events import Rejection
from streams.jobs import ledger
from streams.jobs.records import Entry, Job, JobState
from streams.jobs.tally import Tally
from streams.original import PLAUSIBLE_PIXEL_UM

PLANE = "plane"
"""A column of stacks only; other images have their one plane 0."""
CONTRADICTION = 1.5
"""A pixel size that differs from the file's own by such a factor is pointed out."""
Cells = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Results:
    """What a job had come to when its results were asked for."""

    job: Job
    state: JobState
    fates: Tally
    names: list[str]
    """By image, without an ending."""
    seen: dict[int, dict[str, object]] = field(default_factory=dict)
    """What the manifest says of each labelled image, learnt while its overlay was drawn."""
    versions: dict[str, None] = field(default_factory=dict)
    """The model's versions that labels name."""
    columns: dict[str, None] = field(default_factory=dict)
    """What any of its cells were measured in, in order; only images with a known pixel size have columns in µm."""

    def fate(self, image: int) -> Fate:
        """What became of an image."""
        return fate_of(self.fates, image, self.state.state == "done")


def read_results(store: Store, job: str) -> Results:
    """Look at a job, finished or not; raises `NoSuchJob`."""
    state = ledger.state(store, job)
    names = naming.result_names(entry.name for entry in ledger.entries(store, job))
    return Results(ledger.read_job(store, job), state, ledger.outcomes(store, job, state.images or 0), names)


def fate_of(fates: Tally, image: int, over: bool) -> Fate:
    """What a tally says about an image; what has no outcome in a job that is over was cancelled."""
    if fates.labelled >> image & 1:
        return "labelled"
    if fates.rejected >> image & 1:
        return "rejected"
    return "cancelled" if over else "in flight"


def as_zip(results: Results, store: Store, models: Mapping[str, Model], drawing: Lock) -> Iterator[bytes]:
    """The bytes of the zip: labels and overlays, then `cells.csv`, then `manifest.json`."""
    yield from members_as_zip(_members(results, store, models, drawing))


def _members(results: Results, store: Store, models: Mapping[str, Model], drawing: Lock) -> Iterator[Member]:
    names = frozenset(name.casefold() for name in results.names)
    for entry in _labelled(results, store):
        labels = store.get(keys.labels(results.job.job, entry.image))
        yield naming.labels_name(results.names[entry.image]), labels
        with drawing:
            drawn = _draw(results, store, entry, labels)
        paths = naming.overlay_names(results.names[entry.image], len(drawn), names)
        yield from zip(paths, drawn, strict=True)
    yield "cells.csv", _cells(results, store)
    yield "manifest.json", _manifest(results, store, models.get(results.job.model))


def _labelled(results: Results, store: Store) -> Iterator[Entry]:
    for entry in ledger.entries(store, results.job.job):
        if results.fate(entry.image) == "labelled":
            yield entry


def _draw(results: Results, store: Store, entry: Entry, data: bytes) -> list[bytes]:
    """One PNG per plane; none where the original is not what it was any more."""
    labels = read_labels(data)
    seen = results.seen[entry.image] = _seen(results, labels)
    try:
        original = read_source(store, entry.source, entry.name)
        image = read_image(original, entry.name, results.job.options.channel)
    except (NotFound, Changed, Unreadable) as error:
        seen["no_overlay"] = f"the original can't be read any more: {error}"
        return []
    seen["input_crc32"] = f"{zlib.crc32(original):08x}"
    if image.channels > 1:
        seen["channels"] = image.channels
    if image.pixel_size and _contradicts(image.pixel_size, results.job.options.pixel_size):
        seen["pixel_size_in_file_um"] = image.pixel_size
    return [overlay_png(*planes) for planes in zip(image.planes, labels.labels, strict=True)]


def _contradicts(in_file: float, submitted: float | None) -> bool:
    """Whether a file says so different a pixel size that one of the two must be wrong."""
    low, high = PLAUSIBLE_PIXEL_UM
    return (
        submitted is not None and low <= in_file <= high and not 1 / CONTRADICTION < submitted / in_file < CONTRADICTION
    )


def _seen(results: Results, labels: Labels) -> dict[str, object]:
    results.columns.update(dict.fromkeys(column for column in labels.cells if column != PLANE))
    if version_ := labels.facts.get("model_version"):
        results.versions[version_] = None
    planes, *sides = labels.labels.shape
    seen: dict[str, object] = {"planes": planes, "cells": _count(labels.cells)}
    if labels.pixel_size:
        seen["pixel_size_um"] = labels.pixel_size
    if max(sides) > LONGEST:
        seen["overlay_scale"] = round(LONGEST / max(sides), 4)
    return seen


def _cells(results: Results, store: Store) -> Iterator[bytes]:
    """The cells of all images as one table, `image` and `plane` first."""
    columns = [PLANE, *results.columns]
    yield _csv([["image", *columns]])
    for entry in _labelled(results, store):
        cells = read_cells(store.get(keys.labels(results.job.job, entry.image)))
        yield _csv(_rows(entry.name, cells, columns))


def _rows(image: str, cells: Cells, columns: list[str]) -> Iterator[tuple[str, ...]]:
    count = _count(cells)
    for row in zip(
        *(_texts(cells.get(column), count, "0" if column == PLANE else "") for column in columns), strict=True
    ):
        yield image, *row


def _count(cells: Cells) -> int:
    return max((len(values) for values in cells.values()), default=0)


def _texts(values: NDArray[np.generic] | None, count: int, otherwise: str) -> list[str]:
    """The shortest decimals that give the numbers again, in their own precision."""
    if values is None:
        return [otherwise] * count
    texts: list[str] = values.astype(str).tolist()
    return texts


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _manifest(results: Results, store: Store, model: Model | None) -> Iterator[bytes]:
    """Every image and its fate: enough to say in a methods section what was done."""
    head = json.dumps(_facts(results, model), indent=1)
    yield (head.removesuffix("\n}") + ',\n "images": [').encode()
    stories = ledger.rejections(store, results.job.job)
    story = next(stories, None)
    for entry in ledger.entries(store, results.job.job):
        while story is not None and story.image < entry.image:
            story = next(stories, None)
        mine = story if story is not None and story.image == entry.image else None
        line = json.dumps(_line(results, entry, mine), ensure_ascii=False)
        yield f"{',' if entry.image else ''}\n  {line}".encode()
    yield b"\n ]\n}\n"


def _facts(results: Results, model: Model | None) -> dict[str, object]:
    job = results.job
    known = model if model is not None and model.digest == job.model_digest else None
    return {
        "monolayer": version("monolayer"),
        "created": datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "job": job.model_dump(mode="json", exclude_none=True),
        "model": {
            "name": job.model,
            "version": ", ".join(results.versions) or (known.version if known else None),
            "digest": job.model_digest,
            "trained_at_pixel_size_um": known.pixel_size if known else None,
            "trained_at_diameter_px": known.diameter if known else None,
        },
        "overlay_longest_side_px": LONGEST,
        "options": job.options.model_dump(exclude_none=True),
        "state": results.state.model_dump(mode="json"),
    }


def _line(results: Results, entry: Entry, story: Rejection | None) -> dict[str, object]:
    fate = results.fate(entry.image)
    line: dict[str, object] = {"image": entry.image, "name": entry.name, "fate": fate}
    if entry.source.crc is not None:
        line["input_crc32"] = f"{entry.source.crc:08x}"
    if fate == "labelled":
        line["labels"] = naming.labels_name(results.names[entry.image])
        line |= {"channel": results.job.options.channel or 1} | results.seen.get(entry.image, {})
    elif fate == "rejected" and story:
        line |= {"reason": story.reason, "message": story.message, "attempts": story.attempts}
    return line | {"input": entry.source.model_dump(exclude_none=True)}
