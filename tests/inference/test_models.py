import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from inference.models import (
    ModelDescriptionError,
    read_model,
    shipped_models,
    write_triton_entry,
    write_triton_onnx_entry,
)
from inference.serving import main

NUCLEI = shipped_models()["nuclei"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NUCLEI.folder, tmp_path / "nuclei"))


def _change(folder: Path, field: str, value: Any) -> None:
    """Set one field, or remove it when the value is None."""
    root = yaml.safe_load((folder / "rdf.yaml").read_text())
    *path, last = field.split(".")
    part = root
    for key in path:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    (folder / "rdf.yaml").write_text(yaml.safe_dump(root))


def test_the_shipped_model_is_described_completely() -> None:
    assert (NUCLEI.name, NUCLEI.version, NUCLEI.stride) == ("nuclei", "1", 16)
    assert len(NUCLEI.digest) == 64
    assert (NUCLEI.folder / "README.md").is_file()


def test_the_shipped_weights_are_small_enough_to_be_kept_in_git() -> None:
    assert (NUCLEI.folder / "weights.onnx").stat().st_size < 12e6


def test_the_standard_fields_agree_with_those_for_monolayer() -> None:
    root = yaml.safe_load((NUCLEI.folder / "rdf.yaml").read_text())
    for axis in root["inputs"][0]["axes"][:2]:
        assert axis["size"]["step"] == NUCLEI.stride
        assert axis["scale"] == NUCLEI.pixel_size
    for axis in root["outputs"][0]["axes"][1:]:
        assert axis["halo"] == NUCLEI.halo
    assert root["outputs"][0]["axes"][0]["channel_names"] == root["config"]["monolayer"]["outputs"]


def test_the_digest_changes_with_weights_and_description(folder: Path) -> None:
    same = read_model(folder).digest
    (folder / "weights.onnx").write_bytes(b"other")
    other = read_model(folder).digest
    _change(folder, "config.monolayer.halo", 160)
    assert len({NUCLEI.digest, other, read_model(folder).digest}) == 3
    assert same == NUCLEI.digest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "1.2"),
        ("version", "0"),
        ("version", None),
        ("config", None),
        ("config.monolayer.name", ""),
        ("config.monolayer.pixel_size", 0),
        ("config.monolayer.pixel_size", "small"),
        ("config.monolayer.diameter", float("nan")),
        ("config.monolayer.diameter", True),
        ("config.monolayer.halo", 100),
        ("config.monolayer.halo", 128.5),
        ("config.monolayer.stride", -16),
        ("config.monolayer.max_tile", 256),
        ("config.monolayer.max_tile", 1500),
        ("config.monolayer.max_tile", None),
        ("config.monolayer.percentiles", [99, 1]),
        ("config.monolayer.percentiles", 1),
    ],
)
def test_a_wrong_or_missing_field_is_named(folder: Path, field: str, value: Any) -> None:
    _change(folder, field, value)
    with pytest.raises(ModelDescriptionError, match=rf"rdf\.yaml: {field}(\.monolayer)? is"):
        read_model(folder)


def test_missing_files_and_broken_yaml_are_named(folder: Path) -> None:
    (folder / "rdf.yaml").write_text("inputs: [")
    with pytest.raises(ModelDescriptionError, match=r"rdf\.yaml isn't YAML"):
        read_model(folder)
    (folder / "weights.onnx").unlink()
    with pytest.raises(ModelDescriptionError, match=r"weights\.onnx is missing"):
        read_model(folder)


def test_the_cpu_entry_runs_in_the_python_backend_without_batching(tmp_path: Path) -> None:
    write_triton_entry(NUCLEI, tmp_path, instances=3)
    config = (tmp_path / "nuclei/config.pbtxt").read_text()
    assert 'backend: "python"' in config
    assert "kind: KIND_CPU count: 3" in config
    assert "max_batch_size: 0" in config
    assert "dynamic_batching" not in config
    assert {path.name for path in (tmp_path / "nuclei/1").iterdir()} == {"model.py", "weights.onnx"}


def test_the_gpu_entry_has_the_same_tensors_and_weights(tmp_path: Path) -> None:
    write_triton_entry(NUCLEI, tmp_path / "cpu")
    write_triton_onnx_entry(NUCLEI, tmp_path / "gpu")
    tensors = [
        (tmp_path / kind / "nuclei/config.pbtxt").read_text().partition("max_batch_size")[2].partition("instance_g")[0]
        for kind in ("cpu", "gpu")
    ]
    assert tensors[0] == tensors[1] != ""
    weights = (tmp_path / "gpu/nuclei/1/model.onnx").read_bytes()
    assert weights == (tmp_path / "cpu/nuclei/1/weights.onnx").read_bytes()


def test_the_official_image_is_given_the_same_model_for_a_gpu_and_for_one_thread_of_a_cpu(tmp_path: Path) -> None:
    main([str(tmp_path / "gpu")])
    main([str(tmp_path / "cpu"), "--on", "cpu", "--instances", "4"])
    gpu, cpu = ((tmp_path / on / "nuclei/config.pbtxt").read_text() for on in ("gpu", "cpu"))
    assert "kind: KIND_GPU count: 1" in gpu
    assert "kind: KIND_CPU count: 4" in cpu
    assert ("intra_op_thread_count" in gpu, "intra_op_thread_count" in cpu) == (False, True)


def test_writing_an_entry_again_leaves_it_as_it_is(tmp_path: Path) -> None:
    write_triton_entry(NUCLEI, tmp_path)
    write_triton_entry(NUCLEI, tmp_path)
    assert len(list(tmp_path.rglob("*.*"))) == 3
