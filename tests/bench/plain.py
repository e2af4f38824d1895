"""The reference: one bare process of two that does the same work in a loop, without any of the system.

Decode, statistics, model (ONNX Runtime, one thread), watershed, measuring, label file: the very functions the stages
call. Commands come by standard input: `ZIP OUT FIRST STEP` works on every STEP-th member from FIRST on.
"""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference import normalize, tiling, wire
from inference.measure import measure
from inference.models import shipped_models
from inference.segmentation import segment
from storage.images import read_image
from storage.labels import write_labels

MODEL = shipped_models()["nuclei"]


def session() -> onnxruntime.InferenceSession:
    """The model as Triton's python backend runs it: one thread that doesn't spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(MODEL.folder / "weights.onnx", options, providers=["CPUExecutionProvider"])


def infer(run: onnxruntime.InferenceSession, tile: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Maps (2, height, width) of one tile."""
    (maps,) = run.run([wire.MAPS], wire.tensors(tile, low, high))
    return np.asarray(maps)


def work(run: onnxruntime.InferenceSession, data: bytes, name: str) -> bytes:
    """One image's file becomes its label file."""
    plane = read_image(data, name, None).planes[0]
    low, high = normalize.statistics(plane, MODEL)
    plan = tiling.plan((plane.shape[0], plane.shape[1]), MODEL)
    cores = [tiling.core_of(infer(run, tiling.cut(plane, tile, MODEL.stride), low, high), tile) for tile in plan.tiles]
    labels = segment(tiling.stitch(plan, cores), (plane.shape[0], plane.shape[1]))
    return write_labels(labels[None], measure(labels, plane, None).columns, None, {"image": name})


def main() -> None:
    """Say `ready`, then work through commands."""
    run = session()
    print("ready", flush=True)
    for line in sys.stdin:
        archive, out, first, step = line.rstrip("\n").split("\t")
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist()[int(first) :: int(step)]:
                (Path(out) / f"{Path(name).stem}.tif").write_bytes(work(run, opened.read(name), name))
        print("done", flush=True)
