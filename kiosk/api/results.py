"""A job's results as one zip that is made while it is sent: nothing is kept, one image is in memory at a time."""

import zlib
from collections.abc import Iterator, Mapping
from threading import Lock

import numpy as np

from inference.models import Model
from kiosk.api import manifest, methods, naming, tables
from kiosk.api.outcome import Results
from kiosk.api.trust import figures
from kiosk.contract import Format
from kiosk.zips import Member, members_as_zip
from storage import keys
from storage.geojson import feature_collection
from storage.images import read_image
from storage.labels import Labels, count, read_labels
from storage.objects import Changed, NotFound, Store
from storage.overlays import LONGEST, overlay_png
from storage.rois import roi_set
from storage.sources import read_source
from storage.unreadable import Unreadable
from streams.jobs import ledger
from streams.jobs.records import Entry
from streams.original import PLAUSIBLE_PIXEL_UM

CONTRADICTION = 1.5
"""A pixel size that differs from the file's own by such a factor is pointed out."""


def as_zip(results: Results, store: Store, models: Mapping[str, Model], drawing: Lock) -> Iterator[bytes]:
    """The bytes of the zip: what belongs to single images, then tables, then what was done."""
    yield from members_as_zip(_members(results, store, models, drawing))


def _members(results: Results, store: Store, models: Mapping[str, Model], drawing: Lock) -> Iterator[Member]:
    names = frozenset(name.casefold() for name in results.names)
    job = results.job.job
    for entry in _labelled(results, store):
        yield from _members_of(results, store, entry, names, drawing)
    yield "cells.csv", tables.cells_csv(store, job, _labelled(results, store), results.columns)
    if "parquet" in results.formats:
        yield "cells.parquet", tables.cells_parquet(store, job, _labelled(results, store), results.columns)
    yield "images.csv", tables.images_csv(manifest.images(results, store))
    facts, summed = manifest.facts(results, models.get(results.job.model)), methods.Summed()
    yield "manifest.json", manifest.as_json(facts, summed.watching(manifest.images(results, store)))
    yield "methods.txt", methods.text(facts, summed).encode()


def _members_of(results: Results, store: Store, entry: Entry, names: frozenset[str], drawing: Lock) -> Iterator[Member]:
    """What belongs to one image; `names` are those of all, in lower case."""
    name, data = results.names[entry.image], store.get(keys.labels(results.job.job, entry.image))
    yield naming.labels_name(name), data
    with drawing:
        labels = read_labels(data)
        drawn = _draw(results, store, entry, labels)
        exported = list(_exported(results.formats, name, labels))
    yield from zip(naming.overlay_names(name, len(drawn), names), drawn, strict=True)
    yield from exported


def _exported(formats: frozenset[Format], name: str, labels: Labels) -> Iterator[Member]:
    if "imagej" in formats:
        yield naming.regions_name(name), roi_set(labels.labels)
    if "qupath" in formats:
        yield naming.features_name(name), feature_collection(labels)


def _labelled(results: Results, store: Store) -> Iterator[Entry]:
    for entry in ledger.entries(store, results.job.job):
        if results.fate(entry.image) == "labelled":
            yield entry


def _draw(results: Results, store: Store, entry: Entry, labels: Labels) -> list[bytes]:
    """One PNG per plane; none where the original is not what it was any more."""
    seen = results.seen[entry.image] = _seen(results, labels)
    results.figures[entry.image] = figures(labels.cells, labels.pixel_size, labels.facts)
    try:
        original = read_source(store, entry.source, entry.name)
        image = read_image(original, entry.name, results.job.options.channel)
    except (NotFound, Changed, Unreadable) as error:
        seen["no_overlay"] = f"the original can't be read any more: {error}"
        return []
    seen["input_crc32"] = f"{zlib.crc32(original):08x}"
    if image.channels > 1:
        seen["channels"] = image.channels
        if called := image.names[(results.job.options.channel or 1) - 1 :]:
            seen["channel_name"] = called[0]
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
    for column, values in labels.cells.items():
        if column != tables.PLANE:
            results.columns[column] = np.promote_types(results.columns.get(column, values.dtype), values.dtype)
    if version := labels.facts.get("model_version"):
        results.versions[version] = None
    planes, *sides = labels.labels.shape
    seen: dict[str, object] = {"planes": planes, "cells": count(labels.cells)}
    if labels.pixel_size:
        seen["pixel_size_um"] = labels.pixel_size
    if estimated := labels.facts.get("estimated_diameter_px"):
        seen["estimated_diameter_px"] = float(estimated)
    if max(sides) > LONGEST:
        seen["overlay_scale"] = round(LONGEST / max(sides), 4)
    return seen
