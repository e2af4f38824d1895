import csv
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kiosk import screen
from kiosk.client import Monolayer
from tests.kiosk.front import BAD, Bucket, open_door, tiff

SERVER_ONLY = (
    "boto3", "confluent_kafka", "cv2", "fastapi", "faust", "imagecodecs", "minio", "numba", "numpy", "opentelemetry",
    "psutil", "pydantic_settings", "skimage", "starlette", "structlog", "tifffile", "tritonclient", "uvicorn", "yaml",
)  # fmt: skip


def monolayer(*arguments: object, api: str = "", **environment: str) -> Result:
    from kiosk.cli import app

    env = {"MONOLAYER_API": api or None, **environment}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=env)


@pytest.fixture
def door() -> Iterator[tuple[str, Bucket]]:
    with open_door() as (address, store, _):
        yield address, store


@pytest.fixture
def good(tmp_path: Path) -> Path:
    folder = tmp_path / "good [1]"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.tif").write_bytes(tiff(seed=number))
    return folder


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("a.tif", tiff())
        for number in range(12):
            archive.writestr(f"bad{number:02d}.tif", BAD)
    return tmp_path / "mixed.zip"


def last_json(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.stdout.strip().splitlines()[-1]))


def test_submit_with_out_waits_fetches_and_says_where_things_are(
    door: tuple[str, Bucket], good: Path, tmp_path: Path
) -> None:
    result = monolayer("submit", good, "--out", tmp_path / "out", api=door[0])
    assert result.exit_code == 0, result.output
    assert "2 of 2 images labelled" in result.stdout
    assert str(tmp_path / "out" / "overlays") in result.stdout
    assert (tmp_path / "out" / "overlays" / "1.png").exists()
    assert (tmp_path / "out" / "cells.csv").exists()


def test_json_is_one_object_last_on_standard_output(door: tuple[str, Bucket], good: Path, tmp_path: Path) -> None:
    result = monolayer("submit", good, "--json", "--out", tmp_path / "out", api=door[0])
    told = last_json(result)
    assert result.exit_code == 0
    assert len(result.stdout.strip().splitlines()) == 1
    assert set(told) == {"job", "images", "labelled", "rejected", "cancelled", "seconds"}
    assert (told["images"], told["labelled"], told["rejected"], told["cancelled"]) == (2, 2, 0, 0)
    assert told["seconds"] >= 0


def test_rejected_images_are_named_and_the_exit_code_is_2(door: tuple[str, Bucket], mixed: Path) -> None:
    result = monolayer("submit", mixed, "--wait", "--json", api=door[0])
    assert result.exit_code == 2
    assert last_json(result)["rejected"] == 12
    assert "bad00.tif: bad00.tif is no image." in result.stderr
    assert "bad10" not in result.stderr and "and 2 more" in result.stderr


def test_several_jobs_have_totals_and_results_side_by_side(
    door: tuple[str, Bucket], good: Path, mixed: Path, tmp_path: Path
) -> None:
    result = monolayer("submit", good, mixed, "--json", "--out", tmp_path / "out", api=door[0])
    told = last_json(result)
    assert result.exit_code == 2
    assert (told["images"], told["labelled"], told["rejected"]) == (15, 3, 12)
    assert [job["images"] for job in told["jobs"]] == [13, 2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good [1]", "mixed"]


def test_submit_without_wait_says_how_to_come_back(door: tuple[str, Bucket], good: Path) -> None:
    result = monolayer("submit", good, api=door[0])
    job = result.stdout.strip().rsplit(" ")[-1]
    assert result.exit_code == 0
    assert f"monolayer show {job}" in result.stderr
    shown = monolayer("show", job, api=door[0])
    assert "done: 2 of 2 labelled" in shown.stdout


def test_ctrl_c_while_waiting_says_how_to_come_back(
    door: tuple[str, Bucket], good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "wait", interrupted)
    result = monolayer("submit", good, "--wait", api=door[0])
    assert result.exit_code == 130
    assert "goes on without you" in result.stderr
    assert "monolayer show" in result.stderr


def test_ctrl_c_while_waiting_for_results_says_how_to_fetch_them(
    door: tuple[str, Bucket], good: Path, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "wait", interrupted)
    result = monolayer("submit", good, mixed, "--out", tmp_path / "out", api=door[0])
    first, second = (line.rsplit(" ")[-1] for line in result.stdout.strip().splitlines())
    assert result.exit_code == 130
    assert f"`monolayer show {first}`" in result.stderr
    assert f"`monolayer results {first} --out {tmp_path / 'out' / 'mixed'}`" in result.stderr
    assert f"`monolayer results {second} --out '{tmp_path / 'out' / 'good [1]'}'`" in result.stderr


@pytest.mark.parametrize("command", ["submit", "results"])
@pytest.mark.parametrize(
    ("out", "why"), [("{file}/below", "Not a directory"), ("/proc", "No such file"), ("{file}", "is a file")]
)
def test_a_folder_that_can_not_be_written_to_is_told_before_anything_is_sent(
    door: tuple[str, Bucket], good: Path, monkeypatch: pytest.MonkeyPatch, command: str, out: str, why: str
) -> None:
    what = good if command == "submit" else last_json(monolayer("submit", good, "--wait", "--json", api=door[0]))["job"]
    place = out.format(file=good / "0.tif")
    monkeypatch.setattr(Monolayer, "send", None)
    monkeypatch.setattr(Monolayer, "results", None)
    result = monolayer(command, what, "--out", place, api=door[0])
    assert result.exit_code == 1
    assert place in result.stderr and why in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_results_beside_those_of_another_job_are_told_of_and_fetched(
    door: tuple[str, Bucket], good: Path, tmp_path: Path
) -> None:
    arguments = ("submit", good, "--json", "--out", tmp_path / "out")
    first = last_json(monolayer(*arguments, api=door[0]))["job"]
    again = monolayer("results", first, "--out", tmp_path / "out", api=door[0])
    assert (again.exit_code, again.stderr) == (0, "")
    (good / "1.tif").rename(good / "2.tif")
    result = monolayer(*arguments, api=door[0])
    assert result.exit_code == 0
    assert f"already holds results of job {first};" in result.stderr
    assert {path.name for path in (tmp_path / "out" / "labels").iterdir()} == {"0.tif", "1.tif", "2.tif"}


@pytest.mark.parametrize("old", ["", "[]", '{"images": [], "job": "x"}', '{"job": {"job": "x"}}'])
def test_a_strange_manifest_in_the_folder_is_replaced(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, old: str
) -> None:
    (tmp_path / "manifest.json").write_text(old)
    result = monolayer("submit", good, "--out", tmp_path, api=door[0])
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads((tmp_path / "manifest.json").read_text())["images"]


def test_results_end_with_how_many_cells_they_hold(door: tuple[str, Bucket], good: Path, tmp_path: Path) -> None:
    result = monolayer("submit", good, "--out", tmp_path / "out", api=door[0])
    assert result.stdout.splitlines()[-1] == "4 cells in 2 images, 2 per image (median)"
    with (tmp_path / "out" / "cells.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4


def test_overlays_that_were_reduced_are_told_of(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("storage.overlays", "kiosk.api.results"):
        monkeypatch.setattr(f"{module}.LONGEST", 25)
    result = monolayer("submit", good / "0.tif", "--out", tmp_path / "out", api=door[0])
    assert result.stdout.splitlines()[-1] == "overlays of 1 image are reduced: their longer side is 25 pixels"


def test_the_id_of_a_job_is_never_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    job = "20250101-abcdefghij0123456789"
    screen.table(("job", "name", "state"), [(job, "a long name of a plate " * 5, "done")], whole="job")
    assert job in capsys.readouterr().out


def test_jobs_have_headings_for_programs_too(door: tuple[str, Bucket]) -> None:
    told = monolayer("jobs", api=door[0]).stdout
    assert told == "job\tname\tmodel\tbegun\tstate\tlabelled\trejected\timages\n"


def test_a_reader_that_goes_away_ends_it_quietly(door: tuple[str, Bucket]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-c", "from kiosk.cli import app; app()", "--api", door[0], "jobs"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(writer)
    assert ended.stderr == ""


def test_ctrl_c_while_sending_says_that_nothing_was_submitted(
    door: tuple[str, Bucket], good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "send", interrupted)
    result = monolayer("submit", good, api=door[0])
    assert result.exit_code == 130
    assert "was not submitted" in result.stderr


def test_ctrl_c_while_fetching_says_how_to_fetch_again(
    door: tuple[str, Bucket], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "results", interrupted)
    result = monolayer("submit", good, "--out", tmp_path / "o 1", api=door[0])
    assert result.exit_code == 130
    assert f"--out '{tmp_path / 'o 1'}'" in result.stderr


def test_jobs_show_rejected_and_results_look_at_a_job(door: tuple[str, Bucket], mixed: Path, tmp_path: Path) -> None:
    job = last_json(monolayer("submit", mixed, "--wait", "--json", api=door[0]))["job"]
    assert job in monolayer("jobs", api=door[0]).stdout
    assert json.loads(monolayer("jobs", "--json", api=door[0]).stdout)["jobs"][0]["job"] == job
    assert json.loads(monolayer("show", job, "--json", api=door[0]).stdout)["rejected"] == 12
    rejected = monolayer("rejected", job, api=door[0]).stdout.splitlines()
    assert rejected[0] == "image\treason\tmessage"
    assert rejected[1] == "bad00.tif\tbad_input\tbad00.tif is no image."
    assert len(json.loads(monolayer("rejected", job, "--json", api=door[0]).stdout)["rejected"]) == 12
    assert monolayer("results", job, "--out", tmp_path / "r", api=door[0]).exit_code == 0
    assert (tmp_path / "r" / "manifest.json").exists()


def test_models_are_listed(door: tuple[str, Bucket]) -> None:
    told = monolayer("models", api=door[0]).stdout
    assert told == "model\tversion\tpixel size\tdiameter\nnuclei\t3\t0.65 µm\t17.0 px\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "no such file.tif"], "no such file.tif doesn't exist."),
        (["submit", "{good}", "--pixel-size", "1", "--diameter", "9"], "not both"),
        (["submit", "{good}", "--diameter", "0"], "The diameter must be from 2 to 2000 pixels."),
        (["submit", "{good}", "--pixel-size", "0"], "The pixel size must be between 0.001 and 1000 µm."),
        (["submit", "{good}", "--channel", "0"], "The channel must be from 1 to 1000."),
        (["submit", "{good}", "--out", "{file}"], "is a file"),
        (["submit", "{good}", "--diameter", "big"], "--diameter"),
        (["submit"], "PATH"),
        (["show"], "JOB"),
        (["sbumit"], "sbumit"),
        (["--colour", "jobs"], "--colour"),
        (["submit", "{good}", "--model", "cells"], "There is no model 'cells'; there is nuclei."),
        (["show", "nothing"], "There is no job nothing."),
        (["results", "nothing", "--out", "x"], "There is no job nothing."),
    ],
)
def test_errors_are_one_sentence_and_exit_code_1(
    door: tuple[str, Bucket], good: Path, arguments: list[str], words: str
) -> None:
    given = [part.format(good=good, file=good / "0.tif") for part in arguments]
    result = monolayer(*given, api=door[0])
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_when_nothing_answers_it_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.find.DEFAULT", "http://127.0.0.1:1")
    result = monolayer("jobs", MONOLAYER_STATE=str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr == "Monolayer is not running; start it with `monolayer up`.\n"


def test_when_nothing_answers_at_a_named_address_it_says_which(tmp_path: Path) -> None:
    result = monolayer("jobs", api="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:1" in result.stderr


def test_the_system_on_this_machine_is_found_by_its_state(door: tuple[str, Bucket], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "status.json").write_text(json.dumps({"addresses": {"api": door[0]}}))
    assert monolayer("models", MONOLAYER_STATE=str(tmp_path)).exit_code == 0


def test_the_version_and_the_help_need_no_server() -> None:
    assert monolayer("version").stdout.startswith("0.")
    told = monolayer("--help").stdout
    assert "monolayer submit plate1/ --out plate1-labels" in told
    assert "Exit codes" in told


def test_the_command_line_is_imported_without_anything_of_the_servers() -> None:
    program = (
        "import sys; import kiosk.cli, kiosk.client, kiosk.find, kiosk.packing; "
        f"print(*(name for name in {SERVER_ONLY!r} if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_the_command_line_starts_without_what_only_requests_need() -> None:
    program = "import sys; import kiosk.cli; print(*(name for name in ('httpx', 'pydantic') if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
