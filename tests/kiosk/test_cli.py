import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from kiosk.__main__ import main
from kiosk.client import Monolayer
from kiosk.commands import screen
from kiosk.local.leftovers import own_record
from kiosk.local.state import State
from storage import keys
from storage.labels import write_labels
from tests.kiosk.front import Bucket, made_job, serving

SERVER_ONLY = (
    "arro3", "boto3", "confluent_kafka", "cv2", "fastapi", "faust", "imagecodecs", "minio", "numba", "numpy",
    "opentelemetry", "prometheus_client", "psutil", "pydantic_settings", "roifile", "shapely", "skimage", "starlette",
    "structlog", "tifffile", "tritonclient", "uvicorn", "yaml",
)  # fmt: skip


def monolayer(*arguments: object, api: str = "", **environment: str) -> Result:
    from kiosk.cli import app

    env = {"MONOLAYER_API": api or None, "MONOLAYER_TOKEN": None, **environment}
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=env)


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
    assert "\n  bad00.tif is no image.\n" in result.stderr
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


def test_a_job_without_rejected_images_has_a_sentence(door: tuple[str, Bucket], good: Path) -> None:
    job = last_json(monolayer("submit", good, "--wait", "--json", api=door[0]))["job"]
    assert monolayer("rejected", job, api=door[0]).stdout == f"No image of job {job} was rejected.\n"
    late = monolayer("rejected", job, "--reason", "timeout", api=door[0]).stdout
    assert late == f"No image of job {job} was rejected as timeout.\n"


def test_the_id_of_a_job_is_never_wrapped(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    job = "20250101-abcdefghij0123456789"
    screen.table(("job", "name", "state"), [(job, "a long name of a plate " * 5, "done")], whole="job")
    assert job in capsys.readouterr().out


def test_jobs_take_one_line_each_on_a_terminal_of_80_letters(
    door: tuple[str, Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = "0123456789abcdefghij"
    made_job(door[1], {f"{number}.tif": b"" for number in range(384)}, job, name="Zellkerne, Platte 3, Woche 12.zip")
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    lines = monolayer("jobs", api=door[0], COLUMNS="80").stdout.splitlines()
    assert len(lines) == 2
    assert job in lines[1] and "Zellkern" in lines[1] and "0 of 384" in lines[1] and "…" in lines[1]


def test_jobs_have_headings_for_programs_too(door: tuple[str, Bucket]) -> None:
    told = monolayer("jobs", api=door[0]).stdout
    assert told == "job\tname\tmodel\tbegun\tstate\tlabelled\trejected\tcancelled\timages\n"


def test_a_reader_that_goes_away_ends_it_quietly(door: tuple[str, Bucket]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = [sys.executable, "-c", "from kiosk.cli import app; app()", "--api", door[0], "jobs"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(writer)
    assert ended.stderr == ""


def test_jobs_show_rejected_and_results_look_at_a_job(door: tuple[str, Bucket], mixed: Path, tmp_path: Path) -> None:
    job = last_json(monolayer("submit", mixed, "--wait", "--json", api=door[0]))["job"]
    assert job in monolayer("jobs", api=door[0]).stdout
    assert json.loads(monolayer("jobs", "--json", api=door[0]).stdout)["jobs"][0]["job"] == job
    assert json.loads(monolayer("show", job, "--json", api=door[0]).stdout)["rejected"] == 12
    rejected = monolayer("rejected", job, api=door[0]).stdout.splitlines()
    assert rejected[0] == "image\treason\tattempts\tmessage\ttrace id"
    assert rejected[1].startswith("bad00.tif\tbad_input\t1\tbad00.tif is no image.\t")
    assert len(json.loads(monolayer("rejected", job, "--json", api=door[0]).stdout)["rejected"]) == 12
    assert monolayer("results", job, "--out", tmp_path / "r", api=door[0]).exit_code == 0
    assert (tmp_path / "r" / "manifest.json").exists()


def test_results_come_in_other_formats_too(door: tuple[str, Bucket], good: Path, tmp_path: Path) -> None:
    job = last_json(monolayer("submit", good, "--wait", "--json", api=door[0]))["job"]
    arguments = ("results", job, "--out", tmp_path / "r", "--format", "imagej, qupath", "--format", "parquet")
    told = monolayer(*arguments, api=door[0]).stdout
    for name in ("imagej", "qupath", "cells.parquet", "methods.txt"):
        assert str(tmp_path / "r" / name) in told
    at_once = monolayer("submit", good, "--out", tmp_path / "s", "--format", "imagej", api=door[0])
    assert at_once.exit_code == 0
    assert {path.name for path in (tmp_path / "s" / "imagej").iterdir()} == {"0.zip", "1.zip"}
    wrong = monolayer("results", job, "--out", tmp_path / "r", "--format", "excel", api=door[0])
    assert wrong.exit_code == 1
    assert "There is no format 'excel'; there are imagej, qupath, parquet." in wrong.stderr


def test_show_ends_with_the_images_not_to_trust(door: tuple[str, Bucket], good: Path) -> None:
    job = last_json(monolayer("submit", good, "--wait", "--json", api=door[0]))["job"]
    assert "before you trust" not in monolayer("show", job, api=door[0]).stdout
    nothing = write_labels(np.zeros((1, 40, 50), np.int32), {"label": np.zeros(0, np.int32)}, None, {})
    door[1].put(keys.labels(job, 0), nothing)
    assert monolayer("show", job, api=door[0]).stdout.splitlines()[-2:] == [
        "look at 1 image before you trust the labels: 1 no cells found",
        "  0.tif: no cells found",
    ]


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


def test_without_an_address_or_a_system_of_its_own_it_says_how_to_start_one(tmp_path: Path) -> None:
    result = monolayer("jobs", MONOLAYER_STATE=str(tmp_path))
    assert result.exit_code == 1
    told = "Monolayer is not running; start it with `monolayer up`, or name one: `monolayer --api ADDRESS ...`."
    assert result.stderr == f"{told}\n"


def test_when_nothing_answers_at_a_named_address_it_says_which(tmp_path: Path) -> None:
    result = monolayer("jobs", api="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:1" in result.stderr


def test_the_system_on_this_machine_is_found_by_its_state(door: tuple[str, Bucket], tmp_path: Path) -> None:
    state = State(tmp_path)
    state.make()
    state.write_status({"addresses": {"api": door[0]}, "supervisor": own_record()})
    assert monolayer("models", MONOLAYER_STATE=str(tmp_path)).exit_code == 0


def test_what_listens_where_a_stopped_system_did_is_left_alone(door: tuple[str, Bucket], tmp_path: Path) -> None:
    state = State(tmp_path)
    state.make()
    for supervisor in ({}, own_record() | {"created": 0.0}):
        state.write_status({"addresses": {"api": door[0]}, "supervisor": supervisor})
        assert "not running" in monolayer("models", MONOLAYER_STATE=str(tmp_path)).stderr


def test_another_web_server_is_told_from_monolayer() -> None:
    from fastapi import FastAPI

    with serving(FastAPI()) as address:
        result = monolayer("jobs", api=address)
    assert (result.exit_code, result.stderr) == (1, f"What answers at {address} is not Monolayer.\n")


def test_nothing_to_stop_is_all_that_is_said(tmp_path: Path) -> None:
    result = monolayer("down", MONOLAYER_STATE=str(tmp_path))
    assert (result.stdout, result.stderr) == ("Nothing was running.\n", "")


def test_ctrl_c_before_anything_is_imported_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def __getattr__(self, name: str) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "kiosk.cli", Interrupted())
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_ctrl_c_in_any_command_ends_quietly(door: tuple[str, Bucket], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "jobs", interrupted)
    result = monolayer("jobs", api=door[0])
    assert (result.exit_code, result.stderr) == (130, "\nStopped.\n")


def test_the_version_and_the_help_need_no_server() -> None:
    assert monolayer("version").stdout.startswith("0.")
    told = monolayer("--help").stdout
    assert "monolayer submit plate1/ --out plate1-labels" in told
    assert "Exit codes" in told


def test_the_command_line_is_imported_without_anything_of_the_servers() -> None:
    program = (
        "import sys; import kiosk.cli, kiosk.client, kiosk.client.packing; "
        f"print(*(name for name in {SERVER_ONLY!r} if name in sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_the_command_line_starts_without_what_only_requests_need() -> None:
    program = "import sys; import kiosk.cli; print(*(name for name in ('httpx', 'pydantic') if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
