"""Every kind of hostile message goes to the first stage of every chain."""

import json
from pathlib import Path

import pytest

from loadgen.hostile.events import EVENTS, EventKind
from storage import keys
from streams.events import Event, ImageFound, NewerEvent, Source, UploadReceived
from streams.stages import CHAINS, STAGES
from streams.work import policy
from tests.streams.stand import run, tiff, tools

GOLDEN = Path(__file__).parent.parent / "streams" / "golden"
FIRST = [STAGES[chain.split("+")[0]] for chain in ("unzip", "announce", "tile", "predict", "postprocess", "collect")]


def sound(kind: type[Event]) -> bytes:
    """A released event of this kind."""
    return (GOLDEN / f"{kind.__name__}.v1.json").read_bytes()


CASES = [
    pytest.param(stage, kind, id=f"{stage.takes.__name__}-{kind.name}")
    for stage in FIRST
    for kind in EVENTS.values()
    if kind.concerns(sound(stage.takes))
]


def test_every_chain_is_sent_every_kind() -> None:
    assert {stage.takes for stage in FIRST} == {STAGES[chain.split("+")[0]].takes for chain in CHAINS}


@pytest.mark.parametrize(("stage", "kind"), CASES)
def test_a_hostile_message_is_understood_or_set_aside_or_stops_its_reader(stage, kind: EventKind) -> None:  # type: ignore[no-untyped-def]  # rules 8, 24
    given, data = tools(), kind.make(sound(stage.takes), 1)
    message = policy.Message(stage.takes.topic, 3, 141, data)
    if kind.answer == "understood":
        assert _holds(json.loads(stage.takes.decode(data).encode()), json.loads(sound(stage.takes)))
    elif kind.answer == "stopped" and stage.takes is not UploadReceived:
        with pytest.raises(NewerEvent):
            run(policy.answer([stage], message, given))
    else:
        answer = run(policy.answer([stage], message, given))
        assert not answer.events
        assert given.store.get(keys.quarantine(stage.takes.topic, 3, 141)) == data
        assert not list(given.store.list("jobs/"))


def _holds(now: object, then: object) -> bool:
    """Whether all of the sound event is in the hostile one, as it was read."""
    if isinstance(now, dict) and isinstance(then, dict):
        return all(name in now and _holds(now[name], value) for name, value in then.items())
    return now == then


@pytest.mark.parametrize(
    "lie",
    [
        {"offset": -5},
        {"offset": 10**30, "span": 100, "packed": 10},
        {"span": -1, "packed": 10},
        {"span": 100, "packed": -10},
        {"size": -1},
        {"size": 10**30},
        {"span": 10**30, "packed": 10**30},
        {"span": 100, "packed": 10, "method": 99},
        {"key": "uploads/u1/nothing.tif"},
        {"key": ""},
        {"key": "../../etc/passwd"},
    ],
    ids=str,
)
def test_an_image_that_lies_where_nothing_can_is_rejected_once_and_by_name(lie: dict[str, object]) -> None:
    given = tools()
    etag = given.store.put("uploads/u1/a.tif", tiff())
    source = Source.model_validate({"key": "uploads/u1/a.tif", "etag": etag, "crc": 1, **lie})
    found = ImageFound(job="j", image=0, name="a.tif", source=source, model="nuclei", model_digest=_digest(given))
    answer = run(policy.answer([STAGES["tile"]], policy.Message("images.bulk", 0, 0, found.encode()), given))
    (ended,) = answer.events
    assert (ended.outcome, ended.reason in ("bad_input", "too_large")) == ("rejected", True)


def _digest(given) -> str:  # type: ignore[no-untyped-def]
    return str(given.models["nuclei"].digest)
