"""The way to Triton: turns, and the breaker that tells an outage from a poison."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.models import Model, shipped_models
from inference.triton import ModelSlow, ModelStumbled, ModelUnavailable
from streams import breaker
from streams.breaker import ModelKilled
from streams.events import Lane
from streams.gate import Gate
from streams.patience import Patience
from streams.tracing.spent import Spent
from tests.streams.stand import run

MODEL = shipped_models()["nuclei"]
TILE = np.zeros((8, 8), np.uint8)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "CANARY_SECONDS", 0.001)


class Server:
    """A model server that can be away, hang on a tile, and be killed by one."""

    def __init__(self) -> None:
        self.up = True
        self.running: list[int] = []
        self.most = 0
        self.order: list[int] = []
        self.wait = asyncio.Event()
        self.wait.set()

    async def infer(
        self, model: Model, tile: NDArray[Any], low: float, high: float, took: Callable[[float], None]
    ) -> NDArray[np.uint8]:
        mine = int(high)
        self.running.append(mine)
        self.order.append(mine)
        self.most = max(self.most, len(self.running))
        try:
            await asyncio.sleep(0)
            await self.wait.wait()
            if mine == 666:
                self.up = False
                asyncio.get_running_loop().call_later(0.005, self.come_back)
            if mine == 333:
                raise ModelSlow("no answer")
            if not self.up:
                raise ModelUnavailable("nobody there")
        finally:
            self.running.remove(mine)
        return np.zeros((2, 8, 8), np.uint8)

    async def ready(self, model: Model) -> bool:
        return self.up

    def come_back(self) -> None:
        self.up = True


def gate(server: Server, requests: int = 4) -> Gate:
    made = Gate(server, requests)
    made.breaker._pause = lambda strikes: 0.0
    return made


async def ask(way: Gate, number: int, lane: Lane = Lane.BULK) -> Any:
    return await way.infer(MODEL, TILE, 0.0, float(number), lane, Patience())


def test_the_image_that_kills_the_server_is_found_and_its_neighbours_get_their_answers() -> None:  # rule 20
    async def work() -> list[Any]:
        way = gate(Server())
        tasks = [ask(way, number) for number in (1, 2, 666, 3, 4, 5)]
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    answers = run(work())
    assert [type(answer) for answer in answers].count(ModelKilled) == 1
    assert isinstance(answers[2], ModelKilled)


def test_an_outage_is_waited_out_and_blames_nobody() -> None:  # rule 19
    async def work() -> list[Any]:
        server = Server()
        server.up = False
        way = gate(server)
        tasks = asyncio.gather(*(ask(way, number) for number in range(6)))
        await asyncio.sleep(0.05)
        assert way.breaker.open_since is not None
        assert not tasks.done()
        server.come_back()
        return await asyncio.wait_for(tasks, 10)

    assert len(run(work())) == 6


def test_a_canary_that_gets_nonsense_is_sent_again() -> None:  # rule 20
    class Confused(Server):
        confused = True

        async def ready(self, model: Model) -> bool:
            confused, self.confused = self.confused, False
            if confused:
                raise ValueError("could not convert string to float")
            return await super().ready(model)

    async def work() -> Any:
        server = Confused()
        server.up = False
        asked = asyncio.create_task(ask(gate(server), 1))
        await asyncio.sleep(0.05)
        server.come_back()
        return await asyncio.wait_for(asked, 5)

    assert run(work()).shape == (2, 8, 8)


def test_a_request_that_hangs_while_others_are_answered_is_its_own_fault() -> None:  # rule 19
    async def work() -> None:
        await ask(gate(Server()), 333)

    with pytest.raises(ModelStumbled):
        run(work())


def test_a_small_job_goes_before_what_a_large_one_has_waiting() -> None:  # rule 18
    async def work() -> list[int]:
        server = Server()
        server.wait.clear()
        way = gate(server, requests=2)
        bulk = [asyncio.create_task(ask(way, number)) for number in range(5)]
        await asyncio.sleep(0.01)
        small = asyncio.create_task(ask(way, 100, Lane.INTERACTIVE))
        await asyncio.sleep(0.01)
        server.wait.set()
        await asyncio.wait_for(asyncio.gather(*bulk, small), 10)
        return server.order

    assert run(work()).index(100) == 1


def test_no_more_requests_are_out_than_allowed_and_one_place_is_kept_for_small_jobs() -> None:  # rule 18
    async def work() -> int:
        server = Server()
        way = gate(server, requests=3)
        await asyncio.gather(*(ask(way, number) for number in range(10)))
        return server.most

    assert run(work()) == 2


def test_waiting_for_the_server_uses_up_nobodys_time() -> None:  # rule 19
    async def work() -> None:
        server = Server()
        server.up = False
        way, patience = gate(server), Patience()
        asyncio.get_running_loop().call_later(0.2, server.come_back)
        async with patience.limited(0.1):
            await way.infer(MODEL, TILE, 0.0, 1.0, Lane.BULK, patience)
        with pytest.raises(TimeoutError):
            async with patience.limited(0.01):
                await asyncio.sleep(1)

    run(work())


def test_what_the_model_did_not_compute_of_a_request_was_spent_in_the_queue() -> None:
    class Slow(Server):
        async def infer(
            self, model: Model, tile: NDArray[Any], low: float, high: float, took: Callable[[float], None]
        ) -> NDArray[np.uint8]:
            await asyncio.sleep(0.02)
            took(0.015)
            return await super().infer(model, tile, low, high, took)

    async def work() -> Spent:
        spent = Spent()
        await gate(Slow()).infer(MODEL, TILE, 0.0, 1.0, Lane.BULK, Patience(), spent)
        return spent

    slot, queue, compute = run(work()).finer
    assert (slot.phase, queue.phase, compute.phase) == ("slot", "queue", "compute")
    assert slot.ended <= queue.begun
    assert queue.ended == compute.begun
    assert compute.ended - compute.begun == 15_000_000
    assert queue.ended > queue.begun


def test_a_tile_tells_its_time_at_the_model_as_one_piece_though_others_are_there_at_once() -> None:
    async def work() -> Spent:
        spent, way = Spent(), gate(Server())
        await asyncio.gather(*(way.infer(MODEL, TILE, 0.0, 1.0, Lane.BULK, Patience(), spent) for _ in range(6)))
        return spent

    assert [each.phase for each in run(work()).finer] == ["slot", "queue", "compute"] * 6
