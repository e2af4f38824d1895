"""What lies in a bucket was written by some release, and every later one reads it."""

import json
from pathlib import Path

import pytest

from kiosk.access.holdings import Quota
from kiosk.access.tokens import AccessToken
from streams.events import Rejection
from streams.jobs import records
from streams.jobs.records import Entry, Record
from streams.jobs.tally import Tally
from tests.streams.golden import holds

GOLDEN = Path(__file__).parent.parent / "golden" / "records"
KINDS = {kind.__name__: kind for kind in (*Record.__subclasses__(), Quota, AccessToken, Rejection)}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_every_record_ever_released_is_still_read(path: Path) -> None:  # rule 24
    record = KINDS[path.stem.split(".")[0]].model_validate_json(path.read_bytes())
    assert holds(json.loads(record.model_dump_json()), json.loads(path.read_bytes()))


def test_no_record_is_without_its_golden_file() -> None:  # rule 24
    assert {path.stem.split(".")[0] for path in GOLDEN.glob("*.json")} == KINDS.keys() - {Entry.__name__}


def test_a_released_tally_is_still_read() -> None:  # rule 24
    released = bytes.fromhex("0000000201810000000106")
    assert (Tally.decode(released).labelled, Tally.decode(released).rejected) == (0x8101, 0x06)
    assert Tally(0x8101, 0x06).encode() == released


def test_fields_of_a_later_release_are_kept() -> None:  # rule 24
    held = records.Held.model_validate_json('{"what": "j", "why": "slow", "created": 1, "weather": "fine"}')
    assert json.loads(held.model_dump_json())["weather"] == "fine"
