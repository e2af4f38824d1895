import json
from pathlib import Path

import pytest

from streams import events, topics
from streams.events import Event, ImageEnded, ImageFound, NewerEvent, NotAnEvent, Source, UploadReceived
from tests.streams.golden import holds

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_every_event_ever_released_is_still_read(path: Path) -> None:  # rule 24
    kind: type[Event] = getattr(events, path.stem.split(".")[0])
    event = kind.decode(path.read_bytes())
    assert holds(json.loads(event.encode()), json.loads(path.read_bytes()))


def test_no_event_is_without_its_golden_file() -> None:  # rule 24
    kinds = {kind.__name__ for kind in vars(events).values() if isinstance(kind, type) and "topic" in vars(kind)}
    assert {path.stem.split(".")[0] for path in GOLDEN.glob("*.json")} == kinds - {"Event"}


def test_unknown_fields_are_kept() -> None:  # rule 24
    event = ImageEnded.decode(b'{"job": "j", "image": 3, "outcome": "labelled", "weather": "fine"}')
    assert json.loads(event.encode())["weather"] == "fine"


def test_a_newer_major_version_stops_the_reader_instead_of_being_guessed_at() -> None:  # rule 24
    with pytest.raises(NewerEvent, match="version 2"):
        ImageEnded.decode(b'{"v": 2, "job": "j", "image": 3, "outcome": "labelled"}')


@pytest.mark.parametrize("junk", [b"", b"\x00\xff", b"[]", b'{"object": 3}', b"{}"])
def test_junk_is_no_event(junk: bytes) -> None:
    with pytest.raises(NotAnEvent, match="not a UploadReceived"):
        UploadReceived.decode(junk)


def test_every_event_has_a_topic_that_is_created() -> None:
    found = ImageFound(job="j", image=1, name="a", source=Source(key="k", etag="e"), model="m", model_digest="d")
    created = {topic.name for topic in topics.TOPICS}
    assert found.address in created
    assert {ImageEnded(job="j", image=1, outcome="labelled").address, UploadReceived(object="o").address} <= created


@pytest.mark.parametrize(
    "evil",
    [
        b'{"job": "j", "image": -1, "outcome": "labelled"}',
        b'{"job": "j", "image": 99999999999999, "outcome": "labelled"}',
        b'{"job": "../x", "image": 1, "outcome": "labelled"}',
        b'{"job": "a/b", "image": 1, "outcome": "labelled"}',
    ],
)
def test_numbers_and_names_that_no_job_has_are_no_events(evil: bytes) -> None:
    with pytest.raises(NotAnEvent):
        ImageEnded.decode(evil)
