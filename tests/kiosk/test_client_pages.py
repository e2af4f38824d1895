"""Lists that come in pages, as the client puts them together."""

import pytest

from kiosk.client import Monolayer
from kiosk.client import monolayer as monolayer_module
from tests.kiosk.front import BAD, finish, made_job, open_door


def test_however_many_jobs_and_rejected_images_there_are_all_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monolayer_module, "MOST_JOBS", 2)
    monkeypatch.setattr(monolayer_module, "MOST_REJECTED", 2)
    with open_door() as (address, store, _), Monolayer(address) as monolayer:
        for number in range(5):
            made_job(store, {f"{image}.tif": BAD for image in range(5)}, f"j{number}")
        finish(store, "j0", lambda entry: None)
        assert [found.job for found in monolayer.jobs(4)] == ["j4", "j3", "j2", "j1"]
        assert len(monolayer.jobs(99)) == 5
        assert [image.image for image in monolayer.rejected("j0", "bad_input")] == [0, 1, 2, 3, 4]
        assert [image.image for image in monolayer.rejected("j0", limit=3)] == [0, 1, 2]
