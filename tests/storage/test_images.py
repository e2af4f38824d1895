import gc
import io
import logging
import sys
from contextlib import suppress
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from loadgen.hostile.sound import pixels, png, tiff
from storage.images import Unreadable, read_image
from tests.storage.bad_files import BAD_IMAGES


def stack(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"bigtiff": True, "byteorder": ">"},
        {"tile": (32, 16)},
        {"rowsperstrip": 7},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True, "byteorder": ">"},
        {"compression": "lzw", "tile": (32, 32)},
        {"compression": "packbits"},
        {"compression": "zstd", "rowsperstrip": 5},
        {"metadata": None},
    ],
    ids=str,
)
def test_every_way_of_writing_a_tiff_gives_the_same_pixels(dtype: str, options: dict[str, Any]) -> None:
    image = pixels(dtype=dtype)
    read = read_image(tiff(image, **options), "a.tif")
    assert np.array_equal(read.planes, image[None])
    assert read.planes.dtype == np.dtype(dtype)
    assert read.dtype == dtype
    assert read.planes.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_png_keeps_its_depth(dtype: str) -> None:
    image = pixels(dtype=dtype)
    assert np.array_equal(read_image(png(image), "a.png").planes, image[None])


def test_a_jpeg_is_read_as_grey() -> None:
    image = np.tile(np.arange(64, dtype=np.uint8) * 4, (32, 1))
    read = read_image(bytes(imagecodecs.jpeg8_encode(image, level=100)), "a.jpg")
    assert read.planes.shape == (1, 32, 64)
    assert np.abs(read.planes[0].astype(int) - image).max() < 4


@pytest.mark.parametrize("packed", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_stacks_come_plane_by_plane_and_channels_apart(packed: str | None, byteorder: str) -> None:
    image = stack(2, 3, 4, 20, 30)
    options = {"compression": packed, "byteorder": byteorder}
    ome = tiff(image, ome=True, metadata={"axes": "TZCYX"}, photometric="minisblack", **options)
    for channel in (None, 1, 4):
        expected = image[:, :, (channel or 1) - 1].reshape(6, 20, 30)
        assert np.array_equal(read_image(ome, "a.ome.tif", channel).planes, expected)
    with pytest.raises(Unreadable, match=r"a.ome.tif has 4 channels; channel 5 was asked for"):
        read_image(ome, "a.ome.tif", 5)


def test_channels_are_called_what_the_file_calls_them() -> None:
    named = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP & more"]}}
    assert read_image(tiff(stack(2, 20, 30), ome=True, metadata=named), "a.ome.tif").names == ("DAPI", "GFP & more")
    assert read_image(tiff(stack(2, 20, 30), imagej=True, metadata={"axes": "CYX"}), "a.tif").names == ()


def test_an_imagej_hyperstack_is_read_from_its_one_page() -> None:
    image = stack(3, 2, 4, 20, 30)
    data = tiff(image, imagej=True, metadata={"axes": "TZCYX"}, photometric="minisblack")
    assert np.array_equal(read_image(data, "a.tif", 2).planes, image[:, :, 1].reshape(6, 20, 30))


def test_an_imagej_hyperstack_that_is_cut_short_is_refused() -> None:
    data = tiff(stack(3, 2, 4, 200, 300), imagej=True, metadata={"axes": "TZCYX"}, photometric="minisblack")
    with pytest.raises(Unreadable, match="cut short"):
        read_image(data[:-100_000], "a.tif")


def test_pages_without_a_description_are_planes() -> None:
    image = stack(5, 20, 30)
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for plane in image:
            writer.write(plane, metadata=None, compression="zlib", contiguous=False)
    assert np.array_equal(read_image(file.getvalue(), "a.tif").planes, image)


def test_a_grey_image_with_transparency_has_one_channel() -> None:
    file = io.BytesIO()
    Pillow.fromarray(pixels(dtype="uint8")).convert("LA").save(file, "PNG")
    with pytest.raises(Unreadable, match="one channel"):
        read_image(file.getvalue(), "a", 2)


@pytest.mark.parametrize("planar", ["separate", "contig"])
def test_samples_that_are_no_colours_are_channels(planar: str) -> None:
    image = stack(5, 20, 30) if planar == "separate" else stack(20, 30, 5)
    data = tiff(image, photometric="minisblack", planarconfig=planar, metadata=None)
    second = image[1] if planar == "separate" else image[..., 1]
    assert np.array_equal(read_image(data, "a.tif", 2).planes, second[None])


@pytest.mark.parametrize("make", [tiff, png])
@pytest.mark.parametrize("samples", [3, 4])
def test_colours_that_are_all_the_same_are_grey(make: Any, samples: int) -> None:
    grey = pixels(dtype="uint8")
    image = np.stack([grey, grey, grey, 255 - grey][:samples], -1)
    options = {"photometric": "rgb"} if make is tiff else {}
    assert np.array_equal(read_image(make(image, **options), "a").planes, grey[None])


@pytest.mark.parametrize("make", [tiff, png])
def test_of_different_colours_one_has_to_be_chosen(make: Any) -> None:
    image = stack(20, 30, 3, dtype="uint8")
    data = make(image, **({"photometric": "rgb"} if make is tiff else {}))
    with pytest.raises(Unreadable, match="a is a colour image; say which channel with --channel 1, 2 or 3"):
        read_image(data, "a")
    assert np.array_equal(read_image(data, "a", 3).planes, image[None, ..., 2])
    with pytest.raises(Unreadable, match="3 colours; channel 4"):
        read_image(data, "a", 4)


def test_a_separate_colour_tiff_is_colour_too() -> None:
    image = stack(3, 20, 30, dtype="uint8")
    data = tiff(image, photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_image(data, "a", 2).planes, image[None, 1])


def test_a_second_channel_of_a_grey_image_is_refused() -> None:
    for data in (tiff(), png()):
        with pytest.raises(Unreadable, match="has one channel; channel 2 was asked for"):
            read_image(data, "a", 2)


def test_palettes_are_read_through_their_colours() -> None:
    grey = pixels(dtype="uint8")
    ramp = np.stack([np.arange(255, -1, -1, dtype=np.uint16) * 257] * 3)
    assert np.array_equal(read_image(tiff(grey, photometric="palette", colormap=ramp), "a").planes, 255 - grey[None])
    ramp[1] = 7
    with pytest.raises(Unreadable, match="is a colour image"):
        read_image(tiff(grey, photometric="palette", colormap=ramp), "a")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 1), ("P", 3), ("RGB", 2), ("RGBA", 3)])
def test_the_kinds_of_png_that_other_programs_write(mode: str, channels: int) -> None:
    grey = pixels(dtype="uint8")
    file = io.BytesIO()
    Pillow.fromarray(grey).convert(mode).save(file, "PNG")
    assert np.array_equal(read_image(file.getvalue(), "a", channels).planes, grey[None])


def test_where_white_is_zero_light_is_still_light() -> None:
    image = pixels()
    assert np.array_equal(read_image(tiff(image, photometric="miniswhite"), "a").planes, 65535 - image[None])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.325, "PhysicalSizeXUnit": "µm"}}, 0.325),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 325, "PhysicalSizeXUnit": "nm"}}, 0.325),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.5}}, 0.5),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 2, "PhysicalSizeXUnit": "pixel"}}, None),
        ({"imagej": True, "resolution": (4, 4), "metadata": {"unit": "um"}}, 0.25),
        ({"imagej": True, "resolution": (4, 4), "metadata": {"unit": "\\u00B5m"}}, 0.25),
        ({"imagej": True, "resolution": (4000, 4000), "metadata": {"unit": "mm"}}, 0.25),
        ({"imagej": True, "resolution": (4, 4)}, None),
        ({"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}, 0.5),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({"resolution": (20000, 20000), "resolutionunit": "NONE"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_pixel_size_is_read_where_its_unit_is_clear(options: dict[str, Any], expected: float | None) -> None:
    assert read_image(tiff(**options), "a.tif").pixel_size == pytest.approx(expected)


OBLONG = {"PhysicalSizeX": 0.65, "PhysicalSizeY": 1.3}


@pytest.mark.parametrize(
    "options",
    [
        {"ome": True, "metadata": {"axes": "YX", **OBLONG}},
        {"ome": True, "metadata": {"axes": "YX", **OBLONG, "PhysicalSizeY": 1300, "PhysicalSizeYUnit": "nm"}},
        {"imagej": True, "resolution": (1 / 0.65, 1 / 1.3), "metadata": {"unit": "um"}},
        {"resolution": (1e4 / 0.65, 1e4 / 1.3), "resolutionunit": "CENTIMETER"},
    ],
    ids=str,
)
def test_pixels_that_are_not_square_are_refused_with_their_size(options: dict[str, Any]) -> None:
    with pytest.raises(
        Unreadable, match=r"^a\.tif has pixels of 0\.65 x 1\.3 µm; only square ones are read$"
    ) as caught:
        read_image(tiff(**options), "a.tif")
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("height", [0.653, "none", 0])
def test_pixels_count_as_square_up_to_a_hundredth_or_where_their_height_says_nothing(height: Any) -> None:
    metadata = {"axes": "YX", "PhysicalSizeX": 0.65, "PhysicalSizeY": height}
    assert read_image(tiff(ome=True, metadata=metadata), "a.tif").pixel_size == 0.65


def test_too_many_pixels_are_told_from_the_header_for_whole_stacks_too() -> None:
    description = "ImageJ=1.54\nimages=9999\nslices=9999\nhyperstack=true\n"
    data = tiff(pixels(200, 200), description=description, metadata=None, photometric="minisblack")
    with pytest.raises(Unreadable) as caught:
        read_image(data, "a.tif")
    assert caught.value.reason == "too_large"


def test_a_description_that_names_other_files_opens_none_of_them(tmp_path: Any) -> None:
    other = tmp_path / "secret.ome.tif"
    other.write_bytes(tiff(stack(2, 20, 30), ome=True))
    image = pixels(20, 30)
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeC="1" SizeZ="2" '
        'SizeT="1">'
        f'<TiffData IFD="0" FirstZ="0"><UUID FileName="{other}">urn:uuid:1</UUID></TiffData>'
        f'<TiffData IFD="1" FirstZ="1"><UUID FileName="{other}">urn:uuid:1</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    read = read_image(tiff(image, description=xml, metadata=None), "a.ome.tif")
    assert np.array_equal(read.planes, image[None])


def test_planes_that_the_description_promises_and_the_file_lacks_are_not_made_up() -> None:
    whole = tiff(stack(3, 20, 30), ome=True, metadata={"axes": "ZYX"}, compression="zlib", photometric="minisblack")
    with pytest.raises(Unreadable) as caught:
        read_image(whole.replace(b'SizeZ="3"', b'SizeZ="5"').replace(b'PlaneCount="3"', b'PlaneCount="5"'), "a")
    assert caught.value.reason == "bad_input"


def test_thousands_of_bad_images_leave_the_interpreter_whole() -> None:
    """A decoder that takes references from None ends the process after some thousand failures."""
    gc.collect()
    gc.disable()  # what it would collect holds references, too
    try:
        for name, (data, _) in BAD_IMAGES.items():
            before = sys.getrefcount(None)
            for _ in range(30 if len(data) < 10_000 else 0):
                with suppress(Unreadable):
                    read_image(data, name)
            assert sys.getrefcount(None) > before - 15, name
    finally:
        gc.enable()


def test_pages_in_a_circle_are_noticed_as_such() -> None:
    with pytest.raises(Unreadable, match="go in a circle"):
        read_image(BAD_IMAGES["tiff_page_of_itself.tif"][0], "a")


def test_only_the_first_image_of_an_animation_is_read() -> None:
    frames = [Pillow.fromarray(pixels(dtype="uint8", seed=seed)) for seed in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_image(file.getvalue(), "a").planes, pixels(dtype="uint8")[None])


def test_nothing_is_written_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for name, (data, _) in BAD_IMAGES.items():
            with pytest.raises(Unreadable):
                read_image(data, name)
    assert not caplog.records


WHOLE = [
    tiff(),
    tiff(compression="zlib"),
    tiff(compression="lzw", tile=(32, 32)),
    tiff(stack(3, 2, 20, 30), ome=True, metadata={"axes": "ZCYX"}, photometric="minisblack"),
    tiff(stack(3, 2, 20, 30), imagej=True, metadata={"axes": "ZCYX"}, photometric="minisblack"),
    tiff(pixels(dtype="uint8"), compression="jpeg"),
    png(),
    png(stack(20, 30, 3, dtype="uint8")),
]


@settings(max_examples=150)
@given(st.integers(0, len(WHOLE) - 1), st.floats(0, 0.999))
def test_a_file_cut_anywhere_is_refused_or_gives_all_its_pixels(number: int, share: float) -> None:
    whole = WHOLE[number]
    try:
        read = read_image(whole[: int(len(whole) * share)], "a", 1)
    except Unreadable as error:
        assert error.reason == "bad_input"
    else:
        assert np.array_equal(read.planes, read_image(whole, "a", 1).planes)


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.data())
def test_a_damaged_file_never_raises_anything_else(number: int, data: st.DataObject) -> None:
    whole = WHOLE[number]
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(400, len(whole) - 1)))] = data.draw(st.integers(0, 255))
    try:
        planes = read_image(bytes(damaged), "a", 1).planes
    except Unreadable:
        return
    assert planes.dtype in (np.uint8, np.uint16)
    assert planes.ndim == 3


def test_a_file_is_let_go_of_as_soon_as_it_was_read() -> None:
    data = tiff()
    gc.collect()
    gc.disable()
    try:
        before = sys.getrefcount(data)
        read_image(data, "a.tif", None)
        assert sys.getrefcount(data) == before
    finally:
        gc.enable()
