"""The tensors of a model's graph, the same for every way to run it."""

import numpy as np
from numpy.typing import NDArray

IMAGE, LOW, HIGH, MAPS = "image", "low", "high", "maps"
SECONDS = "seconds"
"""Of a second output, where the way to run it can tell: how long the graph ran."""


def tensors(tile: NDArray[np.uint8] | NDArray[np.uint16], low: float, high: float) -> dict[str, NDArray[np.generic]]:
    """Return the graph's inputs for one tile.

    Pixels travel as their bytes, so one graph takes both depths and 8-bit images cost no more than 8 bits:
    `image` is uint8 (h, w, 1) or (h, w, 2), least significant byte first; `low` and `high` are float32 (1,).

    Raises
    ------
    TypeError
        The tile is neither uint8 nor uint16, or not 2-D.
    """
    if tile.ndim != 2 or tile.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"a tile is a 2-D array of uint8 or uint16, not {tile.ndim}-D of {tile.dtype}")
    little = np.ascontiguousarray(tile, tile.dtype.newbyteorder("<"))
    image = little.view(np.uint8).reshape(*tile.shape, tile.dtype.itemsize)
    return {IMAGE: image, LOW: np.array([low], np.float32), HIGH: np.array([high], np.float32)}
