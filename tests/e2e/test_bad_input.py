"""Bad input: the image or archive is rejected by name, its neighbours finish, nothing is lost."""

from pathlib import Path

import pytest

from kiosk.client.packing import NO_IMAGES
from tests.e2e.system import System
from tests.storage.bad_files import BAD_ARCHIVES, BAD_IMAGES, FEW_ARCHIVES

pytestmark = pytest.mark.e2e


def test_every_bad_image_is_rejected_by_name_beside_a_good_one(system: System, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    bad = {name: data for name, (data, _) in BAD_IMAGES.items() if Path(name).suffix not in NO_IMAGES}
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    from tests.e2e.test_main_job import write_fields

    write_fields(folder, 1)
    answer = system.submit(folder, code=2)
    assert (answer["images"], answer["labelled"], answer["rejected"]) == (len(bad) + 1, 1, len(bad))
    said = system.run("rejected", answer["job"])
    for name in bad:
        assert name in said
        assert BAD_IMAGES[name][1] in said


@pytest.mark.parametrize("name", FEW_ARCHIVES)
def test_a_bad_archive_ends_with_every_image_accounted_for(system: System, tmp_path: Path, name: str) -> None:
    data, _ = BAD_ARCHIVES[name]
    file = tmp_path / f"{name}.zip"
    file.write_bytes(data)
    answer = system.submit(file, code=2)
    assert answer["rejected"] >= 1
    assert answer["labelled"] + answer["rejected"] + answer["cancelled"] == answer["images"]
