"""A job's cells as one table, `image` and `plane` first, as CSV and as Parquet; and its images as another."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from storage import keys
from storage.labels import Cells, count, read_cells
from storage.objects import Store
from storage.tables import Columns, parquet
from streams.jobs.records import Entry

PLANE = "plane"
"""A column of stacks only; other images have their one plane 0."""
IMAGES = (
    "fate",
    "planes",
    "cells",
    "median_diameter_px",
    "estimated_diameter_px",
    "focus",
    "saturated",
    "flags",
    "reason",
    "message",
)
"""Columns of the table of images, as the manifest calls them."""
DIGITS = "%.7g"
"""More than any microscope measures; Parquet has all of them."""


def cells_csv(store: Store, job: str, labelled: Iterable[Entry], columns: Columns) -> Iterator[bytes]:
    """The table as text, made image by image."""
    names = [PLANE, *columns]
    yield _csv([["image", *names]])
    for image, cells in _cells(store, job, labelled):
        yield _csv(_rows(image, cells, names))


def cells_parquet(store: Store, job: str, labelled: Iterable[Entry], columns: Columns) -> Iterator[bytes]:
    """The same table as Parquet, made while it is read."""
    yield from parquet({PLANE: np.dtype(np.int32), **columns}, _cells(store, job, labelled))


def images_csv(lines: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """What the manifest says of each image, as a table for people; `image` is its name, as in the table of cells."""
    yield _csv([["image", *IMAGES]])
    for line in lines:
        yield _csv([[_text(line["name"]), *(_text(line.get(column, "")) for column in IMAGES)]])


def _text(value: object) -> str:
    return "; ".join(value) if isinstance(value, list) else str(value)


def _cells(store: Store, job: str, labelled: Iterable[Entry]) -> Iterator[tuple[str, Cells]]:
    for entry in labelled:
        yield entry.name, read_cells(store.get(keys.labels(job, entry.image)))


def _rows(image: str, cells: Cells, columns: list[str]) -> Iterator[tuple[str, ...]]:
    rows = count(cells)
    for row in zip(
        *(_texts(cells.get(column), rows, "0" if column == PLANE else "") for column in columns), strict=True
    ):
        yield image, *row


def _texts(values: NDArray[np.generic] | None, rows: int, otherwise: str) -> list[str]:
    if values is None:
        return [otherwise] * rows
    texts: NDArray[np.str_] = np.char.mod(DIGITS, values) if values.dtype.kind == "f" else values.astype(str)
    return list(texts.tolist())


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
