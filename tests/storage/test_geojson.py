import json
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from storage.geojson import feature_collection
from storage.labels import Labels
from tests.storage.test_rois import awkward


def labels_of(planes: int = 1, **cells: Any) -> Labels:
    stack = np.stack([awkward()] * planes)
    return Labels(stack, {name: np.asarray(column) for name, column in cells.items()}, None, {})


def features(labels: Labels) -> list[dict[str, Any]]:
    told = json.loads(feature_collection(labels))
    assert told["type"] == "FeatureCollection"
    assert {feature["type"] for feature in told["features"]} <= {"Feature"}
    return list(told["features"])


def test_geometries_are_valid_and_have_the_area_of_their_cells() -> None:
    found = features(labels_of())
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in found]
    assert [shape.geom_type for shape in shapes] == ["Polygon", "Polygon", "MultiPolygon"]
    assert all(shape.is_valid for shape in shapes)
    assert [shape.area for shape in shapes] == [np.count_nonzero(awkward() == label) for label in (1, 2, 7)]
    assert shapes[0].disjoint(shapes[1]) is False and not shapes[0].overlaps(shapes[1])


def test_a_cell_is_a_detection_named_by_its_label_with_its_measurements() -> None:
    found = features(labels_of(label=[2, 7], area_px=[15, 74], intensity_mean=[0.5, np.nan]))
    assert [feature["properties"] for feature in found] == [
        {"objectType": "detection", "name": "1", "measurements": {}},
        {"objectType": "detection", "name": "2", "measurements": {"area_px": 15, "intensity_mean": 0.5}},
        {"objectType": "detection", "name": "7", "measurements": {"area_px": 74}},
    ]


def test_the_cells_of_a_stack_lie_on_their_planes_with_their_own_measurements() -> None:
    found = features(labels_of(2, plane=[0, 0, 1, 1], label=[1, 2, 1, 2], area_px=[10, 20, 30, 40]))
    assert [feature["geometry"].get("plane", {}).get("z", 0) for feature in found] == [0, 0, 0, 1, 1, 1]
    areas = [feature["properties"]["measurements"].get("area_px") for feature in found]
    assert areas == [10, 20, None, 30, 40, None]


def test_an_image_without_cells_is_an_empty_collection() -> None:
    assert features(Labels(np.zeros((1, 9, 9), np.uint16), {}, None, {})) == []
