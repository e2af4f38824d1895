"""The labels and cells of one image as one object: an OME-TIFF that carries its table.

Any program reads the labels; the cells, the facts and the exact pixel size lie in a private tag of the first page:
a line of JSON and behind it the columns as they are in memory, packed with zstd. The bytes depend on nothing but what
is stored: the UUID that OME-TIFF wants is a digest of it, and there is no date.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffWriter

from storage.codecs import unzstd, zstd

TAG = 65_001
"""The private tag that holds the cells."""
STRIP_BYTES = 1 << 21
_UNDEFINED = 7
_NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_FACTS = "github.com/monolayer/facts"

Cells = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of an image and what is known of its cells.

    Attributes
    ----------
    labels
        (P, H, W) uint16, or uint32 where a label is larger than 65,535; 0 is background.
    cells
        Columns of one length, in the order in which they were written.
    pixel_size
        In µm, where it is known.
    facts
        Image, model, version, checksum of the input, and the like.
    """

    labels: NDArray[np.uint16] | NDArray[np.uint32]
    cells: Cells
    pixel_size: float | None
    facts: dict[str, str]


def write_labels(
    labels: NDArray[np.integer[Any]],
    cells: Mapping[str, NDArray[Any]],
    pixel_size: float | None,
    facts: Mapping[str, str],
) -> bytes:
    """Pack labels and cells; the same arguments give the same bytes.

    Parameters
    ----------
    labels
        (P, H, W) or (H, W), not negative.
    cells
        Columns of one length, numbers or booleans; `plane` among them where P > 1.
    pixel_size
        In µm, or none.
    facts
        What else is to be known, as text.
    """
    stack = labels if labels.ndim == 3 else labels[np.newaxis]
    dtype = np.uint16 if not stack.size or stack.max() <= 0xFFFF else np.uint32
    stack = stack.astype(np.dtype(dtype).newbyteorder("<"), copy=False)
    rows = max(1, min(stack.shape[1], STRIP_BYTES // (stack.shape[2] * stack.itemsize)))
    strips = [zstd(strip) for strip in _strips(stack, rows)]
    table = _pack(cells, pixel_size, facts)
    name = _digest([*strips, table, repr(stack.shape).encode()])
    file = BytesIO()
    with TiffWriter(file) as tif:
        tif.write(
            iter(strips),
            shape=stack.shape,
            dtype=stack.dtype,
            rowsperstrip=rows,
            compression="zstd",
            photometric="minisblack",
            description=_ome(stack, name, pixel_size, facts).encode(),
            metadata=None,
            software=False,
            extratags=[(TAG, _UNDEFINED, len(table), table, True)],
            resolution=(1e4 / pixel_size, 1e4 / pixel_size) if pixel_size else None,
            resolutionunit="CENTIMETER" if pixel_size else None,
        )
    return file.getvalue()


def read_labels(data: bytes) -> Labels:
    """The inverse of `write_labels`."""
    with BytesIO(data) as file, TiffFile(file) as tif:
        planes = [page.asarray(maxworkers=1) for page in tif.pages]
        cells, pixel_size, facts = _unpack(tif.pages.first.tags[TAG].value)
    return Labels(np.stack(planes), cells, pixel_size, facts)


def count(cells: Cells) -> int:
    """How many cells there are."""
    return max((len(values) for values in cells.values()), default=0)


def read_cells(data: bytes) -> Cells:
    """Only the cells, without decoding the labels."""
    return read_table(data)[0]


def read_table(data: bytes) -> tuple[Cells, float | None, dict[str, str]]:
    """Cells, pixel size and facts, without decoding the labels."""
    with BytesIO(data) as file, TiffFile(file) as tif:
        return _unpack(tif.pages.first.tags[TAG].value)


def _strips(stack: NDArray[Any], rows: int) -> Iterator[memoryview]:
    for plane in stack:
        for top in range(0, plane.shape[0], rows):
            yield np.ascontiguousarray(plane[top : top + rows]).data.cast("B")


def _pack(cells: Mapping[str, NDArray[Any]], pixel_size: float | None, facts: Mapping[str, str]) -> bytes:
    columns = {name: np.ascontiguousarray(column) for name, column in cells.items()}
    columns = {name: column.astype(column.dtype.newbyteorder("<"), copy=False) for name, column in columns.items()}
    lengths = {column.shape for column in columns.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(f"the columns of cells differ in length: { {n: c.shape for n, c in columns.items()} }")
    if any(column.dtype.kind not in "iufb" for column in columns.values()):
        raise ValueError(f"cells hold numbers only, not { {n: c.dtype.name for n, c in columns.items()} }")
    head = {
        "v": 1,
        "rows": lengths.pop()[0] if lengths else 0,
        "columns": {name: column.dtype.str for name, column in columns.items()},
        "pixel_size": pixel_size,
        "facts": dict(sorted(facts.items())),
    }
    body = json.dumps(head).encode() + b"\n" + b"".join(column.tobytes() for column in columns.values())
    return len(body).to_bytes(8, "little") + zstd(body)


def _unpack(table: bytes) -> tuple[Cells, float | None, dict[str, str]]:
    body = unzstd(table[8:], int.from_bytes(table[:8], "little"))
    at = body.index(b"\n") + 1
    head = json.loads(body[:at])
    cells: Cells = {}
    for name, kind in head["columns"].items():
        cells[name] = np.frombuffer(body, kind, head["rows"], at)
        at += cells[name].nbytes
    return cells, head["pixel_size"], head["facts"]


def _digest(pieces: list[bytes]) -> uuid.UUID:
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return uuid.UUID(bytes=whole.digest()[:16], version=5)


def _ome(stack: NDArray[Any], name: uuid.UUID, pixel_size: float | None, facts: Mapping[str, str]) -> str:
    planes, height, width = stack.shape
    micron = f'"{pixel_size}" PhysicalSize'
    size = f' PhysicalSizeX={micron}XUnit="µm" PhysicalSizeY={micron}YUnit="µm"' if pixel_size else ""
    values = "".join(f"<M K={_attribute(key)}>{_text(value)}</M>" for key, value in sorted(facts.items()))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<OME xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}/ome.xsd" UUID="urn:uuid:{name}" Creator="Monolayer">'
        f'<Image ID="Image:0" Name={_attribute(facts.get("image", "labels"))}>'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{stack.dtype.name}" Interleaved="false" BigEndian="false" '
        f'SizeX="{width}" SizeY="{height}" SizeZ="{planes}" SizeC="1" SizeT="1"{size}>'
        f'<Channel ID="Channel:0:0" Name="labels" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="{planes}"/>'
        '</Pixels><AnnotationRef ID="Annotation:0"/></Image><StructuredAnnotations>'
        f'<MapAnnotation ID="Annotation:0" Namespace="{_FACTS}"><Value>{values}</Value></MapAnnotation>'
        "</StructuredAnnotations></OME>"
    )


def _text(value: str) -> str:
    return _attribute(value)[1:-1]


def _attribute(value: str) -> str:
    """Quoted for XML, without the control characters that it can't hold; the exact text is in the table."""
    printable = "".join(letter if letter >= " " and letter not in "\ufffe\uffff" else " " for letter in value)
    return quoteattr(printable.encode("utf-8", "replace").decode(), {'"': "&quot;"})
