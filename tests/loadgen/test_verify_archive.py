"""A manifest lists every file of its archive, as the archive itself tells."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadgen.hostile import zips
from loadgen.hostile.corpus import KINDS
from loadgen.hostile.kinds import Kind as Hostile
from loadgen.verify import archive
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.archive import Listed, NotCompared, unlisted
from loadgen.verify.books import read_books
from loadgen.verify.manifest import shards
from storage import keys
from storage.memory import MemoryStore
from streams.events import UploadReceived
from streams.jobs import ledger
from tests.loadgen.stand import MemoryBucket, Scene
from tests.streams.stand import Queue, run, tools

PLATE = "uploads/u1/plate.zip"
STRANGE = {"zip_with_a_fake_end", "zip_with_junk_behind", "zip_zip64_broken_extra"}
"""What the standard library can't read, or reads otherwise."""
ARCHIVES = [kind for kind in KINDS.values() if not kind.is_image and kind.name != "zip_of_100000_empty_members"]


def forget(scene: Scene, images: int) -> None:
    """As if the last images had never been in the archive."""
    key = keys.manifest_shard(scene.job, 0)
    scene.change(key, images=scene.read(key)["images"][: 4 - images])
    scene.change(keys.manifest_index(scene.job), images=4 - images)
    left = [keys.rejection(scene.job, 3, 0), *(keys.labels(scene.job, image) for image in range(4 - images, 3))]
    scene.store.delete([*left, *(stat.key for stat in scene.store.list("tally/"))])
    for image in range(4 - images, 4):
        scene.silence(image)
    scene.change(keys.done(scene.job), images=4 - images, labelled=min(3, 4 - images), rejected=0)


def test_a_manifest_that_lacks_files_of_the_archive_is_one_anomaly(scene: Scene) -> None:  # rule 10
    forget(scene, 2)
    [anomaly] = scene.audit(settled=True).findings.examples
    assert (anomaly.kind, anomaly.job) == (Kind.MANIFEST, scene.job)
    assert anomaly.sentence == f"the manifest of job {scene.job} lacks 2 of the 4 files of {PLATE}, the first 'c.tif'"


def test_a_manifest_that_lists_nothing_is_seen_even_where_no_outcome_is_read(scene: Scene) -> None:  # rule 10
    forget(scene, 4)
    scene.change(keys.manifest_index(scene.job), shards=0)
    assert scene.found(checksums=False) == {Kind.MANIFEST}


def test_another_name_is_another_file(scene: Scene) -> None:
    key = keys.manifest_shard(scene.job, 0)
    images = scene.read(key)["images"]
    scene.change(key, images=[*images[:3], images[3] | {"name": "e.tif"}])
    [anomaly] = [each for each in scene.audit().findings.examples if each.kind == Kind.MANIFEST]
    assert anomaly.sentence.endswith("lacks 1 of the 4 files of uploads/u1/plate.zip, the first 'd.tif'")


def test_two_files_that_changed_places_are_not_listed_as_they_are(scene: Scene) -> None:  # rule 10
    key = keys.manifest_shard(scene.job, 0)
    first, second, *rest = scene.read(key)["images"]
    swapped = [first | {"source": second["source"]}, second | {"source": first["source"]}]
    scene.change(key, images=[*swapped, *rest])
    assert scene.found(checksums=False) == {Kind.MANIFEST}  # their labels are, each, the other's


@pytest.mark.parametrize("data", [None, b"PK\3\4 of something else"])
def test_an_archive_that_is_not_there_any_more_is_no_anomaly_but_said(scene: Scene, data: bytes | None) -> None:
    forget(scene, 2)
    scene.store.delete([PLATE])
    if data:
        scene.store.put(PLATE, data)
    report = scene.audit(settled=True)
    assert not report.findings.total
    [note] = report.notes
    assert note == (
        f"1 archives were not compared with what their jobs list. The first: {PLATE} is gone, or was replaced."
    )


def test_a_directory_that_is_too_large_is_passed_over(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_DIRECTORY", 100)
    monkeypatch.setattr(archive, "TAIL", 30)
    report = scene.audit(settled=True)
    assert not report.findings.total
    assert "has a directory of" in report.notes[0]


def test_a_directory_beyond_what_is_read_at_first_is_asked_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "TAIL", 30)
    assert scene.found() == set()
    assert not scene.audit().notes
    forget(scene, 1)
    assert scene.found() == {Kind.MANIFEST}


def listed(data: bytes, forgotten: int | None = None) -> list[Anomaly]:
    """What is wrong with what the pipeline lists of an archive, if one entry is forgotten; raises `NotCompared`."""
    store = MemoryStore()
    store.put(PLATE, data)
    run(Queue(tools(store), ("unzip",)).work(UploadReceived(object=PLATE)))
    [job] = ledger.jobs(store)
    bucket = MemoryBucket(store)
    books, known = read_books(bucket, job.job), Listed()
    for entries in shards(bucket, books, []):
        known.take(entry for entry in entries if entry.image != forgotten)
    return list(unlisted(bucket, books, known))


@pytest.mark.parametrize("kind", ARCHIVES, ids=lambda kind: kind.name)
def test_of_a_hostile_archive_nothing_is_missed_that_the_pipeline_lists(kind: Hostile) -> None:
    if kind.name in STRANGE:
        with pytest.raises(NotCompared):
            listed(kind.make(1))
    else:
        assert not listed(kind.make(1))


NAMES = st.binary(max_size=12) | st.lists(
    st.sampled_from(
        [*"a./\\:~é細\0\x9b", ".tif", "__MACOSX", "__macosx/", "Thumbs.db", "DESKTOP.INI", "..", "/.", "x" * 990]
    ),
    max_size=6,
).map(lambda parts: "".join(parts).encode())


@settings(max_examples=60)
@given(st.lists(NAMES.filter(lambda name: not name.endswith(b"\n")), max_size=5), st.integers(0, 5))
@example([b".", b"..", b"...", b"", b"a/..", b"__MACOSX"], 3)
@example([b"\xff\xfe", b"\xc3\x28.tif", b"\x84\\.b", "é".encode()], 2)
def test_names_are_understood_as_the_pipeline_does(names: list[bytes], forgotten: int) -> None:
    data = zips.write([zips.store(b"first.tif", b"x"), *(zips.store(name, b"x") for name in names)])
    assert not listed(data)
    assert len(listed(data, forgotten=0)) == 1
    counted = listed(data, forgotten)
    assert all(anomaly.kind == Kind.MANIFEST for anomaly in counted)
