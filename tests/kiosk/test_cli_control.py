"""`cancel`, `rejected`, `replay`, `held`, `release`, and what a submission says about them."""

import json
import zipfile
from pathlib import Path
from typing import Any, get_args

import pytest

from kiosk.client import Monolayer
from kiosk.client.options import seconds
from kiosk.commands.screen import Pace
from kiosk.contract import JobView, Replayed
from kiosk.errors import CannotSend
from storage import keys
from streams.events import ReasonClass, Rejection
from streams.jobs import ledger, markers
from tests.kiosk.front import BAD, MODEL, Bucket, labels_of, made_job, tiff
from tests.kiosk.test_cli import last_json, monolayer


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("a.tif", tiff())
        for number in range(3):
            archive.writestr(f"bad{number}.tif", BAD)
    return tmp_path / "mixed.zip"


def submitted(door: tuple[str, Bucket], path: Path) -> str:
    return str(last_json(monolayer("submit", path, "--wait", "--json", api=door[0]))["job"])


def running(store: Bucket) -> None:
    made_job(store, {"a.tif": b"a", "b.tif": b"b", "c.tif": b"c"})
    store.put(keys.labels("j1", 0), labels_of(1, 40, 50))
    store.put(keys.tally("j1", "owner"), b"\0\0\0\1\1\0\0\0\0")


def test_cancel_says_what_was_labelled_by_then(door: tuple[str, Bucket]) -> None:
    running(door[1])
    result = monolayer("cancel", "j1", api=door[0])
    assert result.exit_code == 0
    assert result.stdout == "plate.zip is cancelled: 1 of 3 labelled, 2 cancelled.\n"
    assert "`monolayer results j1 --out DIR` fetches what there is." in result.stderr
    assert "2 cancelled" in monolayer("show", "j1", api=door[0]).stdout
    assert last_json(monolayer("cancel", "j1", "--json", api=door[0]))["cancelled"] == 2


def test_the_beginning_of_an_id_names_a_job_where_it_is_the_only_one(door: tuple[str, Bucket]) -> None:
    for job in ("4f1a", "4f2b", "77"):
        made_job(door[1], {"a.tif": b"a"}, job)
    assert json.loads(monolayer("show", "4f1", "--json", api=door[0]).stdout)["job"] == "4f1a"
    assert "cancelled" in monolayer("cancel", "7", api=door[0]).stdout
    result = monolayer("show", "4f", api=door[0])
    assert result.exit_code == 1
    assert result.stderr.startswith("Several jobs begin with 4f: 4f")
    markers.hold(door[1], "4f2b", "The budget is spent.")
    assert monolayer("release", "4f", api=door[0]).stdout == "The job 4f2b is released.\n"


def test_cancelling_what_has_ended_says_so(door: tuple[str, Bucket], mixed: Path) -> None:
    result = monolayer("cancel", submitted(door, mixed), api=door[0])
    assert result.stdout == "mixed.zip had ended before: 1 of 4 labelled, 3 rejected.\n"
    assert result.exit_code == 0


def test_waiting_for_a_cancelled_job_ends_with_exit_code_2(
    door: tuple[str, Bucket], mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled(self: Monolayer, job: str, *_: object) -> JobView:
        made_job(door[1], {"a.tif": b"a"}, job)
        door[1].delete([keys.done(job), *(stat.key for stat in door[1].list(keys.tallies(job)))])
        return self.cancel(job)

    monkeypatch.setattr(Monolayer, "wait", cancelled)
    result = monolayer("submit", mixed, "--wait", api=door[0])
    assert result.exit_code == 2
    assert "1 image of plate.zip cancelled." in result.stderr


def test_replay_says_how_many_go_through_again_and_waits_for_them(door: tuple[str, Bucket], mixed: Path) -> None:
    job = submitted(door, mixed)
    one = monolayer("replay", job, "--image", "bad0.tif", "--wait", api=door[0])
    assert one.stdout == "1 image goes through again.\nmixed.zip: 2 of 4 labelled, 2 rejected.\n"
    assert one.exit_code == 2
    rest = monolayer("replay", job, "--wait", "--deadline", "2d", api=door[0])
    assert rest.stdout == "2 images go through again.\nmixed.zip: 4 of 4 labelled.\n"
    assert rest.exit_code == 0
    shown = monolayer("show", job, api=door[0]).stdout
    assert "sent through again 2 times; the time is that of the last" in shown
    assert last_json(monolayer("show", job, "--json", api=door[0]))["deadline"] == 2 * 86400


def test_a_replay_while_kafka_is_away_tells_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monolayer, "health", lambda _: None)
    monkeypatch.setattr(Monolayer, "replay", lambda *_: Replayed(round=1, images=21, note="Kafka is away."))
    assert monolayer("replay", "j" * 20, api="nowhere").stdout == "21 images go through again. Kafka is away.\n"


def test_nothing_to_replay_says_so_with_exit_code_0(door: tuple[str, Bucket], mixed: Path) -> None:
    result = monolayer("replay", submitted(door, mixed), "--reason", "killed", "--wait", api=door[0])
    assert result.exit_code == 0
    assert "has no image that stands rejected as killed." in result.stdout


def test_replay_ends_with_one_json_object(door: tuple[str, Bucket], mixed: Path) -> None:
    job = submitted(door, mixed)
    result = monolayer("replay", job, "--json", "--wait", api=door[0])
    assert len(result.stdout.splitlines()) == 1
    told = last_json(result)
    assert (told["job"], told["round"], told["images"], told["state"]["labelled"]) == (job, 1, 3, 4)
    assert last_json(monolayer("replay", job, "--json", api=door[0]))["images"] == 0


def test_rejected_tells_of_one_reason_attempts_and_trace(door: tuple[str, Bucket]) -> None:
    running(door[1])
    reasons: tuple[ReasonClass, ...] = ("timeout", "bad_input")
    for image, reason in enumerate(reasons, 1):
        why = Rejection(job="j1", image=image, name=f"{image}.tif", reason=reason, message="Too\tlate.", attempts=3)
        ledger.write(door[1], keys.rejection("j1", image, 0), why)
    told = monolayer("rejected", "j1", "--reason", "timeout", api=door[0]).stdout.splitlines()
    assert told[0] == "image\treason\tattempts\tmessage\ttrace id"
    assert told[1].split("\t")[:4] == ["1.tif", "timeout", "3", "Too late."]
    assert len(told[1].split("\t")[4]) == 32 and len(told) == 2
    assert "event" in json.loads(monolayer("rejected", "j1", "--json", api=door[0]).stdout)["rejected"][0]


def test_what_is_held_is_listed_and_released_by_its_name(door: tuple[str, Bucket]) -> None:
    running(door[1])
    markers.hold(door[1], "j1", "The budget is spent.")
    markers.hold(door[1], f"{keys.MODEL}{MODEL.digest}", "Every image fails.")
    assert "model\tnuclei\t0 s\tEvery image fails." in monolayer("held", api=door[0]).stdout
    assert monolayer("release", "nuclei", api=door[0]).stdout.startswith("The model nuclei is released.\n")
    assert "held: job j1." in monolayer("release", "nuclei", api=door[0]).stderr
    assert monolayer("release", "j1", api=door[0]).exit_code == 0
    result = monolayer("release", "j1", api=door[0])
    assert (result.exit_code, result.stderr) == (1, "j1 is not held; nothing is.\n")


def test_show_and_jobs_say_that_a_job_is_held_and_what_its_deadline_is(door: tuple[str, Bucket]) -> None:
    running(door[1])
    markers.hold(door[1], "j1", "The budget is spent.")
    told = monolayer("show", "j1", api=door[0]).stdout
    assert "\nheld: The budget is spent.\n" in told
    assert "images still in flight after 24:00:00 of work are rejected" in told
    assert "`monolayer release`" in told
    assert monolayer("jobs", api=door[0]).stdout.splitlines()[1].split("\t")[4] == "held"


def test_ctrl_c_while_waiting_says_how_to_cancel(
    door: tuple[str, Bucket], mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Monolayer, "wait", interrupted)
    result = monolayer("submit", mixed, "--wait", api=door[0])
    job = result.stdout.strip().rsplit(" ")[-1]
    assert f"`monolayer show {job}` says how mixed.zip stands." in result.stderr
    assert f"`monolayer cancel {job}` stops the work on mixed.zip." in result.stderr
    waited = monolayer("replay", job, "--wait", api=door[0])
    assert waited.exit_code == 130
    assert f"`monolayer show {job}`" in waited.stderr


def test_a_marked_submission_may_be_run_again_and_stays_one_job(door: tuple[str, Bucket], mixed: Path) -> None:
    first = monolayer("submit", mixed, "--mark", "plate 1", api=door[0])
    again = monolayer("submit", mixed, "--mark", "plate 1", "--wait", api=door[0])
    assert first.stdout.splitlines()[0] == again.stdout.splitlines()[0]
    assert "mixed.zip was submitted as 'plate 1' before; it is the same job." in again.stderr
    assert "1 of 4 images labelled" in again.stdout


def test_two_zips_of_one_name_can_not_share_a_mark(door: tuple[str, Bucket], mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Path(tmp_path / "other" / mixed.name)
    other.write_bytes(mixed.read_bytes())
    result = monolayer("submit", mixed, other, "--mark", "plate 1", api=door[0])
    assert (result.exit_code, "Two of the files are called mixed.zip" in result.stderr) == (1, True)
    assert monolayer("submit", mixed, other, api=door[0]).exit_code == 0


def test_a_deadline_is_given_in_words_of_time(door: tuple[str, Bucket], mixed: Path) -> None:
    result = monolayer("submit", mixed, "--deadline", "2h", "--json", api=door[0])
    assert ledger.read_job(door[1], last_json(result)["job"]).deadline == 7200


@pytest.mark.parametrize(("text", "meant"), [("90m", 5400), ("2h", 7200), ("1.5d", 129600), ("600", 600), ("30 s", 30)])
def test_a_duration_is_read(text: str, meant: float) -> None:
    assert seconds(text) == meant


@pytest.mark.parametrize("text", ["", "soon", "2 weeks", "-1h", "1h30m", "nan"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(CannotSend, match="is no duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["submit", "{file}", "--deadline", "1s"], "The deadline must be from 1 minute to 6 days."),
        (["submit", "{file}", "--deadline", "soon"], "'soon' is no duration; write 90m, 2h or 1d."),
        (["rejected", "x", "--reason", "mood"], "There is no reason class 'mood'; there are bad_input, too_large,"),
        (["replay", "x", "--reason", "mood"], "There is no reason class 'mood'"),
        (["replay", "x", "--deadline", "9d"], "The deadline must be from 1 minute to 6 days."),
        (["cancel", "nothing"], "There is no job nothing."),
        (["replay", "nothing"], "There is no job nothing."),
        (["release"], "MODEL|JOB"),
        (
            ["submit", "{file}", "--mark", "x" * 201],
            "mixed.zip: submission is not acceptable: string should have at most",
        ),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_1(
    door: tuple[str, Bucket], mixed: Path, arguments: list[str], words: str
) -> None:
    result = monolayer(*(part.format(file=mixed) for part in arguments), api=door[0])
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_every_reason_class_is_explained_by_the_help() -> None:
    told = monolayer("rejected", "--help", COLUMNS="200").stdout
    assert [reason for reason in get_args(ReasonClass) if reason not in told] == []


def view(**fields: Any) -> JobView:
    known = {"job": "j", "name": "n", "model": "m", "created": 1, "state": "running", "images": 9, "labelled": 3}
    return JobView.model_validate(known | {"rejected": 0, "cancelled": 0, "in_flight": 6, "seconds": 1} | fields)


def test_progress_says_what_the_work_waits_for_and_since_when() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    away = view(waiting="Triton is away")
    assert pace.note(away) == "3 of 9 labelled; waiting: Triton is away"
    now = 12.0
    assert pace.note(away) == "3 of 9 labelled; waiting: Triton is away (for 12 s)"
    assert pace.note(view(held="Every image fails.")) == "3 of 9 labelled; held: Every image fails."
    assert "waiting" not in pace.note(view())
    now = 20.0
    assert pace.note(away) == "3 of 9 labelled; waiting: Triton is away"


def test_how_fast_it_goes_is_measured_anew_after_a_pause() -> None:
    now = 0.0
    pace = Pace(lambda: now)

    def seen(seconds: float, labelled: int, **fields: Any) -> str:
        nonlocal now
        now = seconds
        return pace.note(view(images=1000, labelled=labelled, **fields))

    assert "images/s" not in seen(0, 10)
    assert "10.0 images/s, 1:37 left" in seen(2, 30)
    assert "images/s" not in seen(3, 30, waiting="Triton is away")
    assert "2.0 images/s" in seen(4, 32)
    assert "images/s" not in seen(99, 32)
    assert "10.0 images/s" in seen(100, 42)
    assert "images/s" not in seen(160, 52)
    assert "10.0 images/s" in seen(161, 62)


def test_progress_counts_what_was_cancelled() -> None:
    over = view(state="done", cancelled=5, rejected=1, in_flight=0)
    assert Pace().note(over) == "3 of 9 labelled, 1 rejected, 5 cancelled"
