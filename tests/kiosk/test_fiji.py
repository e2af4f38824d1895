"""The macro for Fiji, as far as it can be run without one: the command that it gives."""

import re
from pathlib import Path

import pytest
from roifile import roiread

import kiosk
from tests.kiosk.front import Bucket, tiff
from tests.kiosk.test_cli import monolayer

MACRO = (Path(kiosk.__file__).parent / "fiji" / "Monolayer_Segment.ijm").read_text()


@pytest.mark.parametrize(("size", "which"), [("--model=nuclei", "--model=nuclei"), ("--diameter=12.00", "--channel=1")])
def test_the_command_of_the_macro_leaves_regions_where_it_looks_for_them(
    door: tuple[str, Bucket], tmp_path: Path, size: str, which: str
) -> None:
    (tmp_path / "image.tif").write_bytes(tiff())
    [given] = re.findall(r"exec\(command, (.*)\);", MACRO)
    results = tmp_path / "results"
    known = {
        "address": door[0],
        "size": size,
        "which": which,
        "results": results,
        'folder + "image.tif"': tmp_path / "image.tif",
    }
    arguments = [known.get(each, each.strip('"')) for each in given.split(", ")]
    result = monolayer(*arguments, api=door[0])
    assert (result.exit_code, result.stderr) == (0, "")
    assert [roi.name for roi in roiread(results / "imagej" / "image.zip")] == ["1", "2"]
