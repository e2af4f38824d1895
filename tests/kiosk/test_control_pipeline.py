"""Replay and cancel at the front door, with the whole pipeline in memory behind it."""

from typing import Any

import pytest

from inference.models import shipped_models
from inference.triton import ModelFailed
from kiosk.api.app import create_app
from storage import keys
from storage.memory import MemoryStore
from streams.events import ImageEnded, ImageFound, UploadReceived
from streams.jobs import ledger, markers
from tests.kiosk.front import InProcess, Told
from tests.streams.stand import CHAINED, Bright, Queue, archive, run, submit, tiff, tools

V1 = "/api/v1"


class System:
    def __init__(self) -> None:
        self.store, self.told, self.predictor = MemoryStore(), Told(), Bright()
        self.tools = tools(self.store, self.predictor)
        self.http = InProcess(create_app(self.store, self.told, shipped_models(), tick=0.01))

    def submit(self, images: int, *failures: Exception) -> str:
        self.predictor.fails = list(failures)
        files = {f"{number}.tif": tiff(seed=number) for number in range(images)}
        submit(self.tools, archive(files))
        return self.newest()

    def work(self) -> list[Any]:
        """Everything that was announced at the front door, and what follows from it."""
        return list(run(Queue(self.tools, CHAINED).work(*self.told.events)))

    def later(self) -> None:
        """What stages believe of markers is forgotten after some seconds."""
        self.tools = tools(self.store, self.predictor)

    def newest(self) -> str:
        return str(self.http.get(f"{V1}/jobs").json()[0]["job"])

    def state(self, job: str) -> dict[str, Any]:
        return dict(self.http.get(f"{V1}/jobs/{job}").json())

    def post(self, path: str, **body: Any) -> Any:
        return self.http.post(f"{V1}{path}", json=body).json()


@pytest.fixture
def system() -> System:
    return System()


def counts(state: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(state[name] for name in ("state", "round", "labelled", "rejected", "cancelled", "in_flight"))


def test_a_rejected_image_is_replayed_and_labelled_and_nothing_else_is_done_again(system: System) -> None:  # rule 6
    job = system.submit(3, ModelFailed("no memory left"))
    assert counts(system.state(job)) == ("done", 0, 2, 1, 0, 0)
    [image] = system.http.get(f"{V1}/jobs/{job}/rejected").json()
    assert (image["name"], image["reason"], image["event"]["name"]) == ("0.tif", "model_error", "0.tif")
    asked = system.predictor.calls
    assert system.post(f"/jobs/{job}/replay")["images"] == 1
    seen = system.work()
    assert [event.image for event in seen if isinstance(event, ImageFound)] == [0]
    assert system.predictor.calls == asked + 1
    assert counts(system.state(job)) == ("done", 1, 3, 0, 0, 0)
    assert system.http.get(f"{V1}/jobs/{job}/rejected").json() == []
    assert system.post(f"/jobs/{job}/replay")["images"] == 0


def test_an_image_that_fails_again_stands_rejected_with_its_newest_reason(system: System) -> None:  # rule 2
    job = system.submit(2, ModelFailed("first"))
    system.predictor.fails = [ModelFailed("second")]
    system.post(f"/jobs/{job}/replay")
    system.work()
    assert counts(system.state(job)) == ("done", 1, 1, 1, 0, 0)
    [image] = system.http.get(f"{V1}/jobs/{job}/rejected").json()
    assert image["round"] == 1 and "second" in image["message"]


def test_images_of_a_cancelled_job_are_passed_over_and_replay_is_refused(system: System) -> None:  # rule 5
    system.store.put("uploads/u1/plate.zip", archive({"0.tif": tiff(), "1.tif": tiff(seed=1)}))
    run(Queue(system.tools, ("unzip", "announce")).work(UploadReceived(object="uploads/u1/plate.zip")))
    job = system.newest()
    assert counts(system.state(job)) == ("running", 0, 0, 0, 0, 2)
    assert counts(system.post(f"/jobs/{job}/cancel")) == ("done", 0, 0, 0, 2, 0)
    system.later()
    run(Queue(system.tools, CHAINED).work(UploadReceived(object="uploads/u1/plate.zip", job=job)))
    assert system.predictor.calls == 0
    assert system.post(f"/jobs/{job}/replay")["status"] == 409


def test_a_held_job_says_why_and_its_images_wait(system: System) -> None:  # rule 5
    system.store.put("uploads/u1/plate.zip", archive({"0.tif": tiff()}))
    upload = UploadReceived(object="uploads/u1/plate.zip")
    run(Queue(system.tools, ("unzip", "announce")).work(upload))
    job = system.newest()
    markers.hold(system.store, job, "The budget is spent.")
    system.later()
    seen = run(Queue(system.tools, CHAINED).work(upload.model_copy(update={"job": job})))
    assert not any(isinstance(event, ImageEnded) for event in seen)
    assert system.state(job)["held"] == "The budget is spent."
    assert not list(system.store.list(keys.labels_prefix(job)))
    assert ledger.read_done(system.store, job) is None
