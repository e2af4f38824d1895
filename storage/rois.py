"""Labels as ImageJ's regions of interest, which Fiji opens in its ROI Manager: roifile's only home."""

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from storage.outlines import Outline, Polygon, outlines

_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
"""What a path of ImageJ does next."""


def roi_set(labels: NDArray[np.integer[Any]]) -> bytes:
    """A zip with a region for each label; the same labels give the same bytes.

    Parameters
    ----------
    labels
        (P, H, W); 0 is background.

    Returns
    -------
    bytes
        Regions are called after their label, in stacks `<plane>-<label>` with the planes counted from 0 as in the
        table, and lie on their slice there, which ImageJ counts from 1. A label in one piece without holes is a
        traced region, as ImageJ's wand makes them; others are composite.
    """
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for plane, pixels in enumerate(labels):
            for outline in outlines(pixels):
                roi = _roi(outline)
                if len(labels) > 1:
                    roi.name, roi.position = f"{plane:03d}-{roi.name}", plane + 1
                archive.writestr(ZipInfo(f"{roi.name}.roi"), roi.tobytes(), ZIP_DEFLATED)
    return file.getvalue()


def _roi(outline: Outline) -> ImagejRoi:
    [first, *others] = outline.polygons
    return _composite(outline) if others or len(first) > 1 else _traced(outline)


def _traced(outline: Outline) -> ImagejRoi:
    corners = outline.polygons[0][0]
    roi = ImagejRoi.frompoints(corners, name=str(outline.label))  # which knows what to do beyond 16 bits
    roi.roitype = ROI_TYPE.TRACED
    roi.right, roi.bottom = roi.right - 1, roi.bottom - 1  # corners are counted, not pixels
    return roi


def _composite(outline: Outline) -> ImagejRoi:
    path = np.concatenate([_path(polygon) for polygon in outline.polygons])
    corners = np.concatenate([rings[0] for rings in outline.polygons])
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return ImagejRoi(
        roitype=ROI_TYPE.RECT,
        options=ROI_OPTIONS.OVERLAY_BACKGROUNDS | ROI_OPTIONS.OVERLAY_LABELS,
        name=str(outline.label),
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        shape_roi_size=len(path),
        multi_coordinates=path,
    )


def _path(polygon: Polygon) -> NDArray[np.float32]:
    pieces: list[float] = []
    for ring in polygon:
        for step, (x, y) in enumerate(ring.tolist()):
            pieces += (_LINE if step else _MOVE, x, y)
        pieces.append(_CLOSE)
    return np.array(pieces, np.float32)
