"""The cells of a job's images as one table, `image` and `plane` first: as CSV, and as Parquet."""

import csv
import io
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from storage import keys
from storage.labels import Cells, count, read_cells
from storage.objects import Store
from storage.tables import Columns, parquet
from streams.jobs.records import Entry

PLANE = "plane"
"""A column of stacks only; other images have their one plane 0."""


def cells_csv(store: Store, job: str, labelled: Iterable[Entry], columns: Columns) -> Iterator[bytes]:
    """The table as text, made image by image."""
    names = [PLANE, *columns]
    yield _csv([["image", *names]])
    for image, cells in _cells(store, job, labelled):
        yield _csv(_rows(image, cells, names))


def cells_parquet(store: Store, job: str, labelled: Iterable[Entry], columns: Columns) -> Iterator[bytes]:
    """The same table as Parquet, made while it is read."""
    yield from parquet({PLANE: np.dtype(np.int32), **columns}, _cells(store, job, labelled))


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
    """The shortest decimals that give the numbers again, in their own precision."""
    if values is None:
        return [otherwise] * rows
    texts: list[str] = values.astype(str).tolist()
    return texts


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
