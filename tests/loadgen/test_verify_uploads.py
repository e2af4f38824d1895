"""Each upload became a job of its own bytes: another job under the same key says nothing of it."""

import time

import pytest

from loadgen.verify.anomalies import Kind
from storage import keys
from streams.events import UploadReceived
from tests.loadgen.stand import Scene, work
from tests.streams import stand

PLATE = "uploads/u1/plate.zip"
INBOX = "inbox/nuclei/plate.zip"
REPLACED = UploadReceived(object=PLATE, etag="another", job="f" * 20)


def delete_a_job(scene: Scene, etag: str) -> None:
    scene.write(keys.deleted("0" * 20), {"job": "0" * 20, "object": INBOX, "etag": etag, "deleted": time.time()})


def test_an_upload_of_a_replaced_object_that_became_nothing_is_lost(scene: Scene) -> None:  # rule 8
    scene.announce(REPLACED)
    assert scene.found() == {Kind.LOST}


def test_a_refused_job_stands_for_no_other_bytes(scene: Scene) -> None:  # rule 8
    scene.change(scene.key("job.json"), refused="there is no such model")
    scene.announce(REPLACED)
    assert scene.found() == {Kind.LOST}


def test_an_upload_that_became_nothing_is_lost_where_another_job_was_deleted(scene: Scene) -> None:  # rule 7
    delete_a_job(scene, "old")
    scene.announce(UploadReceived(object=INBOX, etag="new", job="e" * 20))
    assert scene.found() == {Kind.LOST}


@pytest.mark.parametrize(("etag", "deleted"), [("", "old"), ("old", "old"), ("old", "")])
def test_an_upload_whose_job_was_deleted_is_not_lost(scene: Scene, etag: str, deleted: str) -> None:  # rule 7
    delete_a_job(scene, deleted)
    scene.announce(UploadReceived(object=INBOX, etag=etag))
    assert scene.found() == set()


def test_an_upload_that_names_the_bytes_of_its_job_is_not_lost(scene: Scene) -> None:  # rule 8
    job = scene.read(scene.key("job.json"))
    scene.announce(UploadReceived(object=job["object"], etag=job["etag"], job="f" * 20, options=stand.SIZED))
    assert scene.found() == set()


def test_an_object_that_is_put_again_is_a_job_each_time(scene: Scene) -> None:  # rule 8
    etag = scene.store.put(PLATE, stand.archive({"a.tif": stand.tiff(seed=9)}))
    work(scene, UploadReceived(object=PLATE, etag=etag))
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["jobs"]) == (0, 2), told["examples"]


def test_what_lies_in_the_inbox_and_became_no_job_is_lost(scene: Scene) -> None:  # rule 8
    scene.store.put("inbox/nuclei/forgotten.tif", stand.tiff())
    later = time.time() + 200
    assert scene.found(settled=False) == set()
    [anomaly] = scene.audit(now=later).findings.examples
    assert anomaly.kind is Kind.LOST
    assert anomaly.sentence.startswith("inbox/nuclei/forgotten.tif lies in the inbox for 200 s")


def test_what_was_put_over_a_job_of_the_inbox_became_no_job_itself(scene: Scene) -> None:  # rule 8
    old = scene.store.put(INBOX, stand.archive({"a.tif": stand.tiff(seed=9)}))
    work(scene, UploadReceived(object=INBOX, etag=old))
    assert scene.found() == set()
    scene.store.put(INBOX, stand.archive({"b.tif": stand.tiff(seed=10)}))
    assert scene.found() == {Kind.LOST}


@pytest.mark.parametrize("key", ["inbox/top.zip", "inbox/nuclei/plate.zip.json", "inbox/nuclei/a\nb.tif"])
def test_what_nobody_takes_from_the_inbox_is_not_lost(scene: Scene, key: str) -> None:
    scene.store.put(key, b"{}")
    assert scene.found() == set()


def test_what_was_deleted_after_its_job_is_not_lost(scene: Scene) -> None:  # rule 7
    delete_a_job(scene, scene.store.put(INBOX, b"an archive"))
    assert scene.found() == set()
