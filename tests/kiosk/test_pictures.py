"""One image of a job, for whoever looks at it."""

import asyncio
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.api import pictures
from storage import keys
from storage.images import read_image
from storage.labels import Labels, read_labels
from storage.memory import MemoryStore
from tests.kiosk.front import BAD, InProcess, app_of, finish, labels_of, made_job, pixels, tiff

IMAGES = "/api/v1/jobs/j1/images"


@pytest.fixture
def store() -> MemoryStore:
    """A job with an image, one that is rejected, and a stack of three planes."""
    store = MemoryStore()
    made_job(store, {"a.tif": tiff(), "b.tif": BAD, "stack.tif": tiff((3, 40, 50))})
    labels = {"a.tif": labels_of(1, 40, 50, in_um=True), "stack.tif": labels_of(3, 40, 50)}
    finish(store, "j1", lambda entry: labels.get(entry.name))
    return store


@pytest.fixture
def http(store: MemoryStore) -> InProcess:
    return InProcess(app_of(store))


def array(http: InProcess, path: str) -> NDArray[np.generic]:
    answer = http.get(f"{IMAGES}/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-npy"
    loaded: NDArray[np.generic] = np.load(io.BytesIO(answer.content), allow_pickle=False)
    return loaded


def test_the_pixels_of_an_image_are_those_that_were_sent(http: InProcess) -> None:
    assert np.array_equal(array(http, "0/pixels"), pixels())
    assert np.array_equal(array(http, "2/pixels?plane=1"), pixels((3, 40, 50))[1])


def test_the_labels_lie_where_the_pixels_lie_also_when_both_are_made_smaller(http: InProcess) -> None:
    small, labels = array(http, "0/pixels?longest=25"), array(http, "0/labels?longest=25")
    assert small.shape == labels.shape == (20, 25)
    assert np.unique(labels).tolist() == [0, 1, 2]
    assert labels[4, 4] == 1 and labels[1, 1] == 0


def test_an_overlay_is_as_large_as_it_was_asked_for(http: InProcess) -> None:
    answer = http.get(f"{IMAGES}/0/overlay?longest=25")
    assert answer.headers["content-type"] == "image/png"
    assert read_image(answer.content, "overlay.png", channel=1).planes.shape == (1, 20, 25)


def test_the_cells_of_an_image_come_by_column(http: InProcess) -> None:
    told = http.get(f"{IMAGES}/0/cells").json()
    assert (told["name"], told["planes"], told["height"], told["width"], told["pixel_size"]) == (
        "a.tif",
        1,
        40,
        50,
        0.5,
    )
    assert told["columns"]["area_px"] == [100, 150]
    assert http.get(f"{IMAGES}/2/cells").json()["columns"]["plane"] == [0, 0, 1, 1, 2, 2]


def test_the_labels_of_one_image_come_as_they_are_stored(http: InProcess, store: MemoryStore) -> None:
    answer = http.get(f"{IMAGES}/2/labels.tif")
    assert answer.content == store.get(keys.labels("j1", 2))
    assert read_labels(answer.content).labels.shape == (3, 40, 50)


@pytest.mark.parametrize("what", ["overlay", "pixels", "labels", "labels.tif", "cells"])
def test_an_image_without_labels_is_told_so(http: InProcess, what: str) -> None:
    answer = http.get(f"{IMAGES}/1/{what}")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Image 1 of job j1 has no labels, or not yet.")
    assert http.get(f"{IMAGES}/77/{what}").status_code == 404
    assert http.get(f"/api/v1/jobs/none/images/0/{what}").status_code == 404


def test_a_plane_that_is_not_there_is_told_so(http: InProcess) -> None:
    assert http.get(f"{IMAGES}/2/pixels?plane=3").json()["detail"].startswith("The image has 3 planes")


def test_an_original_that_is_gone_is_told_so_and_its_cells_stay(http: InProcess, store: MemoryStore) -> None:
    store.delete(["inbox/j1/0"])
    assert http.get(f"{IMAGES}/0/pixels").status_code == http.get(f"{IMAGES}/0/overlay").status_code == 410
    assert http.get(f"{IMAGES}/0/cells").status_code == http.get(f"{IMAGES}/0/labels").status_code == 200


@pytest.mark.parametrize("what", ["overlay", "pixels", "labels", "cells"])
def test_the_labels_of_one_image_are_in_memory_at_a_time(
    what: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, lock = [0], [0], threading.Lock()

    def slowly(data: bytes) -> Labels:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.1)
        with lock:
            at_once[0] -= 1
        return read_labels(data)

    monkeypatch.setattr(pictures, "read_labels", slowly)
    http = InProcess(app_of(store))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(http.get, [f"{IMAGES}/0/{what}"] * 4))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert most == [1]


@pytest.mark.parametrize("path", [f"{IMAGES}/0/overlay", "/api/v1/jobs/j1/results"])
def test_the_api_answers_while_pictures_wait(path: str, store: MemoryStore) -> None:
    """However many do: they have threads of their own."""
    app = app_of(store)

    async def crowded() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            with app.state.tools.drawing:
                waiting = [asyncio.ensure_future(client.get(path)) for _ in range(45)]
                answered = asyncio.ensure_future(answers(client))
                await asyncio.wait([answered], timeout=10)
                in_time = answered.done()
            found = await asyncio.gather(*waiting)
            assert in_time and await answered == 200
            return found

    assert {answer.status_code for answer in asyncio.run(crowded())} == {200}


async def answers(client: httpx.AsyncClient) -> int:
    """The status of the third of three looks: by then all others have taken what threads they can."""
    for _ in range(3):
        answer = await client.get("/api/v1/health")
    return answer.status_code
