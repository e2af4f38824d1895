"""F1 of an exported model on annotated images, through the same steps as in production."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import tifffile
from numpy.typing import NDArray

from inference.models import Model, read_model
from inference.normalize import statistics
from inference.scaling import rescale, scale_for
from inference.scoring import f1
from inference.segmentation import segment
from inference.tiling import core_of, cut, plan, stitch
from inference.training.config import EXCLUDED, Config
from inference.wire import MAPS, tensors

log = logging.getLogger(__name__)


def evaluate(config: Config, data: Path, folder: Path) -> dict[str, float]:
    """Return, and log, the mean F1 at IoU 0.5 of the model in `folder` for each test set under `data`.

    Every image is scaled by its own typical nucleus, as a user does who says how large the objects are.
    """
    model = read_model(folder)
    session = onnxruntime.InferenceSession(str(folder / "weights.onnx"), providers=["CPUExecutionProvider"])
    entries = json.loads((data / "index.json").read_text())
    scores = {}
    for name in config.test_sets:
        chosen = [e for e in entries if e["set"] == name and e["file"] not in EXCLUDED]
        found = [_score(model, session, data / name, e) for e in chosen]
        scores[name] = float(np.mean(found))
        log.info("%s: F1 %.3f over %d images", name, scores[name], len(found))
    return scores


def predict(model: Model, session: Any, plane: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    """Return the maps (2, h, w) of a whole plane at the model's scale."""
    low, high = statistics(plane, model)
    scaled = rescale(plane, factor)
    tiles = plan((scaled.shape[0], scaled.shape[1]), model)
    cores = [
        core_of(session.run([MAPS], tensors(cut(scaled, tile, model.stride), low, high))[0], tile)
        for tile in tiles.tiles
    ]
    return stitch(tiles, cores)


def _score(model: Model, session: Any, folder: Path, entry: dict[str, Any]) -> float:
    plane = tifffile.imread(folder / "images" / f"{entry['file']}.tif")
    truth = tifffile.imread(folder / "labels" / f"{entry['file']}.tif")
    diameter = 2 * float(np.sqrt(entry["med_area"] / np.pi))
    maps = predict(model, session, plane, scale_for(model, None, diameter))
    return f1(truth, segment(maps, (plane.shape[0], plane.shape[1])))
