"""The picture of a training run."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

HEIGHT, WIDTH, MARGIN = 360, 640, 40
INK, CURVE = (0, 0, 0), (180, 80, 0)


def draw_losses(losses: Sequence[tuple[int, float, float]], path: Path) -> None:
    """Write a PNG of the loss over the minutes; `losses` holds (step, minutes, loss)."""
    steps, minutes, values = (np.array(each, np.float64) for each in zip(*losses, strict=True))
    low, high = 0.95 * values.min(), 1.05 * values.max()
    across = MARGIN + minutes / max(minutes[-1], 1e-9) * (WIDTH - 2 * MARGIN)
    down = MARGIN + (high - values) / (high - low) * (HEIGHT - 2 * MARGIN)
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    cv2.rectangle(picture, (MARGIN, MARGIN), (WIDTH - MARGIN, HEIGHT - MARGIN), (200, 200, 200))
    cv2.polylines(picture, [np.column_stack([across, down]).round().astype(np.int32)], False, CURVE, 2, cv2.LINE_AA)
    said = f"loss {values[-1]:.4f} after {steps[-1]:.0f} steps, {minutes[-1]:.0f} min ({low:.3f} to {high:.3f})"
    cv2.putText(picture, said, (MARGIN, MARGIN - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    cv2.imwrite(str(path), picture)
