"""Labels as GeoJSON that QuPath opens: a detection for each cell, with what was measured of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.labels import Labels
from storage.outlines import Outline, Ring, outlines

Row = dict[str, float]
_NAMES = ("plane", "label")
"""Columns that say which cell it is."""


def feature_collection(labels: Labels) -> bytes:
    """A FeatureCollection of all cells, in pixels; those of stacks lie on their plane, as z counted from 0.

    Measurements are called as in the table of cells; what isn't a finite number is left out. QuPath wants them as it
    writes them itself from version 0.4 on.
    """
    rows = _rows(labels.cells)
    features = (
        _feature(outline, plane, rows.get((plane, outline.label), {}))
        for plane, pixels in enumerate(labels.labels)
        for outline in outlines(pixels)
    )
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'.encode()


def _rows(cells: Mapping[str, NDArray[Any]]) -> dict[tuple[int, int], Row]:
    """What was measured, by plane and label."""
    numbers = cells.get("label", np.zeros(0, np.int32)).tolist()
    planes = cells["plane"].tolist() if "plane" in cells else [0] * len(numbers)
    rows: list[Row] = [{} for _ in numbers]
    for name, column in cells.items():
        if name not in _NAMES:
            for row, value in zip(rows, column.tolist(), strict=True):
                if np.isfinite(value):
                    row[name] = value
    return dict(zip(zip(planes, numbers, strict=True), rows, strict=True))


def _feature(outline: Outline, plane: int, row: Row) -> dict[str, object]:
    return {
        "type": "Feature",
        "geometry": _geometry(outline) | ({"plane": {"c": -1, "z": plane, "t": 0}} if plane else {}),
        "properties": {"objectType": "detection", "name": str(outline.label), "measurements": row},
    }


def _geometry(outline: Outline) -> dict[str, object]:
    polygons = [list(_closed(rings)) for rings in outline.polygons]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _closed(rings: list[Ring]) -> Iterator[list[list[int]]]:
    for ring in rings:
        corners: list[list[int]] = ring.tolist()
        yield [*corners, corners[0]]
