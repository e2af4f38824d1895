"""What looks odd from outside and is in order: nobody is accused of it."""

import time
from collections.abc import Iterator

from loadgen.bucket import Seen
from loadgen.topics import Record
from loadgen.verify.anomalies import Kind
from loadgen.verify.audit import verify
from loadgen.verify.checks import Moment
from storage import keys
from streams import rounds
from streams.events import ImageEnded, UploadReceived
from streams.jobs import markers
from tests.loadgen.stand import MemoryBucket, MemoryTopics, Scene, work
from tests.streams.stand import SIZED


def test_an_outcome_told_twice_is_counted_and_no_anomaly(scene: Scene) -> None:
    scene.announce(ImageEnded(job=scene.job, image=0, outcome="labelled"))
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["events"], told["repeated_events"]) == (0, 5, 1)


def test_a_label_over_a_rejection_of_the_same_round_counts_once(scene: Scene) -> None:  # rule 2
    rejection = scene.read(keys.rejection(scene.job, 3, 0)) | {"image": 1, "name": "b.tif", "reason": "timeout"}
    scene.write(keys.rejection(scene.job, 1, 0), rejection)
    scene.announce(ImageEnded(job=scene.job, image=1, outcome="rejected", reason="timeout"))
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["labelled"], told["rejected"], told["overruled"]) == (0, 3, 1, 1)


def test_a_label_that_came_after_the_end_may_be_counted_either_way(scene: Scene) -> None:  # rule 2
    rejection = scene.read(keys.rejection(scene.job, 3, 0)) | {"image": 1, "name": "b.tif", "reason": "timeout"}
    scene.write(keys.rejection(scene.job, 1, 0), rejection)
    scene.announce(ImageEnded(job=scene.job, image=1, outcome="rejected", reason="timeout"))
    scene.change(keys.done(scene.job), labelled=2, rejected=2)
    assert scene.found(settled=True) == set()


def test_a_replayed_job_is_in_order_while_it_runs_and_when_it_is_done(scene: Scene) -> None:  # rule 6
    replay = rounds.replay(scene.store, scene.job)
    running = scene.audit().as_json()
    assert (running["anomalies"], running["rejected"], running["in_flight"]) == (0, 0, 1)
    work(scene, *rounds.slices(replay))
    done = scene.audit(settled=True).as_json()
    assert (done["anomalies"], done["rejected"], done["in_flight"]) == (0, 1, 0), done["examples"]


def test_a_replay_that_is_begun_and_ends_while_we_look_is_in_order(scene: Scene) -> None:  # rule 6
    class Busy(MemoryBucket):
        def list(self, prefix: str) -> Iterator[Seen]:
            if prefix == keys.rejected_prefix(scene.job):
                work(scene, *rounds.slices(rounds.replay(scene.store, scene.job)))
            return super().list(prefix)

    scene.topics.rewind()
    report = verify(Busy(scene.store), scene.topics, Moment(time.time()))
    assert report.as_json()["anomalies"] == 0, report.as_json()["examples"]


def test_an_image_whose_replay_never_ended_is_lost_where_all_should_have(scene: Scene) -> None:  # rule 6
    rounds.replay(scene.store, scene.job)
    assert scene.found(settled=True) == {Kind.LOST}
    assert scene.found(settled=False, now=time.time() + 2 * 24 * 3600) == {Kind.DEADLINE}


def test_what_a_cancelled_job_did_not_do_is_cancelled(scene: Scene) -> None:  # rule 5
    scene.store.delete([keys.labels(scene.job, 1), *(stat.key for stat in scene.store.list("tally/"))])
    scene.silence(1)
    scene.reopen()
    markers.cancel(scene.store, scene.job)
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["labelled"], told["cancelled"], told["in_flight"]) == (0, 2, 1, 0)


def test_a_label_that_lands_after_the_cancellation_counts_even_unannounced(scene: Scene) -> None:  # rule 5
    scene.silence(1)
    scene.reopen()
    markers.cancel(scene.store, scene.job)
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["labelled"], told["cancelled"]) == (0, 3, 0)


def test_a_job_that_was_cancelled_before_it_was_listed_lost_nothing(scene: Scene) -> None:  # rule 5
    accepted = keys.job(scene.job)
    everything = [stat.key for stat in scene.store.list("") if scene.job in stat.key and stat.key != accepted]
    scene.store.delete(everything)
    scene.topics.values["outcomes"].clear()
    assert scene.found(settled=True) == {Kind.LOST}
    markers.cancel(scene.store, scene.job)
    assert scene.found(settled=True) == set()


def test_what_retention_may_have_taken_is_not_judged_but_said(scene: Scene) -> None:  # rule 7
    scene.silence(2)
    scene.topics.gone = {"outcomes": {0}}
    report = scene.audit(settled=True)
    assert not report.findings.total
    assert "no longer has its first records" in report.notes[0]


def test_a_partition_that_still_has_everything_is_judged(scene: Scene) -> None:
    scene.silence(2)
    scene.topics.gone = {"outcomes": {1}}
    assert scene.found(settled=True) == {Kind.UNANNOUNCED}


def test_without_topics_only_the_bucket_is_judged(scene: Scene) -> None:
    scene.silence(2)
    report = scene.audit(settled=True, topics=None)
    assert not report.findings.total
    assert "topics were not read" in report.notes[0]


def test_an_outcome_that_is_announced_while_we_look_is_heard(scene: Scene) -> None:
    class Late(MemoryTopics):
        def read(self, topic: str) -> Iterator[Record]:
            if topic == "outcomes" and topic in self._next:
                self.values[topic].append(ImageEnded(job=scene.job, image=2, outcome="labelled").encode())
            return super().read(topic)

    late = Late([])
    scene.silence(2)
    late.values = scene.topics.values
    assert scene.found(settled=True, topics=late) == set()


def test_an_outcome_just_stored_is_too_young_to_be_judged(scene: Scene) -> None:
    scene.silence(2)
    report = scene.audit()
    assert not report.findings.total
    assert "1 outcomes are too young" in report.notes[0]
    assert scene.found(settled=False, now=time.time() + 600) == {Kind.UNANNOUNCED}


def test_a_tally_may_lag_behind(scene: Scene) -> None:  # rule 3
    scene.store.delete([stat.key for stat in scene.store.list("tally/")])
    assert scene.found(settled=True) == set()


def test_an_upload_nobody_answered_for_yet_is_not_lost(scene: Scene) -> None:
    scene.announce(UploadReceived(object="uploads/u2/other.zip"))
    scene.topics.answered = 1
    assert scene.found(settled=False) == set()
    assert scene.found(settled=True) == {Kind.LOST}


def test_an_upload_that_was_set_aside_is_not_lost(scene: Scene) -> None:  # rule 8
    scene.topics.values["uploads"].append(b"\xff")
    scene.store.put(keys.quarantine("uploads", 0, 1), b"\xff")
    assert scene.found(settled=True) == set()


def test_the_same_upload_announced_twice_is_one_job_and_in_order(scene: Scene) -> None:  # rule 8
    work(scene, UploadReceived(object="uploads/u1/plate.zip", options=SIZED))
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["jobs"]) == (0, 1)


def test_refused_uploads_are_jobs_of_one_rejected_image_each(scene: Scene) -> None:
    upload = UploadReceived(object="uploads/u1/plate.zip", model="nobody's")
    work(scene, upload, upload.model_copy(update={"options": {"diameter": 30}}))
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["jobs"], told["rejected"]) == (0, 3, 3), told["examples"]


def test_a_deleted_job_is_missed_by_nobody(scene: Scene) -> None:  # rule 7
    everything = [stat.key for stat in scene.store.list("") if scene.job in stat.key]
    scene.store.delete(everything)
    scene.write(keys.deleted(scene.job), {"job": scene.job, "object": "uploads/u1/plate.zip"})
    told = scene.audit(settled=True).as_json()
    assert (told["anomalies"], told["jobs"]) == (0, 0)


def test_records_that_are_no_outcomes_are_passed_and_said(scene: Scene) -> None:  # rule 24
    scene.topics.values["outcomes"] += [b"", b"\xff", b'{"v": 9, "job": "j", "image": 1, "outcome": "labelled"}']
    report = scene.audit(settled=True)
    assert not report.findings.total
    assert "3 records on outcomes are no outcomes" in report.notes[0]


def test_what_a_job_left_may_lie_until_it_is_swept(scene: Scene) -> None:
    scene.store.put(keys.tile_maps(scene.job, 0, "plan", 0), b"maps")
    scene.store.put(keys.tile_maps("ghost", 0, "plan", 0), b"maps")
    assert scene.found(settled=False, now=time.time() + 3600) == set()
    assert scene.audit(now=time.time() + 3 * 3600).findings.total == 1
    assert scene.audit(now=time.time() + 3 * 24 * 3600).findings.total == 2


def test_only_the_named_job_is_judged(scene: Scene) -> None:
    scene.store.put(keys.labels("ghost", 0), b"tif")
    scene.announce(ImageEnded(job="ghost", image=0, outcome="labelled"))
    assert scene.found(settled=True, jobs=[scene.job]) == set()


def test_without_checksums_no_outcome_is_opened(scene: Scene) -> None:
    scene.store.put(keys.labels(scene.job, 0), b"junk")
    assert scene.found(settled=True) == {Kind.CHECKSUM}
    assert scene.found(settled=True, checksums=False) == set()
