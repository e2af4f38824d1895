"""What `loadgen run` and its kin say when something can't be meant: one sentence, and exit code 2."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadgen.cli import app
from loadgen.run.plan import Plan
from loadgen.run.report import PAGE, REPORT, ROWS, Found, write
from tests.loadgen.run import made


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA", "S3_ENDPOINT", "API", "PRICES"):
        monkeypatch.delenv(f"MONOLAYER_{name}", raising=False)
    monkeypatch.setenv("MONOLAYER_STATE", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--rate", "1", "--delay", "2"], "--rate or --delay"),
        (["--rate", "0"], "more than 0"),
        (["--image-size", "7"], "Image size"),
        (["--tenants", "absent.txt"], "absent.txt can't be read"),
        (["--prices", "absent"], "shipped are"),
        ([], "monolayer up"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_leaves_no_folder(asked: list[str], said: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    result = CliRunner().invoke(app, ["run", "--report", str(folder), *asked])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not folder.exists()


def test_a_report_stays_where_the_servers_are_away(tmp_path: Path) -> None:
    plan = Plan(images=20, zip_size=20)
    zips = made.sent(plan)
    folder = made.written(tmp_path / "run", plan, zips)
    write(folder, Found(made.ends(zips), made.SOUND))
    before = [(folder / name).read_bytes() for name in (REPORT, ROWS, PAGE)]
    result = CliRunner().invoke(app, ["report", str(folder)])
    assert result.exit_code == 2
    assert "stays as it is" in result.stderr
    assert [(folder / name).read_bytes() for name in (REPORT, ROWS, PAGE)] == before


@pytest.mark.parametrize("command", [["report", "nowhere"], ["compare", "nowhere", "nowhere"]])
def test_a_folder_without_a_run_is_one_sentence(command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    assert result.stderr.count("\n") == 1
