"""A folder is sent over a line that breaks, to an API that dies meanwhile."""

from pathlib import Path

import pytest

from tests.bench.uploads import measure, write_plate

pytestmark = pytest.mark.e2e


def test_an_upload_survives_cut_connections_and_the_death_of_the_api_and_arrives_whole(tmp_path: Path) -> None:
    seen = measure(tmp_path / "state", write_plate(tmp_path / "plate", 60_000_000), 3, "kafka", "s3", "api")
    assert seen["checksum_right"]
    assert (seen["cuts"], seen["kills"]) == (3, 1)
    assert seen["sent_to_size"] < 2
    assert seen["api_peak_mb"] < 170  # most of it what is imported, of which a compiler alone would be 60
