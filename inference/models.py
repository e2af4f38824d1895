"""Model descriptions: read from BioImage.IO folders, written as entries of a Triton model repository."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml  # type: ignore[import-untyped,unused-ignore]

SHIPPED = Path(__file__).parent / "repository"
DESCRIPTION, WEIGHTS = "rdf.yaml", "weights.onnx"
Device = Literal["gpu", "cpu"]


class ModelDescriptionError(ValueError):
    """A model's `rdf.yaml` lacks a field or holds a value that makes no sense; the message names the field."""


@dataclass(frozen=True, slots=True)
class Model:
    """What Monolayer needs to know about a model to feed it and to read its answers.

    Attributes
    ----------
    name, version
        Under these Triton serves it.
    digest
        SHA-256 (hex) over description and weights: whatever is computed with the model changes with it.
    pixel_size
        µm per pixel of the images it was trained on.
    diameter
        Typical diameter of its objects, in px at its own scale.
    halo
        Context in px that a tile needs around the part that is kept, so that tiling changes nothing.
    stride
        Tiles start, and have sizes, in multiples of it, in px.
    max_tile
        Longest side of a tile in px, halo included.
    percentiles
        The image's percentiles that the network sees as 0 and 1.
    folder
        Holds `rdf.yaml`, `weights.onnx` and the model card.
    citations
        What to cite where results of the model are published, a line each.
    """

    name: str
    version: str
    digest: str
    pixel_size: float
    diameter: float
    halo: int
    stride: int
    max_tile: int
    percentiles: tuple[float, float]
    folder: Path
    citations: tuple[str, ...] = ()


def read_model(folder: Path) -> Model:
    """Return the model described in `folder`.

    Raises
    ------
    ModelDescriptionError
        A file or field is missing, or a value makes no sense.
    """
    description, weights = _bytes_of(folder / DESCRIPTION), _bytes_of(folder / WEIGHTS)
    fields = _Fields(folder / DESCRIPTION, description)
    model = Model(
        name=fields.text("config", "monolayer", "name"),
        version=fields.text("version"),
        digest=hashlib.sha256(description + weights).hexdigest(),
        pixel_size=fields.number("config", "monolayer", "pixel_size"),
        diameter=fields.number("config", "monolayer", "diameter"),
        halo=fields.count("config", "monolayer", "halo"),
        stride=fields.count("config", "monolayer", "stride"),
        max_tile=fields.count("config", "monolayer", "max_tile"),
        percentiles=fields.percentiles("config", "monolayer", "percentiles"),
        folder=folder,
        citations=fields.citations(),
    )
    _check_geometry(fields, model)
    return model


def shipped_models() -> dict[str, Model]:
    """Return the models that come with Monolayer, by name."""
    models = (read_model(path.parent) for path in sorted(SHIPPED.glob(f"*/{DESCRIPTION}")))
    return {model.name: model for model in models}


def write_triton_entry(model: Model, repository: Path, *, instances: int = 2) -> None:
    """Write `<repository>/<name>/` for Triton's Python backend, which runs ONNX Runtime on CPU.

    One thread per instance, as many instances as asked: on CPU this gives more images per second than batching does.
    """
    folder = _entry(model, repository, _CPU_CONFIG.format(name=model.name, tensors=_TENSORS, instances=instances))
    shutil.copyfile(Path(__file__).parent / "triton_backend.py", folder / "model.py")
    shutil.copyfile(model.folder / WEIGHTS, folder / WEIGHTS)


def write_triton_onnx_entry(model: Model, repository: Path, *, on: Device = "gpu", instances: int = 1) -> None:
    """Write `<repository>/<name>/` for the official image's ONNX Runtime backend: same tensors, same weights."""
    kind = f"KIND_{on.upper()}"
    config = _ONNX_CONFIG.format(name=model.name, tensors=_TENSORS, kind=kind, instances=instances)
    folder = _entry(model, repository, config + (_ONE_THREAD if on == "cpu" else ""))
    shutil.copyfile(model.folder / WEIGHTS, folder / "model.onnx")


def _entry(model: Model, repository: Path, config: str) -> Path:
    folder = repository / model.name / model.version
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent / "config.pbtxt").write_text(config)
    return folder


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelDescriptionError(f"{path} is missing: a model folder holds {DESCRIPTION} and {WEIGHTS}.") from None


def _check_geometry(fields: "_Fields", model: Model) -> None:
    for name in ("halo", "max_tile"):
        if getattr(model, name) % model.stride:
            raise fields.error(f"config.monolayer.{name}", getattr(model, name), f"a multiple of stride {model.stride}")
    if model.max_tile < 2 * model.halo + model.stride:
        raise fields.error("config.monolayer.max_tile", model.max_tile, "at least two halos and a stride")
    if not model.version.isdecimal() or model.version.startswith("0"):
        raise fields.error("version", model.version, 'a whole number from 1, in quotes, such as "1"')


class _Fields:
    """The fields of one `rdf.yaml`, each read with its type checked and its path in the message."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        try:
            self._root: Any = yaml.safe_load(content)
        except yaml.YAMLError as error:
            raise ModelDescriptionError(f"{path} isn't YAML: {error}") from error

    def text(self, *keys: str) -> str:
        value = self._value(keys)
        if not isinstance(value, str | int) or not str(value):
            raise self.error(".".join(keys), value, "a text")
        return str(value)

    def number(self, *keys: str) -> float:
        value = self._value(keys)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e6:
            raise self.error(".".join(keys), value, "a number above 0")
        return float(value)

    def count(self, *keys: str) -> int:
        value = self._value(keys)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error(".".join(keys), value, "a whole number above 0")
        return value

    def percentiles(self, *keys: str) -> tuple[float, float]:
        value = self._value(keys)
        match value:
            case [int() | float() as low, int() | float() as high] if 0 <= low < high <= 100:
                return float(low), float(high)
        raise self.error(".".join(keys), value, "two rising numbers from 0 to 100")

    def citations(self) -> tuple[str, ...]:
        cited = self._root.get("cite", [])
        if not isinstance(cited, list) or not all(isinstance(each, dict) and each.get("text") for each in cited):
            raise self.error("cite", cited, "a list of text and doi")
        return tuple(f"{each['text']}, doi:{each['doi']}" if each.get("doi") else str(each["text"]) for each in cited)

    def error(self, field: str, found: object, expected: str) -> ModelDescriptionError:
        return ModelDescriptionError(f"{self._path}: {field} is {found!r}; expected {expected}.")

    def _value(self, keys: tuple[str, ...]) -> Any:
        value = self._root
        for depth, key in enumerate(keys):
            if not isinstance(value, dict) or key not in value:
                raise ModelDescriptionError(f"{self._path}: {'.'.join(keys[: depth + 1])} is missing.")
            value = value[key]
        return value


_TENSORS = """\
max_batch_size: 0
input [
  { name: "image" data_type: TYPE_UINT8 dims: [ -1, -1, -1 ] },
  { name: "low" data_type: TYPE_FP32 dims: [ 1 ] },
  { name: "high" data_type: TYPE_FP32 dims: [ 1 ] }
]
output [ { name: "maps" data_type: TYPE_UINT8 dims: [ 2, -1, -1 ] } ]
"""

_CPU_CONFIG = """\
name: "{name}"
backend: "python"
output {{ name: "seconds" data_type: TYPE_FP32 dims: [ 1 ] }}
{tensors}instance_group [ {{ kind: KIND_CPU count: {instances} }} ]
"""

_ONNX_CONFIG = """\
name: "{name}"
platform: "onnxruntime_onnx"
{tensors}instance_group [ {{ kind: {kind} count: {instances} }} ]
"""

_ONE_THREAD = 'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
