"""What any S3 client puts under `inbox/` becomes an upload, once."""

import pytest

from inference.models import shipped_models
from storage.memory import MemoryStore
from storage.objects import Store
from streams.events import Event, UploadReceived
from streams.inbox import Inbox
from streams.jobs import ledger
from tests.streams.stand import CHAINED, Queue, archive, run, tiff, tools


class Heard:
    """Stands for the broker."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def announce(self, event: Event) -> None:
        event.encode()
        self.events.append(event)


def inbox(store: Store) -> tuple[Inbox, Heard]:
    heard = Heard()
    return Inbox(store, shipped_models(), heard), heard  # type: ignore[arg-type]


def test_an_object_is_announced_once_however_often_one_looks() -> None:  # rule 8
    store = MemoryStore()
    looker, heard = inbox(store)
    store.put("inbox/nuclei/p.zip", archive({"a.tif": tiff()}))
    for _ in range(3):
        looker.look()
    assert len(heard.events) == 1
    assert heard.events[0].job


def test_corrected_options_are_another_upload() -> None:
    store = MemoryStore()
    looker, heard = inbox(store)
    store.put("inbox/nuclei/p.zip.json", b'{"diametr": 24}')
    store.put("inbox/nuclei/p.zip", archive({"a.tif": tiff()}))
    looker.look()
    store.put("inbox/nuclei/p.zip.json", b'{"diameter": 24}')
    looker.look()
    looker.look()
    assert len({event.job for event in heard.events}) == len(heard.events) == 2
    refused = [ledger.read_job(store, event.job).refused for event in heard.events]
    assert [bool(why) for why in refused] == [True, False]


@pytest.mark.parametrize("value", ['"\\ud800"', "[" * 300 + "]" * 300, '{"a": ' * 300 + "1" + "}" * 300])
def test_options_that_no_event_can_carry_are_a_refused_job_and_hold_nobody_up(value: str) -> None:
    store = MemoryStore()
    looker, heard = inbox(store)
    store.put("inbox/nuclei/a.tif.json", f'{{"diameter": {value}}}'.encode())
    for name in "ab":
        store.put(f"inbox/nuclei/{name}.tif", tiff())
    looker.look()
    refused = [ledger.read_job(store, event.job).refused for event in heard.events]
    assert [bool(why) for why in refused] == [True, False]


def test_what_lies_in_no_models_folder_is_passed_over_and_holds_nobody_up() -> None:
    store = MemoryStore()
    looker, heard = inbox(store)
    store.put("inbox/top.zip", b"x")
    store.put("inbox/nuclei/a.tif", tiff())
    looker.look()
    looker.look()
    assert [event.key for event in heard.events] == [heard.events[0].job]


def test_an_upload_that_names_other_bytes_than_there_are_is_a_refused_job() -> None:  # rule 9
    given = tools()
    old = given.store.put("inbox/nuclei/p.zip", archive({"a.tif": tiff()}))
    given.store.put("inbox/nuclei/p.zip", archive({"b.tif": tiff(seed=3)}))
    run(Queue(given, CHAINED).work(UploadReceived(object="inbox/nuclei/p.zip", etag=old)))
    [job] = ledger.jobs(given.store)
    assert "was replaced since it was announced" in job.refused
    assert [story.reason for story in ledger.rejections(given.store, job.job)] == ["bad_input"]
