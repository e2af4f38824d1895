"""Rules of the house that no linter knows."""

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"kiosk", "streams", "inference", "storage", "observability", "loadgen", "docs", "charts", "tests"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESSES = re.compile(
    r"https?://[\w.-]*(pypi|pythonhosted|maven|npmjs|crates\.io|proxy\.golang|sum\.golang|debian\.org)", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"(^|[^\w./<>-])/(root|home|work)/")
LONGEST_MODULE = 350


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text()))
        except UnicodeDecodeError:
            continue
    return found


def test_no_dependency_ships_a_package_with_one_of_our_names() -> None:
    guilty = {}
    for distribution in importlib.metadata.distributions():
        tops = {str(file).split("/")[0] for file in distribution.files or [] if "/" in str(file)}
        if distribution.metadata["Name"] != "monolayer" and tops & OURS:
            guilty[distribution.metadata["Name"]] = tops & OURS
    assert not guilty


def test_no_file_names_a_registry_or_a_folder_of_somebodys_machine() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in texts()
        for match in [ADDRESSES.search(text) or MACHINE_PATHS.search(text)]
        if match and path != Path(__file__)
    ]
    assert not guilty


@pytest.mark.parametrize("lock", [path for path in tracked() if path.suffix == ".lock"], ids=lambda path: path.name)
def test_a_lock_pins_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--hash=sha256:" in text or "sha256" in text or re.search(r"\b[0-9a-f]{64}\b", text)


def test_every_dependency_has_its_reason_beside_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text().split("[project.scripts]")[0].splitlines()
    bare = [line for line in lines if re.match(r'\s+"[a-z][\w\[\]-]+.*",?\s*$', line) and "#" not in line]
    assert not bare


def test_serving_never_installs_tensorflow() -> None:
    locked = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"^(tensorflow|tf2onnx|onnxruntime-gpu)", locked, re.MULTILINE)


def test_modules_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py" and (lines := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert not long


def test_one_module_per_outside_library() -> None:
    homes = {
        "faust": {"streams/work/consuming.py"},
        "aiokafka": {"streams/work/consuming.py"},
        "minio": {"storage/s3.py", "loadgen/bucket.py"},  # the checker reads with hands of its own
        "tritonclient": {"inference/triton.py", "loadgen/chaos/model_proxy.py"},
        "opentelemetry": {"observability/tracing/otlp.py"},
        "confluent_kafka": {"streams/kafka.py", "loadgen/topics.py", "loadgen/chaos/records.py"},
        "zipstream": {"kiosk/zips.py"},
        "roifile": {"storage/rois.py"},
        "arro3": {"storage/tables.py"},
        "prometheus_client": {"observability/instruments.py"},
        "structlog": {"observability/logs.py"},
        "matplotlib": {"loadgen/run/drawings.py"},
        "griffe": {"docs/reference/docstrings.py"},
        "grafana_foundation_sdk": {"observability/dashboards/grafana.py"},
    }
    for library, allowed in homes.items():
        pattern = re.compile(rf"^\s*(from|import) {library}\b", re.MULTILINE)
        users = {
            str(path.relative_to(ROOT))
            for path, text in texts()
            if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in OURS - {"tests"} and pattern.search(text)
        }
        assert users <= allowed, library


def test_nothing_large_is_committed() -> None:
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked() if path.stat().st_size > 12e6}
    assert not large
