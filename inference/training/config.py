"""What a training run needs to know, read from a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXCLUDED = frozenset(
    {
        "4dbbb275960ab9e4",  # the demo scores a crop of it: never train on it
        "c6216cdc42f61bc3",  # its published mask is visibly wrong
    }
)


@dataclass(frozen=True, slots=True)
class Config:
    """One training run.

    Sizes are in pixels at the model's scale. `minutes` bounds the wall clock: the learning rate falls with whichever
    of steps and minutes is further along, so a slow machine gets a shorter but complete schedule. What is kept is the
    weights' moving average, of which each step leaves the share `average`. `begin` is an ONNX file to go on from, its
    path beginning at the configuration; `synthetic` so many made-up images are mixed in.
    """

    sets: tuple[str, ...]
    diameter: float
    percentiles: tuple[float, float]
    clip: float = 1.5
    crop: int = 256
    batch: int = 8
    steps: int = 4000
    minutes: float = 20.0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    average: float = 0.998
    precision: str = "float32"
    begin: str = ""
    jitter: tuple[float, float] = (0.6, 1.6)
    synthetic: int = 0
    hold_out_every: int = 12
    widths: tuple[int, ...] = (24, 48, 80, 112)
    pyramid: int = 48
    head: int = 24
    seed: int = 0


def read_config(path: Path) -> Config:
    """Return the configuration in `path`; raises `TypeError` for keys that don't exist."""
    values: dict[str, Any] = tomllib.loads(path.read_text())
    frozen: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    if frozen.get("begin"):
        frozen["begin"] = str(path.parent / frozen["begin"])
    return Config(**frozen)
