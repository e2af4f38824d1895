"""What a worker's metrics say of what it does."""

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest

from inference.models import shipped_models
from inference.triton import ModelFailed, ModelStumbled, ModelUnavailable
from observability import cost, metrics
from observability.metrics import ALL, BOOK, NO_REASON
from storage.memory import MemoryStore
from storage.objects import Unavailable
from streams import breaker, gauges, metering, original, upkeep
from streams.decoders.decoder import InProcess
from streams.decoders.forkserver import Died
from streams.events import Lane, Outcome, ReasonClass, SliceListed
from streams.jobs import markers
from streams.jobs.accounts import Accounts
from streams.jobs.tallies import Tallies
from streams.stages import STAGES, labels
from streams.tracing.spent import Spent
from streams.work import policy
from streams.work.consuming import TP, Delivery
from streams.work.lane import LaneOfWork
from streams.work.policy import Answer
from streams.worker import Worker
from tests.scraped import absent, number, serving
from tests.streams.books import START, label, listed
from tests.streams.stand import Bright, archive, run, submit, tiff, tools
from tests.streams.test_collect import job_with

BULK = {"stage": "tile", "lane": "bulk"}
SMALL = {"stage": "tile", "lane": "interactive"}
MODEL = shipped_models()["nuclei"]
LIVE = (metrics.IN_FLIGHT, metrics.WAITING, metrics.OLDEST_IN_FLIGHT, metrics.BREAKER_OPEN, metrics.JOB_IMAGES)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_delay", lambda attempt, outage: 0.001)
    monkeypatch.setattr(breaker, "CANARY_SECONDS", 0.001)
    monkeypatch.setattr(original, "DEATH_SECONDS", 0.0)
    for metric in LIVE:
        monkeypatch.setattr(metric, "_sources", [])


class Counted:
    """By how much one value has grown since."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = number(name, **labels)

    def __call__(self) -> float:
        return number(self._name, **self._labels) - self._before


def ended(outcome: str, reason: str = NO_REASON) -> Counted:
    return Counted("monolayer_images_ended_total", lane="interactive", outcome=outcome, reason=reason)


def test_labels_may_be_what_the_stages_know_and_nothing_else() -> None:
    assert set(metrics.STAGE.values) == set(STAGES)
    assert set(metrics.LANE.values) == {ALL, *Lane}
    assert set(metrics.OUTCOME.values) == set(get_args(Outcome))
    assert set(metrics.REASON.values) == {NO_REASON, *get_args(ReasonClass)}


def test_whatever_happens_no_label_has_a_value_that_it_may_not_have() -> None:
    submit(tools(), archive({"good.tif": tiff(), "cut.tif": tiff()[:3000]}))
    allowed = {label.name: label.values for entry in BOOK.entries.values() for label in entry.labels if label.values}
    told = {
        (name, value)
        for family in BOOK.registry.collect()
        for sample in family.samples
        for name, value in sample.labels.items()
        if name in allowed
    }
    assert ("reason", "bad_input") in told
    assert {(name, value) for name, value in told if value not in allowed[name]} == set()


def test_ended_images_are_counted_by_their_outcome_and_its_reason() -> None:
    good, bad = ended("labelled"), ended("rejected", "bad_input")
    submit(tools(), archive({"a.tif": tiff(), "b.tif": tiff(seed=1), "cut.tif": tiff()[:3000]}))
    assert (good(), bad()) == (2, 1)


def test_an_image_tells_how_many_attempts_it_took() -> None:
    predictor = Bright()
    predictor.fails = [ModelStumbled("once")]
    once = Counted("monolayer_image_attempts_bucket", outcome="labelled", le="1.0")
    twice = Counted("monolayer_image_attempts_bucket", outcome="labelled", le="2.0")
    submit(tools(predictor=predictor), tiff(), name="a.tif")
    assert (once(), twice()) == (0, 1)


def test_an_outage_and_an_error_are_told_apart() -> None:
    class Away(MemoryStore):
        refusals = 1

        def put(self, key: str, data: bytes, note: str = "") -> str:
            if "/labels/" in key and self.refusals:
                self.refusals -= 1
                raise Unavailable("away")
            return super().put(key, data, note)

    predictor = Bright()
    predictor.fails = [ModelStumbled("once")]
    outage, error = (Counted("monolayer_retries_total", cause=cause, **SMALL) for cause in ("outage", "error"))
    submit(tools(Away(), predictor), tiff(), name="a.tif")
    assert (outage(), error()) == (1, 1)


def test_a_decoder_that_dies_is_counted() -> None:
    class Deadly(InProcess):
        async def read(self, *_: Any) -> Any:
            raise Died

    deaths, killed = Counted("monolayer_decoder_deaths_total", lane="interactive"), ended("rejected", "killed")
    given = tools()
    submit(dataclasses.replace(given, decoder=Deadly(given.store, given.workshop)), tiff(), name="a.tif")
    assert (deaths(), killed()) == (3, 1)


def test_what_no_event_is_made_of_is_counted() -> None:
    count = Counted("monolayer_messages_quarantined_total")
    run(policy.answer([STAGES["tile"]], policy.Message("images.bulk", 0, 0, b"no event"), tools()))
    assert count() == 1


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (None, "maps"),
        (ModelFailed("no"), "refused"),
        (ModelStumbled("hm"), "stumbled"),
        (ModelUnavailable("away"), "away"),
        (asyncio.CancelledError(), "abandoned"),
    ],
)
def test_a_request_is_counted_by_its_answer_and_timed_where_it_had_one(
    error: BaseException | None, answer: str
) -> None:
    asked = Counted("monolayer_model_requests_total", model="nuclei", answer=answer)
    timed = Counted("monolayer_model_request_seconds_count", model="nuclei")
    try:
        with metering.requested("nuclei"):
            if error:
                raise error
    except BaseException as raised:
        assert raised is error
    assert (asked(), timed()) == (1, 0 if error else 1)


def test_each_request_to_triton_is_one_and_its_turn_is_not() -> None:
    predictor = Bright()
    predictor.away = 1
    given = tools(predictor=predictor)
    away, maps = (Counted("monolayer_model_requests_total", model="nuclei", answer=each) for each in ("away", "maps"))
    run(given.gate.infer(MODEL, np.zeros((8, 8), np.uint8), 0, 1, Lane.BULK, given.patience))
    assert (away(), maps()) == (1, 1)


def test_the_breaker_is_told_while_it_is_open() -> None:
    given = tools()
    gauges.watch([], given)
    assert not absent("monolayer_breaker_open")
    assert number("monolayer_breaker_open") == 0
    given.gate.breaker.open_since = START
    assert number("monolayer_breaker_open") == 1


def test_a_held_model_is_told_and_nothing_is_while_nobody_can_tell() -> None:
    class Away(MemoryStore):
        away = False

        def list(self, *given: Any) -> Any:
            if self.away:
                raise Unavailable("away")
            return super().list(*given)

    store = Away()
    given = tools(store)
    run(upkeep.tell_held(given))
    assert not absent("monolayer_model_held", model="nuclei")
    assert number("monolayer_model_held", model="nuclei") == 0
    markers.hold(store, f"model/{MODEL.digest}", "it fails on everything")
    run(upkeep.tell_held(given))
    assert number("monolayer_model_held", model="nuclei") == 1
    store.away = True
    run(upkeep.tell_held(given))
    assert absent("monolayer_model_held", model="nuclei")


class Working:
    """A lane without a broker that works on one event until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, events: int) -> None:
        self.lane: LaneOfWork
        [self.lane] = Worker(("announce",), tools(), "127.0.0.1:1").lanes
        self.go_on, self.begun = asyncio.Event(), asyncio.Event()
        self._events = events
        monkeypatch.setattr(policy, "answer", self._answer)
        monkeypatch.setattr(self.lane.subscription, "send", _sent)
        monkeypatch.setattr(LaneOfWork, "_noted", _noted)

    async def _answer(self, chain: Any, message: Any, tools: Any, spent: Spent) -> Answer:
        self.begun.set()
        await self.go_on.wait()
        with spent.timed("store"):
            return Answer([SliceListed(job="j", shard=shard) for shard in range(self._events)])

    async def deliveries(self) -> Any:
        place = TP("slices", 0)
        for offset in range(3):
            yield Delivery(place, offset, SliceListed(job="j", shard=offset).encode(), "")


async def _noted(*_: object) -> bool:
    return True


async def _sent(*_: object) -> None:
    return None


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Iterator[Working]:
    yield Working(monkeypatch, events=5)


def test_a_lane_tells_what_it_takes_and_announces_and_what_is_in_between(working: Working) -> None:
    place = dict(zip(("stage", "lane"), working.lane.labels, strict=True))
    assert place == {"stage": "announce", "lane": ALL}
    taken, announced = (Counted(f"monolayer_events_{what}_total", **place) for what in ("taken", "announced"))
    whole = Counted("monolayer_event_seconds_count", **place)
    phases = {
        phase: Counted("monolayer_phase_seconds_count", phase=phase, **place)
        for phase in ("wait", "store", "announce", "model")
    }

    async def work() -> None:
        gauges.watch([working.lane], tools())
        await working.lane.take(working.deliveries())
        await working.begun.wait()
        told = [number(f"monolayer_{what}_events", **place) for what in ("in_flight", "waiting")]
        assert told == [2, 1], "two slots"
        assert number("monolayer_oldest_in_flight_seconds", **place) > 0
        working.go_on.set()
        while whole() < 3:
            await asyncio.sleep(0)
        assert number("monolayer_in_flight_events", **place) == 0
        assert number("monolayer_oldest_in_flight_seconds", **place) == 0

    run(work())
    assert (taken(), announced()) == (3, 15)
    assert {phase: count() for phase, count in phases.items()} == {"wait": 3, "store": 3, "announce": 3, "model": 0}


def test_a_topic_without_lanes_is_told_under_one_lane_whatever_its_events_say() -> None:
    assert labels(STAGES["collect"], Lane.BULK) == ("collect", ALL)
    assert labels(STAGES["tile"], Lane.BULK) == ("tile", "bulk")


def test_a_job_is_told_by_the_state_of_its_images_until_it_has_ended() -> None:
    store = MemoryStore()
    job_with(store, 5)
    given = dataclasses.replace(tools(store), tallies=Tallies(store, seconds=0.001))
    gauges.watch([], given)

    def told() -> list[float]:
        return [number("monolayer_job_images", job="j", state=state) for state in metrics.STATE.values]

    async def work() -> None:
        for image in range(3):
            await given.tallies.tick("j", image, labelled=image > 0)
        assert told() == [2, 1, 0, 2]
        given.tallies.forget()
        assert absent("monolayer_job_images", job="j", state="labelled"), "another owner may know more"

    run(work())


def test_a_job_is_told_by_what_it_costs_where_prices_are_known_until_it_has_ended() -> None:
    prices, told = cost.read("workstation"), []
    for known in (None, prices):
        store = MemoryStore()
        job_with(store, 2)
        label(store, 0, 1, job="j")
        owner = Tallies(store, seconds=0.001, accounts=Accounts(known))
        gauges.watch([], dataclasses.replace(tools(store), tallies=owner))
        run(owner.tick("j", 0, labelled=True))
        told.append(BOOK.registry.get_sample_value("monolayer_job_cost_dollars", {"job": "j"}))
        run(owner.tick("j", 1, labelled=True))
    assert told[0] is None and told[1] is not None
    assert 0 < told[1] <= 61 / 3600 * prices.nodes[cost.MACHINE].dollars
    assert absent("monolayer_job_cost_dollars", job="j"), "it has ended"


def test_only_the_newest_jobs_are_told_one_by_one() -> None:
    store = MemoryStore()
    given = Tallies(store, seconds=0.001)
    names = [f"job{number}" for number in range(metrics.MOST_JOBS + 2)]

    async def work() -> None:
        for name in names:
            listed(store, 2, job=name)
            await given.tick(name, 0, labelled=True)

    run(work())
    assert list(given.states(metrics.MOST_JOBS)) == names[:1:-1]


@pytest.mark.integration
def test_a_worker_serves_its_metrics_where_it_is_told(kafka_address: str) -> None:
    with serving("streams", "announce", MONOLAYER_KAFKA=kafka_address) as scrape:
        told = scrape.until(lambda told: bool(told))
    assert {name for name, *_ in told} == {"in_flight_events", "waiting_events", "oldest_in_flight_seconds"}
    assert {(stage, lane) for _, stage, lane in told} == {("announce", ALL)}


def test_what_alerts_count_stands_at_zero_before_the_first() -> None:
    metering.begin()
    for reason in get_args(ReasonClass):
        assert not absent("monolayer_images_ended_total", lane="bulk", outcome="rejected", reason=reason)
    assert not absent("monolayer_decoder_deaths_total", lane="interactive")
