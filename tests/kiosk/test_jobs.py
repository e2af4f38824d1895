import json
import threading

import pytest

from kiosk.contract import JobView
from storage import keys
from storage.memory import MemoryStore
from streams.jobs import ledger
from streams.jobs.records import Done
from tests.kiosk.front import BAD, MODEL, InProcess, app_of, finish, labels_of, made_job

V1 = "/api/v1"
FILES = {"a.tif": b"a", "b.tif": b"b", "c.tif": BAD}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def http(store: MemoryStore) -> InProcess:
    return InProcess(app_of(store))


def end(store: MemoryStore, job: str = "j1") -> None:
    finish(store, job, lambda entry: labels_of(1, 40, 50) if entry.name != "c.tif" else None)


def test_a_running_job_tells_what_is_done_and_what_is_in_flight(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES, options={"diameter": 20})
    state = JobView(**http.get(f"{V1}/jobs/j1").json())
    assert (state.state, state.images, state.in_flight, state.over) == ("running", 3, 3, False)
    assert state.options.diameter == 20


def test_a_done_job_adds_up(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    end(store)
    state = JobView(**http.get(f"{V1}/jobs/j1").json())
    assert (state.state, state.images, state.labelled, state.rejected, state.in_flight) == ("done", 3, 2, 1, 0)
    assert state.over


def test_jobs_are_listed_newest_first(store: MemoryStore, http: InProcess) -> None:
    for number in range(5):
        made_job(store, FILES, f"j{number}")
    assert [job["job"] for job in http.get(f"{V1}/jobs?limit=3").json()] == ["j4", "j3", "j2"]
    made_job(store, FILES, "later")
    store.delete([keys.job("j4")])
    store.delete([stat.key for stat in store.list("jobs/j4/")])
    assert [job["job"] for job in http.get(f"{V1}/jobs").json()] == ["later", "j3", "j2", "j1", "j0"]


def test_jobs_come_in_pages_also_those_of_one_moment(store: MemoryStore, http: InProcess) -> None:
    for number in range(5):
        made_job(store, FILES, f"j{number}", created=float(number // 2))
    found = [job["job"] for job in http.get(f"{V1}/jobs?limit=2").json()]
    while page := http.get(f"{V1}/jobs?limit=2&after={found[-1]}").json():
        found += [job["job"] for job in page]
    assert found == ["j4", "j3", "j2", "j1", "j0"]
    assert http.get(f"{V1}/jobs?after=none").status_code == 404


def test_rejected_images_come_in_pages(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {f"{number}.tif": BAD for number in range(5)})
    finish(store, "j1", lambda entry: b"labels" if entry.image == 2 else None)
    pages = [http.get(f"{V1}/jobs/j1/rejected?first={first}&limit=2").json() for first in (0, 2, 4, 5)]
    assert [[image["image"] for image in page] for page in pages] == [[0, 1], [3, 4], [4], []]


@pytest.mark.parametrize("path", ["", "/rejected", "/images", "/results"])
def test_an_unknown_job_is_a_404_with_a_sentence(http: InProcess, path: str) -> None:
    answer = http.get(f"{V1}/jobs/none{path}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no job none."


def test_rejected_images_come_with_their_reasons(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    end(store)
    [image] = http.get(f"{V1}/jobs/j1/rejected").json()
    assert (image["name"], image["reason"], image["message"]) == ("c.tif", "bad_input", "c.tif is no image.")


def test_images_come_in_pages_with_their_fates(store: MemoryStore, http: InProcess) -> None:
    made_job(store, {f"{number}.tif": b"x" for number in range(2100)})
    page = http.get(f"{V1}/jobs/j1/images?first=998&count=4").json()
    assert page["total"] == 2100
    assert [image["image"] for image in page["images"]] == [998, 999, 1000, 1001]
    assert {image["fate"] for image in page["images"]} == {"in flight"}
    assert http.get(f"{V1}/jobs/j1/images?first=2099&count=9").json()["images"][0]["name"] == "2099.tif"
    assert http.get(f"{V1}/jobs/j1/images?first=2100").json()["images"] == []
    assert http.get(f"{V1}/jobs/j1/images?first=99999").json()["images"] == []


def test_the_fate_of_an_image_is_what_became_of_it(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    end(store)
    images = http.get(f"{V1}/jobs/j1/images").json()["images"]
    assert [image["fate"] for image in images] == ["labelled", "labelled", "rejected"]


def test_images_without_an_outcome_in_a_job_that_is_over_were_cancelled(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    done = Done(job="j1", images=3, labelled=0, rejected=0, cancelled=3, finished=1)
    ledger.write(store, keys.done("j1"), done)
    assert {image["fate"] for image in http.get(f"{V1}/jobs/j1/images").json()["images"]} == {"cancelled"}


def test_a_job_whose_archive_is_being_listed_has_no_images_yet(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    store.delete([keys.manifest_index("j1")])
    assert http.get(f"{V1}/jobs/j1").json()["state"] == "listing"
    assert http.get(f"{V1}/jobs/j1/images").json() == {"total": None, "first": 0, "images": []}


def test_progress_is_followed_until_the_job_is_done(store: MemoryStore, http: InProcess) -> None:
    made_job(store, FILES)
    threading.Timer(0.1, end, [store]).start()
    answer = http.get(f"{V1}/jobs/j1/progress")
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in answer.text.splitlines() if line.startswith("data:")]
    states = [json.loads(line.removeprefix("data:"))["state"] for line in lines]
    assert states[-1] == "done"
    assert set(states[:-1]) == {"running"}


def test_models_are_told_with_the_scale_they_expect(http: InProcess) -> None:
    [model] = http.get(f"{V1}/models").json()
    expected = {"name": "nuclei", "version": "3", "digest": MODEL.digest, "pixel_size": 0.65, "diameter": 17.0}
    assert model == expected


def test_health_is_a_real_request_to_the_store(http: InProcess) -> None:
    assert http.get(f"{V1}/health").json()["status"] == "ok"
