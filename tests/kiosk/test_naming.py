import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.api.naming import overlay_names, result_names, safe_path
from kiosk.api.tokens import safe_name


def test_results_are_named_after_the_path_in_the_upload_without_its_extension() -> None:
    assert result_names(["well A1/dapi.tif", "b.ome.tiff", "c"]) == ["well A1/dapi", "b.ome", "c"]


def test_images_that_differ_in_their_extension_only_keep_it() -> None:
    assert result_names(["a.tif", "a.png", "b.tif"]) == ["a.tif", "a.png", "b"]


def test_images_that_differ_in_capital_letters_only_keep_their_extension_or_get_a_number() -> None:
    assert result_names(["A.tif", "a.png"]) == ["A.tif", "a.png"]
    assert result_names(["A.tif", "a.tif", "a.TIF"]) == ["A.tif", "a.tif-2", "a.TIF-3"]


def test_a_kept_extension_never_meets_the_name_of_another_image() -> None:
    assert result_names(["a.tif", "a.png", "a.tif.png"]) == ["a.tif-2", "a.png", "a.tif"]


def test_an_image_can_not_be_named_like_a_folder_of_results() -> None:
    assert result_names(["x.tif", "x.tif/y.png"]) == ["x.tif", "x.tif/y"]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../x.tif", "C:\\x\\..\\y.tif", "a/./b//c.tif", "con.tif", "..", "x. "]
)
def test_no_name_leads_out_of_the_results_folder(name: str) -> None:
    path = safe_path(name)
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    assert ":" not in path and "\\" not in path


def test_names_too_long_for_a_file_system_are_cut_and_keep_their_extension() -> None:
    path = safe_path("ä" * 300 + ".tif")
    assert len(path.encode()) <= 200
    assert path.endswith(".tif")


PARTS = st.sampled_from(["a", "A", "a.tif", "A.png", "a.tif.tif", "a.tif-2", "..", "", "con", "a.tif.", "b"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3).map("/".join), max_size=12))
def test_no_two_images_share_a_file_name_on_any_file_system(images: list[str]) -> None:
    names = result_names(images)
    files = [f"{name}.tif".casefold() for name in names]
    assert len(set(files)) == len(images)
    folders = {"/".join(file.split("/")[:depth]) for file in files for depth in range(1, file.count("/") + 1)}
    assert not folders & set(files)


@given(st.text(max_size=300))
def test_the_key_of_an_upload_has_plain_letters_only(name: str) -> None:
    assert safe_name(name).isascii()
    assert "/" not in safe_name(name)
    assert 0 < len(safe_name(name)) <= 120


def test_the_planes_of_a_stack_have_overlays_of_their_own() -> None:
    assert overlay_names("a", 1, frozenset({"a"})) == ["overlays/a.png"]
    assert overlay_names("a", 2, frozenset({"a"})) == ["overlays/a_000.png", "overlays/a_001.png"]


def test_the_overlays_of_a_stack_don_t_overwrite_those_of_an_image_named_like_them() -> None:
    assert overlay_names("a", 2, frozenset({"a", "a_001"})) == ["overlays/a__000.png", "overlays/a__001.png"]
