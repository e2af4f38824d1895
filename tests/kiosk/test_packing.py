import io
import os
import zipfile
from pathlib import Path

import pytest

from kiosk.client.packing import Parcel, pack
from kiosk.errors import CannotSend


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def names_in(parcel: Parcel) -> list[str]:
    data = b"".join(parcel.pieces())
    assert len(data) == parcel.size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        return archive.namelist()


def test_one_image_goes_as_itself(tmp_path: Path) -> None:
    write(tmp_path, "a b.tif")
    [parcel] = pack([tmp_path / "a b.tif"])
    assert (parcel.name, parcel.packed, parcel.size) == ("a b.tif", False, 7)
    assert b"".join(parcel.pieces()) == b"a b.tif"


def test_a_folder_becomes_a_zip_named_after_it_in_a_fixed_order(tmp_path: Path) -> None:
    write(tmp_path / "plate 1", "b.tif", "a.tif", "z/1.tif", "c.lsm")
    [parcel] = pack([tmp_path / "plate 1"])
    assert parcel.name == "plate 1.zip"
    assert names_in(parcel) == ["a.tif", "b.tif", "c.lsm", "z/1.tif"]
    assert b"".join(parcel.pieces()) == b"".join(parcel.pieces())


def test_each_zip_is_a_job_and_everything_else_one_more(tmp_path: Path) -> None:
    write(tmp_path, "x.ZIP", "y.zip", "1.tif", "2.tif", "folder/3.tif")
    parcels = pack([tmp_path / name for name in ("1.tif", "x.ZIP", "folder", "2.tif", "y.zip")])
    assert [parcel.name for parcel in parcels] == ["x.ZIP", "y.zip", "images.zip"]
    assert names_in(parcels[2]) == ["1.tif", "2.tif", "folder/3.tif"]


def test_files_of_one_name_from_two_folders_keep_apart(tmp_path: Path) -> None:
    write(tmp_path, "p1/a.tif", "p2/a.tif")
    [parcel] = pack([tmp_path / "p1" / "a.tif", tmp_path / "p2" / "a.tif"])
    assert names_in(parcel) == ["p1/a.tif", "p2/a.tif"]


def test_a_file_named_twice_is_sent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "p/a.tif", "p/b.tif")
    monkeypatch.chdir(tmp_path)
    [parcel] = pack([Path("p"), Path("p/a.tif"), tmp_path / "p"])
    assert [name.rsplit("/")[-1] for name in names_in(parcel)] == ["a.tif", "b.tif"]


def test_hidden_files_and_what_systems_leave_behind_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "p", "a.tif", ".DS_Store", "._a.tif", "Thumbs.db", "desktop.ini", "__MACOSX/a.tif", ".git/x")
    [parcel] = pack([tmp_path / "p"])
    assert names_in(parcel) == ["a.tif"]


def test_what_is_no_image_by_its_name_is_left_out_of_folders_and_told(tmp_path: Path) -> None:
    write(tmp_path / "p", "a.tif", "README.txt", "z/Plan.XLSX", "b.czi", "without ending")
    [parcel] = pack([tmp_path / "p"])
    assert names_in(parcel) == ["a.tif", "b.czi", "without ending"]
    assert parcel.left_out == ("README.txt", "z/Plan.XLSX")


def test_a_file_that_is_named_itself_is_sent_whatever_it_is_called(tmp_path: Path) -> None:
    write(tmp_path / "p", "a.tif", "notes.txt")
    [parcel] = pack([tmp_path / "p", tmp_path / "p" / "notes.txt"])
    assert [name.rsplit("/")[-1] for name in names_in(parcel)] == ["a.tif", "notes.txt"]
    assert parcel.left_out == ()
    assert not pack([tmp_path / "p" / "notes.txt"])[0].packed


def test_links_are_followed_but_never_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path, "far/a.tif", "p/b.tif")
    (tmp_path / "p" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "p" / "round").symlink_to(tmp_path / "p")
    [parcel] = pack([tmp_path / "p"])
    assert names_in(parcel) == ["b.tif", "far/a.tif"]


def test_names_that_are_no_text_are_sent_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "p") + b"/gr\xf6sse.tif")).write_bytes(b"x")
    write(tmp_path / "p", "größe.tif")
    assert len(names_in(pack([tmp_path / "p"])[0])) == 2


def test_what_can_not_be_sent_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    write(tmp_path, "p/a.tif", "tables/a.csv")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "p" / "broken.tif").symlink_to(tmp_path / "gone.tif")
    os.mkfifo(tmp_path / "pipe")
    for name, words in [
        ("missing.tif", "doesn't exist"),
        ("nothing", "no files"),
        ("tables", "no images, only a.csv, in"),
        ("empty.tif", "is empty"),
        ("p", "broken.tif can't be read"),
        ("pipe", "neither a file nor a folder"),
    ]:
        with pytest.raises(CannotSend, match=words):
            pack([tmp_path / name])


def test_a_file_that_changes_while_it_is_sent_is_named(tmp_path: Path) -> None:
    write(tmp_path / "p", "a.tif", "b.tif")
    [parcel] = pack([tmp_path / "p"])
    pieces = parcel.pieces()
    next(pieces)
    (tmp_path / "p" / "b.tif").write_bytes(b"longer than before")
    with pytest.raises(CannotSend, match=r"b\.tif"):
        list(pieces)
    (tmp_path / "p" / "a.tif").unlink()
    with pytest.raises(CannotSend, match=r"a\.tif"):
        list(parcel.pieces())
