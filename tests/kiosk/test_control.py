"""Cancel, replay, hold and release through the API, and through the whole pipeline in memory."""

from typing import Any

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams.events import ReasonClass, Rejection, SliceListed
from streams.jobs import ledger, markers
from tests.kiosk.front import BAD, MODEL, InProcess, Told, app_of, finish, labels_of, made_job

V1 = "/api/v1"
FILES = {"a.tif": b"a", "b.tif": b"b", "c.tif": BAD, "w/d.tif": BAD}


class Door:
    """A job `j1` whose first two images are labelled, the others rejected."""

    def __init__(self) -> None:
        self.store, self.told = MemoryStore(), Told()
        self.http = InProcess(app_of(self.store, self.told))
        self.store.put("uploads/u/plate.zip", b"zip")
        etag = self.store.stat("uploads/u/plate.zip").etag
        made_job(self.store, FILES, etag=etag)

    def end(self) -> None:
        finish(self.store, "j1", lambda entry: None if entry.name[-5] in "cd" else labels_of(1, 40, 50))

    def reject(self, image: int, reason: ReasonClass, **fields: Any) -> None:
        why = Rejection(job="j1", image=image, reason=reason, message=f"{image} is {reason}.", **fields)
        ledger.write(self.store, keys.rejection("j1", image, 0), why)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.http.post(f"{V1}{path}", **({} if body is None else {"json": body}))

    def rejected(self, query: str = "") -> list[dict[str, Any]]:
        return list(self.http.get(f"{V1}/jobs/j1/rejected{query}").json())


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def ended(door: Door) -> Door:
    door.end()
    return door


def test_a_cancelled_job_is_over_at_once_and_keeps_what_is_labelled(door: Door) -> None:  # rule 5
    door.store.put(keys.labels("j1", 0), labels_of(1, 40, 50))
    door.store.put(keys.tally("j1", "owner"), _tally(0))
    state = door.post("/jobs/j1/cancel").json()
    assert (state["state"], state["labelled"], state["cancelled"], state["in_flight"]) == ("done", 1, 3, 0)
    assert door.post("/jobs/j1/cancel").json()["cancelled"] == 3
    images = door.http.get(f"{V1}/jobs/j1/images").json()["images"]
    assert [image["fate"] for image in images] == ["labelled", "cancelled", "cancelled", "cancelled"]


def test_cancelling_a_job_that_has_ended_changes_nothing(ended: Door) -> None:
    assert ended.post("/jobs/j1/cancel").json()["cancelled"] == 0
    assert not markers.is_cancelled(ended.store, "j1")


def test_a_replay_sends_exactly_the_rejected_images_through_again(ended: Door) -> None:  # rule 6
    answer = ended.post("/jobs/j1/replay")
    assert answer.json() == {"round": 1, "images": 2, "note": ""}
    [event] = ended.told.events
    assert isinstance(event, SliceListed)
    assert (event.job, event.shard, event.round, event.again) == ("j1", 0, 1, True)
    state = ended.http.get(f"{V1}/jobs/j1").json()
    assert (state["state"], state["round"], state["labelled"], state["in_flight"]) == ("running", 1, 2, 2)


@pytest.mark.parametrize(
    ("which", "images"),
    [({"reason": "timeout"}, 1), ({"image": "w/*"}, 1), ({"image": "c.tif", "reason": "bad_input"}, 1), ({}, 2)],
)
def test_a_replay_may_be_for_one_reason_or_some_images(ended: Door, which: dict[str, str], images: int) -> None:
    ended.reject(3, "timeout")
    assert ended.post("/jobs/j1/replay", which).json()["images"] == images


@pytest.mark.parametrize("which", [{"reason": "killed"}, {"image": "a.tif"}, {"image": "nothing"}])
def test_nothing_to_replay_is_an_answer_with_a_sentence_and_no_error(ended: Door, which: dict[str, str]) -> None:
    answer = ended.post("/jobs/j1/replay", which)
    assert answer.status_code == 200
    assert (answer.json()["round"], answer.json()["images"]) == (0, 0)
    assert answer.json()["note"].startswith("Job j1 has no image") and answer.json()["note"].endswith(".")
    assert not ended.told.events


def test_a_replay_of_a_cancelled_job_is_refused_in_words(door: Door) -> None:
    door.reject(2, "timeout")
    door.post("/jobs/j1/cancel")
    answer = door.post("/jobs/j1/replay")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Job j1 was cancelled; submit plate.zip again."


def test_a_replay_whose_input_is_gone_is_refused_in_words(ended: Door) -> None:  # rule 7
    ended.store.delete(["uploads/u/plate.zip"])
    answer = ended.post("/jobs/j1/replay")
    assert answer.status_code == 409
    assert "is not in the bucket any more" in answer.json()["detail"]


def test_a_replay_while_kafka_is_away_is_kept_and_says_so(ended: Door) -> None:
    ended.told.away = True
    answer = ended.post("/jobs/j1/replay").json()
    assert (answer["images"], answer["note"]) == (
        2, "Kafka can't be reached just now; they are announced when it is back.",
    )  # fmt: skip
    assert ledger.exists(ended.store, keys.open_job("j1"))


@pytest.mark.parametrize(
    ("body", "word"), [({"reason": "boredom"}, "reason"), ({"image": ""}, "image"), ({"images": "x"}, "images")]
)
def test_a_replay_of_nonsense_is_refused_in_one_sentence(ended: Door, body: dict[str, str], word: str) -> None:
    answer = ended.post("/jobs/j1/replay", body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"].casefold()
    assert ledger.read_rounds(ended.store, "j1") == []


@pytest.mark.parametrize("path", ["cancel", "replay", "release"])
def test_an_unknown_job_is_a_404(door: Door, path: str) -> None:
    answer = door.post(f"/jobs/none/{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(".")


def test_rejected_images_tell_their_attempts_their_trace_and_their_event(door: Door) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    event = {"job": "j1", "image": 2}
    door.reject(2, "timeout", attempts=4, traceparent=f"00-{trace}-00f067aa0ba902b7-01", event=event)
    door.reject(3, "bad_input")
    late, bad = door.rejected()
    assert (late["reason"], late["attempts"], late["trace"], late["event"]) == ("timeout", 4, trace, event)
    assert len(bad["trace"]) == 32 and int(bad["trace"], 16)


def test_rejected_images_of_one_reason_can_be_asked_for(door: Door) -> None:
    door.reject(2, "timeout")
    door.reject(3, "bad_input")
    assert [image["image"] for image in door.rejected("?reason=timeout")] == [2]
    assert [image["image"] for image in door.rejected("?limit=1")] == [2]
    assert door.http.get(f"{V1}/jobs/j1/rejected?reason=mood").status_code == 422


def test_what_is_held_is_listed_and_released(door: Door) -> None:  # rule 5
    markers.hold(door.store, f"{keys.MODEL}{MODEL.digest}", "Every image fails.")
    markers.hold(door.store, "j1", "The budget is spent.")
    found = door.http.get(f"{V1}/held").json()
    assert {(held["kind"], held["name"], held["why"]) for held in found} == {
        ("model", "nuclei", "Every image fails."),
        ("job", "j1", "The budget is spent."),
    }
    assert door.http.get(f"{V1}/jobs/j1").json()["held"] == "The budget is spent."
    assert door.post("/models/nuclei/release").status_code == 204
    assert door.post("/jobs/j1/release").status_code == 204
    assert door.http.get(f"{V1}/held").json() == []
    assert door.post("/models/nuclei/release").json()["detail"] == "The model nuclei is not held."


def test_a_held_model_that_jobs_can_not_name_any_more_is_released_by_its_digest(door: Door) -> None:
    markers.hold(door.store, f"{keys.MODEL}{'e' * 64}", "Every image fails.")
    [held] = door.http.get(f"{V1}/held").json()
    assert held["name"] == "e" * 64
    assert door.post(f"/models/{held['name']}/release").status_code == 204


def _tally(*labelled: int) -> bytes:
    from streams.jobs.tally import LABELLED, Tally

    tally = Tally()
    for image in labelled:
        tally.mark(image, LABELLED)
    return tally.encode()
