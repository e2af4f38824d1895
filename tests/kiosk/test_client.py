import threading
import zipfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiosk.api import uploads
from kiosk.api.problems import Trouble
from kiosk.client import Broken, CannotSend, Monolayer, NotRunning, Refused, calls, transfer
from kiosk.client.calls import Calls, Pauses
from kiosk.client.packing import Parcel
from kiosk.client.transfer import blocks, unpack
from kiosk.contract import PART_SIZE, JobView
from storage.objects import Full, Unfinished
from tests.kiosk.front import BAD, Bucket, Told, app_of, images_in, open_door, serving, tiff


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    folder = images_in(tmp_path / "plate 1", 3)
    (folder / "notes").write_bytes(BAD)
    return folder


def test_a_folder_is_submitted_waited_for_and_its_results_are_fetched(plate: Path, tmp_path: Path) -> None:
    seen: list[JobView] = []
    gone: list[tuple[str, int]] = []
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([plate], diameter=12, sent=lambda parcel, count: gone.append((parcel.name, count)))
        state = monolayer.wait(job, seen.append, every=0.01)
        written = monolayer.results(job, tmp_path / "out")
        assert (state.name, state.images, state.labelled, state.rejected) == ("plate 1.zip", 4, 3, 1)
        assert [image.name for image in monolayer.rejected(job)] == ["notes"]
        assert [image.fate for page in monolayer.images(job) for image in page.images].count("labelled") == 3
        assert [found.job for found in monolayer.jobs()] == [job]
        assert [model.name for model in monolayer.models()] == ["nuclei"]
    assert seen[-1] == state
    assert gone[-1][0] == "plate 1.zip" and gone[-1][1] > 3 * 4000
    assert (tmp_path / "out" / "labels" / "0.tif") in written
    assert (tmp_path / "out" / "cells.csv").read_text().count("\n") == 7
    assert not list(tmp_path.glob(".monolayer-*"))


def test_each_zip_and_all_loose_files_become_jobs(plate: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("in.tif", tiff())
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        first, second = monolayer.submit([plate / "0.tif", tmp_path / "z.zip"])
        assert (monolayer.job(first).name, monolayer.job(second).name) == ("z.zip", "0.tif")
        stored = sorted((stat.key.rsplit("/")[-1], stat.size) for stat in store.list("uploads/"))
        assert stored == [("0.tif", (plate / "0.tif").stat().st_size), ("z.zip", (tmp_path / "z.zip").stat().st_size)]


def test_a_large_file_goes_in_parts_and_arrives_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * (PART_SIZE // 100)
    (tmp_path / "large.tif").write_bytes(data)
    counts: list[int] = []
    with open_door(lambda store: Told()) as (address, store, _), Monolayer(address) as monolayer:
        store.refusals = 2
        monolayer.submit(tmp_path / "large.tif", sent=lambda _, count: counts.append(count))  # type: ignore[arg-type]
        [stat] = store.list("uploads/")
        assert store.get(stat.key) == data
        assert stat.etag.endswith("-3")
    assert counts[-1] == len(data)


def test_a_restart_of_the_api_in_mid_upload_loses_nothing(tmp_path: Path) -> None:
    data = b"x" * (2 * PART_SIZE + 5)
    (tmp_path / "large.tif").write_bytes(data)
    store, told = Bucket(), Told()
    api = app_of(store, told)
    with serving(app_of(store)) as store_address:
        store.address = store_address
        first = serving(api)
        address = first.__enter__()
        away = threading.Event()

        def on_progress(_: Parcel, count: int) -> None:
            if count and not away.is_set():
                away.set()
                restarting.start()

        def restart() -> None:
            first.__exit__(None, None, None)
            second = serving(app_of(store, told), int(address.rsplit(":")[-1]))
            second.__enter__()
            back.append(second)

        back: list[Any] = []
        restarting = threading.Thread(target=restart)
        with Monolayer(address) as monolayer:
            [job] = monolayer.submit([tmp_path / "large.tif"], sent=on_progress)
        restarting.join()
        assert [event.job for event in told.events] == [job]
        [stat] = store.list("uploads/")
        assert stat.size == len(data)
        back[0].__exit__(None, None, None)


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files, too, go in parts."""
    monkeypatch.setattr(transfer, "AT_A_TIME", 0)


@pytest.mark.usefixtures("in_parts")
def test_an_upload_that_fails_is_taken_back(tmp_path: Path, plate: Path) -> None:
    with open_door() as (address, store, told), Monolayer(address, patience=0.3) as monolayer:
        store.refusals = 1000
        with pytest.raises(Broken, match="Part 1 of the upload could not be sent: the store answered 503"):
            monolayer.submit([plate])
        assert not told.events
        assert not store._uploads


@pytest.mark.usefixtures("in_parts")
def test_a_full_disk_of_the_store_is_told_at_once(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pauses, "pause", None)
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        store.refusals, store.refusal = 1000, 507
        with pytest.raises(Refused, match="The disk of the store is full"):
            monolayer.submit([plate])
        assert not store._uploads


@pytest.mark.usefixtures("in_parts")
def test_a_disk_that_is_full_when_the_parts_are_put_together_is_told_at_once_and_given_back(
    plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Full("no space")

    monkeypatch.setattr(Pauses, "pause", None)
    monkeypatch.setattr(Bucket, "finish_upload", full)
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        with pytest.raises(Refused, match="The disk of the store is full"):
            monolayer.submit([plate])
        assert not store._uploads


@pytest.mark.usefixtures("in_parts")
def test_an_upload_that_the_store_puts_together_for_long_is_waited_for_as_its_size_demands(
    plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, left = Bucket.finish_upload, [True] * 4

    def slow(*given: Any) -> str:
        if left:
            left.pop()
            raise Unfinished("still at it")
        return finish(*given)

    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(Bucket, "finish_upload", slow)
    with open_door() as (address, _, told), Monolayer(address, patience=0.01) as monolayer:
        with pytest.raises(Refused, match="still being put together"):
            monolayer.submit([plate])
        monkeypatch.setattr(transfer, "TOGETHER", 1000)
        [job] = monolayer.submit([plate])
        assert [event.job for event in told.events] == [job]


def test_a_full_disk_is_told_at_once_of_a_small_file_too(plate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Full("no space")

    monkeypatch.setattr(Pauses, "pause", None)
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        monkeypatch.setattr(Bucket, "put", full)
        with pytest.raises(Refused, match="The disk of the store is full"):
            monolayer.submit([plate])


def test_a_small_upload_whose_answer_was_lost_is_one_job(
    plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # rule 8
    request, lost = httpx.Client.request, [True]

    def losing(client: httpx.Client, method: str, url: str, **given: Any) -> httpx.Response:
        response = request(client, method, url, **given)
        if url == "/jobs" and method == "POST" and lost:
            lost.pop()
            raise httpx.ReadError("the answer was lost")
        return response

    monkeypatch.setattr(httpx.Client, "request", losing)
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([plate])
        assert not lost
        assert [found.job for found in monolayer.jobs()] == [job]
        assert len(list(store.list("uploads/"))) == 1


def test_a_small_upload_that_takes_too_long_in_one_piece_goes_in_parts(
    plate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> None:
        raise Trouble(HTTPStatus.REQUEST_TIMEOUT, "plate.zip took too long to arrive; send it in parts")

    monkeypatch.setattr(uploads, "receive", slow)
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([plate])
        assert [found.job for found in monolayer.jobs()] == [job]
        assert len(list(store.list("uploads/"))) == 1


def test_an_outage_of_kafka_is_sat_out(plate: Path) -> None:
    with open_door() as (address, _, told), Monolayer(address) as monolayer:
        told.away = True
        threading.Timer(0.5, lambda: setattr(told, "away", False)).start()
        [job] = monolayer.submit([plate])
        assert monolayer.job(job).state == "done"


def test_a_refusal_is_the_sentence_of_the_api(plate: Path) -> None:
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        with pytest.raises(Refused, match="no model 'cells'"):
            monolayer.submit([plate], model="cells")
        with pytest.raises(Refused, match="There is no job x") as refused:
            monolayer.job("x")
        assert refused.value.status == 404


def test_the_same_files_under_the_same_mark_are_the_same_job_and_not_sent_again(plate: Path) -> None:  # rule 8
    gone: list[int] = []
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        first = monolayer.submit([plate], submission="week 1")
        assert monolayer.submit([plate], submission="week 1", sent=lambda _, count: gone.append(count)) == first
        assert monolayer.submit([plate], submission="week 2") != first
        file = next(path for path in plate.rglob("*") if path.is_file())
        file.write_bytes(file.read_bytes()[::-1])  # another plate of the same names and sizes
        assert monolayer.submit([plate], submission="week 1") != first
    assert gone == []


def test_rejected_images_are_replayed_and_a_job_that_has_ended_stays_as_it_is(plate: Path) -> None:
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([plate])
        [image] = monolayer.rejected(job, "bad_input")
        assert (monolayer.rejected(job, "timeout"), len(image.trace)) == ([], 32)
        assert monolayer.replay(job, reason="bad_input", image="not*").images == 1
        assert monolayer.wait(job).labelled == 4
        assert monolayer.cancel(job).cancelled == 0
        assert monolayer.held() == []


def test_nonsense_is_refused_before_anyone_is_asked(plate: Path) -> None:
    with Monolayer("http://127.0.0.1:1", patience=0) as monolayer:
        for options, words in [
            ({"pixel_size": 0.5, "diameter": 3}, "not both"),
            ({"diameter": -1}, "diameter must be from 2 to 2000 pixels"),
            ({"pixel_size": float("nan")}, "pixel size must be between 0.001 and 1000 µm"),
            ({"channel": 0}, "channel must be from 1 to 1000"),
            ({"deadline": 5}, "deadline must be from 1 minute to 6 days"),
            ({"submission": "x" * 201}, "submission is not acceptable"),
        ]:
            with pytest.raises(CannotSend, match=words):
                monolayer.submit([plate], **options)  # type: ignore[arg-type]


def test_nothing_that_answers_is_not_running(plate: Path) -> None:
    with Monolayer("http://127.0.0.1:1", patience=0.3) as monolayer:
        with pytest.raises(NotRunning, match=r"Nothing answers at http://127\.0\.0\.1:1"):
            monolayer.health()
        with pytest.raises(NotRunning):
            monolayer.submit([plate])


def test_something_else_that_answers_is_not_monolayer() -> None:
    from fastapi import FastAPI

    other = FastAPI()
    other.add_api_route("/{path:path}", lambda path: {"hello": path})
    with serving(other) as address, Monolayer(address) as monolayer, pytest.raises(Broken, match="is not Monolayer"):
        monolayer.jobs()


def test_another_web_server_that_refuses_is_not_monolayer() -> None:
    from fastapi import FastAPI

    with (
        serving(FastAPI()) as address,
        Monolayer(address) as monolayer,
        pytest.raises(Broken, match="is not Monolayer"),
    ):
        monolayer.health()


def test_an_address_that_is_none_is_told_in_a_sentence() -> None:
    with pytest.raises(NotRunning, match=r"http://here:there is no address"):
        Monolayer("http://here:there")


def test_results_can_not_be_written_outside_their_folder(tmp_path: Path) -> None:
    for name in ("../evil.txt", "/evil.txt", "a/../../evil.txt", "..\\evil.txt"):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), b"x")
        with path.open("rb") as file, pytest.raises(Broken, match="outside their folder"):
            unpack(file, tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("evil*")] == []


def test_results_overwrite_those_of_an_earlier_time(plate: Path, tmp_path: Path) -> None:
    with open_door() as (address, _, _), Monolayer(address) as monolayer:
        [job] = monolayer.submit([plate])
        monolayer.results(job, tmp_path / "out")
        (tmp_path / "out" / "cells.csv").write_text("old")
        (tmp_path / "out" / "mine.txt").write_text("mine")
        monolayer.results(job, tmp_path / "out")
    assert (tmp_path / "out" / "cells.csv").read_text().startswith("image,")
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_blocks_are_all_of_one_size_but_the_last() -> None:
    assert list(blocks([b"abc", b"", b"defgh", b"i"], 4)) == [b"abcd", b"efgh", b"i"]
    assert list(blocks([b"abcd"], 4)) == [b"abcd"]
    assert list(blocks([], 4)) == []


def test_patience_ends() -> None:
    assert not Pauses(0).pause()
    pauses = Pauses(0.3)
    assert pauses.pause()
    assert not pauses.pause()


def test_whoever_waits_long_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("kiosk.client.calls.LATE", 0.0)
    monkeypatch.setattr("time.sleep", lambda _: None)
    pauses = Pauses(60, lambda: told.append("late"))
    assert [pauses.pause(), pauses.pause(), told] == [True, True, ["late"]]


def test_an_address_may_end_with_a_slash() -> None:
    assert Calls("http://127.0.0.1:8080/").api == "http://127.0.0.1:8080"
