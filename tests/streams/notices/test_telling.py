"""Whoever wants to know that a job has ended is told, until they have taken it."""

import asyncio
import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from storage import keys
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import retention, rounds
from streams.jobs import ending, ledger, markers
from streams.jobs.records import Entry, Job, Notice, Told
from streams.notices import owed, posting, signed
from streams.notices.telling import Telling, Terms
from tests.streams.stand import run

HOUSE = b"what the house knows"


class Receiver:
    """A server that keeps what it is sent, and answers with the next of some statuses."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.waits = threading.Event()
        self.waits.set()
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ours.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                ours.waits.wait(30)
                self.send_response(ours.answers.pop(0) if ours.answers else 204)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?of=ada"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


class World:
    def __init__(self, url: str, private: bool = True) -> None:
        self.store, self.now = MemoryStore(), 1_700_000_000.0
        self.telling = Telling(self.store, lambda job: True, Terms(HOUSE, private), lambda: self.now)
        self.job = self.add("j1", url)

    def add(self, name: str, url: str, tenant: str = "lab") -> Job:
        job = Job(job=name, name="plate.zip", object="uploads/u/plate.zip", etag="e", size=9, model="nuclei",
                  model_digest="d", created=self.now - 60, notify=url, tenant=tenant)  # fmt: skip
        ending.reopen(self.store, name)
        owed.owe(self.store, job)
        ledger.write(self.store, keys.job(name), job)
        return job

    def end(self, name: str = "j1") -> None:
        ledger.write_manifest(self.store, name, [Entry(image=0, name="a", source={"key": "k", "etag": "e"})], "bulk")  # type: ignore[arg-type]
        self.store.put(keys.rejection(name, 0, 0), b'{"job": "j1", "image": 0, "reason": "bad_input", "message": "m"}')
        assert ending.finish(self.store, name)

    def look(self) -> None:
        run(self.telling.look())

    def notice(self) -> Notice | None:
        return ledger.read(self.store, keys.notice("j1", 0), Notice)

    def told(self, round_: int = 0) -> Told | None:
        return ledger.read(self.store, keys.told("j1", round_), Told)


def verified(headers: dict[str, str], body: bytes, shown: str) -> bool:
    """As the specification says, written anew: what any receiver's library does."""
    assert shown.startswith("whsec_")
    key = base64.b64decode(shown.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    version, _, signature = headers["webhook-signature"].partition(",")
    return version == "v1" and base64.b64decode(signature) == hmac.new(key, content.encode(), "sha256").digest()


def test_a_job_that_ends_is_told_of_once_with_a_signature_that_can_be_checked(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.look()
    assert receiver.got == []  # it has not ended
    world.end()
    world.look()
    world.look()
    [(headers, body)] = receiver.got
    assert verified(headers, body, signed.written(signed.secret_for(HOUSE, "lab", receiver.url)))
    assert not verified(headers, body, signed.written(signed.secret_for(HOUSE, "other", receiver.url)))
    assert abs(int(headers["webhook-timestamp"]) - world.now) < 1
    told = json.loads(body)
    assert told["type"] == "job.done"
    assert {name: told["data"][name] for name in ("job", "images", "labelled", "rejected", "cancelled", "name")} == {
        "job": "j1", "images": 1, "labelled": 0, "rejected": 1, "cancelled": 0, "name": "plate.zip",
    }  # fmt: skip
    assert (world.notice(), world.told()) == (None, Told(job="j1", taken=True, tries=1, at=world.now))


def test_what_is_not_taken_is_sent_again_later_and_later_with_the_same_id(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.end()
    receiver.answers = [500, 302, 404]
    for tries, pause in enumerate(owed.PAUSES[:3], 1):
        world.look()
        notice = world.notice()
        assert notice is not None and (notice.tries, notice.after) == (tries, world.now + pause)
        world.now += pause - 0.1
        world.look()
        assert len(receiver.got) == tries  # not yet
        world.now += 0.2
    world.look()
    assert world.notice() is None and world.told().taken  # type: ignore[union-attr]
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {"msg_j1_0"}
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == 4


def test_what_nobody_takes_for_three_days_is_given_up_and_that_is_remembered() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody listens
        world = World(f"http://127.0.0.1:{closed.getsockname()[1]}/")
        world.end()
        begun = world.now
        while world.notice():
            world.look()
            world.now += 60 if not world.notice() else world.notice().after - world.now + 1  # type: ignore[union-attr]
    told = world.told()
    assert told is not None and (told.taken, told.tries) == (False, len(owed.PAUSES) + 1)
    assert told.why
    assert 2.5 < (told.at - begun) / 86400 < 4


def test_who_says_that_the_address_is_gone_is_not_called_again(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.end()
    receiver.answers = [410]
    world.look()
    assert world.notice() is None
    assert world.told().why == "it was answered with 410"  # type: ignore[union-attr]


def test_nothing_is_sent_into_this_network_unless_a_setting_allows_it(receiver: Receiver) -> None:
    world = World(receiver.url.replace("http:", "https:"), private=False)
    world.end()
    world.look()
    assert receiver.got == []
    assert "no other network can reach" in world.told().why  # type: ignore[union-attr]


def test_who_dies_between_sending_and_remembering_sends_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(receiver.url)
    world.end()
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "put", lambda *_: (_ for _ in ()).throw(Unavailable("away")))
        world.look()
    assert world.notice()
    world.look()
    assert len(receiver.got) == 2 and world.notice() is None


def test_one_address_where_nobody_answers_keeps_no_other_message_waiting(receiver: Receiver) -> None:
    slow = Receiver()
    slow.waits.clear()
    world = World(slow.url)
    world.add("j2", receiver.url)
    world.end("j1")
    world.end("j2")

    async def both() -> None:
        look = asyncio.create_task(world.telling.look())
        until = time.monotonic() + 30
        while ledger.exists(world.store, keys.notice("j2", 0)) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        assert not look.done()
        slow.waits.set()
        await look

    run(both())
    assert len(receiver.got) == len(slow.got) == 1
    slow.server.shutdown()
    slow.server.server_close()


@pytest.mark.parametrize("url", ["https://a..b/", f"https://{'a' * 64}.example/", "https://[v1.a]/"])
def test_an_address_that_can_not_even_be_looked_up_keeps_no_other_message_waiting(url: str, receiver: Receiver) -> None:
    world = World(url)
    world.add("j2", receiver.url)
    world.end("j1")
    world.end("j2")
    receiver.waits.clear()
    threading.Timer(0.5, receiver.waits.set).start()
    world.look()
    assert len(receiver.got) == 1 and not ledger.exists(world.store, keys.notice("j2", 0))
    notice = world.notice()
    assert notice is None or notice.tries == 1


def test_many_messages_to_an_address_where_nobody_answers_keep_no_other_tenants_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TRY_SECONDS", 1.0)
    slow = Receiver()
    slow.waits.clear()
    world = World(slow.url)
    for name, url, tenant in [*((f"j1{n:02}", slow.url, "lab") for n in range(30)), ("z", receiver.url, "other")]:
        world.add(name, url, tenant)
        world.end(name)
    world.end("j1")
    begun = time.monotonic()

    async def both() -> None:
        look = asyncio.create_task(world.telling.look())
        while ledger.exists(world.store, keys.notice("z", 0)) and not look.done():
            await asyncio.sleep(0.01)
        assert not look.done()
        await look

    run(both())
    assert len(receiver.got) == 1 and time.monotonic() - begun < 4
    slow.waits.set()
    slow.server.shutdown()
    slow.server.server_close()


def test_a_replay_is_told_of_by_itself(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.end()
    world.look()
    etag = world.store.put(world.job.object, b"zip")
    ledger.write(world.store, keys.job("j1"), world.job.model_copy(update={"etag": etag}))
    rounds.replay(world.store, "j1")
    world.look()
    assert len(receiver.got) == 1
    world.store.put(keys.labels("j1", 0), b"labels")
    ending.finish(world.store, "j1")
    world.look()
    assert [headers["webhook-id"] for headers, _ in receiver.got] == ["msg_j1_0", "msg_j1_1"]
    assert world.told(1) and json.loads(receiver.got[1][1])["data"]["labelled"] == 1


def test_jobs_of_which_nobody_wants_to_know_owe_nothing() -> None:
    world = World("")
    world.end()
    assert list(world.store.list(keys.NOTICES)) == []


def test_what_is_owed_for_a_job_that_is_deleted_goes_with_it(receiver: Receiver) -> None:
    world = World(receiver.url)
    world.end()
    retention.sweep(world.store, retention.Keeping(results_days=1), lambda: time.time() + 3 * retention.DAY)
    assert list(world.store.list(keys.NOTICES)) == []
    assert not markers.is_cancelled(world.store, "j1")
