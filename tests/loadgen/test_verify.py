"""The auditor finds what is planted, each under its own name, and accuses nobody else."""

import time
from collections.abc import Callable

import pytest

from loadgen.verify.anomalies import Kind
from loadgen.verify.audit import NoSuchJob
from storage import keys
from streams.events import ImageEnded, UploadReceived
from tests.loadgen.stand import Scene

DAY = 24 * 3600.0
Plant = Callable[[Scene], object]


def test_a_healthy_job_has_none(scene: Scene) -> None:
    report = scene.audit(settled=True)
    told = report.as_json()
    assert told["anomalies"] == 0, told["examples"]
    assert (told["jobs"], told["images"], told["labelled"], told["rejected"], told["in_flight"]) == (1, 4, 3, 1, 0)
    assert told["events"] == 4


def deleted_label(scene: Scene) -> None:
    scene.store.delete([keys.labels(scene.job, 1)])


def deleted_label_and_its_event(scene: Scene) -> None:
    deleted_label(scene)
    scene.silence(1)


def image_that_no_tally_knows_either(scene: Scene) -> None:
    deleted_label_and_its_event(scene)
    scene.store.delete([stat.key for stat in scene.store.list("tally/")])


def flipped_byte(scene: Scene) -> None:
    key = keys.labels(scene.job, 0)
    data = bytearray(scene.store.get(key))
    data[-20] ^= 1
    scene.store.put(key, bytes(data))


def label_of_another_image(scene: Scene) -> None:
    scene.store.put(keys.labels(scene.job, 0), scene.store.get(keys.labels(scene.job, 1)))


def label_of_another_model(scene: Scene) -> None:
    scene.change(scene.key("job.json"), model_digest="0" * 64)


def label_cut_short(scene: Scene) -> None:
    key = keys.labels(scene.job, 0)
    scene.store.put(key, scene.store.get(key)[:-100])


def rejection_of_another_image(scene: Scene) -> None:
    scene.change(keys.rejection(scene.job, 3, 0), image=2)


def rejection_for_another_name(scene: Scene) -> None:
    change_event(scene, name="other.tif")


def rejection_for_another_number(scene: Scene) -> None:
    change_event(scene, image=2)


def rejection_for_another_key(scene: Scene) -> None:
    change_source(scene, key="uploads/u2/plate.zip")


def rejection_for_an_object_that_was_replaced(scene: Scene) -> None:
    change_source(scene, etag="another")


def rejection_for_another_place(scene: Scene) -> None:
    change_source(scene, offset=0)


def rejection_for_another_checksum(scene: Scene) -> None:
    change_source(scene, crc=1)


def change_event(scene: Scene, **fields: object) -> None:
    key = keys.rejection(scene.job, 3, 0)
    scene.change(key, event=scene.read(key)["event"] | fields)


def change_source(scene: Scene, **fields: object) -> None:
    source = scene.read(keys.rejection(scene.job, 3, 0))["event"]["source"]
    change_event(scene, source=source | fields)


def rejection_of_no_round(scene: Scene) -> None:
    rejection = scene.read(keys.rejection(scene.job, 3, 0))
    scene.write(keys.rejection(scene.job, 3, 1), rejection | {"round": 1})


def tally_with_a_bit_too_many(scene: Scene) -> None:
    scene.store.put(keys.tally(scene.job, "1-x"), bytes([0, 0, 0, 1, 0b1111, 0, 0, 0, 0]))


def tally_with_a_rejection_too_many(scene: Scene) -> None:
    scene.store.put(keys.tally(scene.job, "1-x"), bytes([0, 0, 0, 0, 0, 0, 0, 1, 0b0001]))


def tally_that_is_none(scene: Scene) -> None:
    scene.store.put(keys.tally(scene.job, "1-x"), b"\0\0\0\x09")


def end_with_a_wrong_count(scene: Scene) -> None:
    scene.change(scene.key("done.json"), labelled=4, rejected=0)


def end_that_adds_up_to_too_many(scene: Scene) -> None:
    scene.change(scene.key("done.json"), cancelled=1)


def outcome_nobody_announced(scene: Scene) -> None:
    scene.silence(2)


def rejection_nobody_announced(scene: Scene) -> None:
    scene.silence(3)


def event_without_object(scene: Scene) -> None:
    scene.announce(ImageEnded(job=scene.job, image=0, outcome="rejected", reason="bad_input"))


def event_beyond_the_manifest(scene: Scene) -> None:
    scene.announce(ImageEnded(job=scene.job, image=4, outcome="labelled"))


def event_of_no_job(scene: Scene) -> None:
    scene.announce(ImageEnded(job="ghost", image=0, outcome="labelled"))


def outcome_beyond_the_manifest(scene: Scene) -> None:
    scene.store.put(keys.labels(scene.job, 4), scene.store.get(keys.labels(scene.job, 0)))


def outcome_of_no_job(scene: Scene) -> None:
    scene.store.put(keys.labels("ghost", 0), scene.store.get(keys.labels(scene.job, 0)))


def label_under_a_key_of_its_own(scene: Scene) -> None:
    scene.store.put(scene.key("labels/00000/0.tif"), scene.store.get(keys.labels(scene.job, 0)))


def shard_that_is_gone(scene: Scene) -> None:
    scene.store.delete([keys.manifest_shard(scene.job, 0)])


def shard_out_of_order(scene: Scene) -> None:
    key = keys.manifest_shard(scene.job, 0)
    scene.change(key, images=scene.read(key)["images"][::-1])


def shard_of_too_few(scene: Scene) -> None:
    key = keys.manifest_shard(scene.job, 0)
    scene.change(key, images=scene.read(key)["images"][:-1])


def index_with_too_many_shards(scene: Scene) -> None:
    scene.change(keys.manifest_index(scene.job), shards=2)


def index_that_is_gone(scene: Scene) -> None:
    scene.store.delete([keys.manifest_index(scene.job)])


def file_listed_twice(scene: Scene) -> None:
    key = keys.manifest_shard(scene.job, 0)
    images = scene.read(key)["images"]
    scene.change(key, images=[*images[:3], images[3] | {"source": images[0]["source"]}])
    change_source(scene, **images[0]["source"])


def job_done_twice(scene: Scene) -> None:
    twin = "f" * len(scene.job)
    for stat in list(scene.store.list(scene.key(""))):
        named = scene.store.get(stat.key).replace(scene.job.encode(), twin.encode())
        scene.store.put(stat.key.replace(scene.job, twin), named)
    for value in list(scene.topics.values["outcomes"]):
        scene.announce(ImageEnded.decode(value).model_copy(update={"job": twin}))


def open_marker(scene: Scene) -> None:
    scene.write(keys.open_job(scene.job), {})


def open_marker_of_no_job(scene: Scene) -> None:
    scene.write(keys.open_job("ghost"), {})


def scratch(scene: Scene) -> None:
    scene.store.put(keys.tile_maps(scene.job, 0, "plan", 0), b"maps")


def scratch_of_no_job(scene: Scene) -> None:
    scene.store.put(keys.tile_maps("ghost", 0, "plan", 0), b"maps")


def tally_of_no_job(scene: Scene) -> None:
    scene.store.put(keys.tally("ghost", "x"), b"")


def upload_that_became_nothing(scene: Scene) -> None:
    scene.announce(UploadReceived(object="uploads/u2/other.zip"))


def upload_with_other_options_that_became_nothing(scene: Scene) -> None:
    scene.announce(UploadReceived(object="uploads/u1/plate.zip", options={"diameter": 30}))


def junk_that_nobody_set_aside(scene: Scene) -> None:
    scene.topics.values["uploads"].append(b"\xff")


def job_that_was_never_listed(scene: Scene) -> None:
    everything = [stat.key for stat in scene.store.list(scene.key("")) if not stat.key.endswith("job.json")]
    scene.store.delete([*everything, *(stat.key for stat in scene.store.list("tally/"))])
    scene.topics.values["outcomes"].clear()


@pytest.mark.parametrize(
    ("plant", "kinds"),
    [
        (deleted_label, {Kind.LOST, Kind.WITHOUT_OBJECT, Kind.TALLY}),
        (deleted_label_and_its_event, {Kind.LOST, Kind.TALLY}),
        (image_that_no_tally_knows_either, {Kind.LOST, Kind.TALLY}),
        (flipped_byte, {Kind.CHECKSUM}),
        (label_of_another_image, {Kind.CHECKSUM}),
        (label_of_another_model, {Kind.CHECKSUM}),
        (label_cut_short, {Kind.CHECKSUM}),
        (rejection_of_another_image, {Kind.CHECKSUM}),
        (rejection_for_another_name, {Kind.CHECKSUM}),
        (rejection_for_another_number, {Kind.CHECKSUM}),
        (rejection_for_another_key, {Kind.CHECKSUM}),
        (rejection_for_an_object_that_was_replaced, {Kind.CHECKSUM}),
        (rejection_for_another_place, {Kind.CHECKSUM}),
        (rejection_for_another_checksum, {Kind.CHECKSUM}),
        (tally_with_a_bit_too_many, {Kind.TALLY}),
        (tally_with_a_rejection_too_many, {Kind.TALLY}),
        (tally_that_is_none, {Kind.TALLY}),
        (end_with_a_wrong_count, {Kind.TALLY}),
        (end_that_adds_up_to_too_many, {Kind.TALLY}),
        (outcome_nobody_announced, {Kind.UNANNOUNCED}),
        (rejection_nobody_announced, {Kind.UNANNOUNCED}),
        (event_without_object, {Kind.WITHOUT_OBJECT}),
        (event_beyond_the_manifest, {Kind.ORPHAN}),
        (event_of_no_job, {Kind.ORPHAN}),
        (outcome_beyond_the_manifest, {Kind.ORPHAN}),
        (outcome_of_no_job, {Kind.ORPHAN}),
        (label_under_a_key_of_its_own, {Kind.ORPHAN}),
        (rejection_of_no_round, {Kind.ORPHAN}),
        (shard_that_is_gone, {Kind.MANIFEST}),
        (shard_out_of_order, {Kind.MANIFEST}),
        (shard_of_too_few, {Kind.MANIFEST}),
        (index_with_too_many_shards, {Kind.MANIFEST}),
        (index_that_is_gone, {Kind.MANIFEST}),
        (file_listed_twice, {Kind.DUPLICATED, Kind.MANIFEST}),
        (job_done_twice, {Kind.DUPLICATED}),
        (open_marker, {Kind.LEFTOVER}),
        (open_marker_of_no_job, {Kind.LEFTOVER}),
        (scratch, {Kind.LEFTOVER}),
        (scratch_of_no_job, {Kind.LEFTOVER}),
        (tally_of_no_job, {Kind.LEFTOVER}),
        (upload_that_became_nothing, {Kind.LOST}),
        (upload_with_other_options_that_became_nothing, {Kind.LOST}),
        (junk_that_nobody_set_aside, {Kind.LOST}),
        (job_that_was_never_listed, {Kind.LOST}),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_what_is_planted_is_found(scene: Scene, plant: Plant, kinds: set[Kind]) -> None:
    plant(scene)
    assert scene.found(settled=True) == kinds


def test_an_image_in_flight_is_lost_only_where_all_should_have_ended(scene: Scene) -> None:
    image_that_no_tally_knows_either(scene)
    scene.reopen()
    assert scene.audit().as_json()["in_flight"] == 1
    assert scene.found(settled=False) == set()
    assert scene.found(settled=True) == {Kind.LOST}


def test_an_image_in_flight_past_its_deadline_is_named(scene: Scene) -> None:
    image_that_no_tally_knows_either(scene)
    scene.reopen()
    assert scene.found(settled=False, now=time.time() + DAY / 2) == set()
    assert scene.found(settled=False, now=time.time() + 2 * DAY) == {Kind.DEADLINE}


def test_a_deadline_of_its_own_counts(scene: Scene) -> None:
    image_that_no_tally_knows_either(scene)
    scene.reopen()
    scene.change(scene.key("job.json"), deadline=600)
    assert scene.found(settled=False, now=time.time() + 3600) == {Kind.DEADLINE}


def test_a_deadline_stands_still_while_somebody_sees_to_it(scene: Scene) -> None:  # rule 19
    image_that_no_tally_knows_either(scene)
    scene.reopen()
    late = time.time() + 2 * DAY
    clock = {"counted": DAY / 2, "looked": late - 30}
    scene.write(keys.open_job(scene.job), clock)
    assert scene.found(settled=False, now=late) == set()
    scene.write(keys.open_job(scene.job), clock | {"counted": 1.1 * DAY})
    assert scene.found(settled=False, now=late) == {Kind.DEADLINE}


def test_nothing_waits_for_a_week_whatever_was_away(scene: Scene) -> None:
    image_that_no_tally_knows_either(scene)
    scene.reopen()
    late = time.time() + 7 * DAY
    scene.write(keys.open_job(scene.job), {"counted": DAY / 2, "looked": late - 30})
    assert scene.found(settled=False, now=late) == {Kind.DEADLINE}


def test_a_job_that_is_not_there_is_said_to_be_missing(scene: Scene) -> None:
    with pytest.raises(NoSuchJob, match="nowhere"):
        scene.audit(jobs=["nowhere"])


def test_an_anomaly_names_its_job_and_image_in_a_sentence(scene: Scene) -> None:
    outcome_nobody_announced(scene)
    [example] = scene.audit(settled=True).as_json()["examples"]
    assert (example["class"], example["job"], example["image"]) == ("unannounced", scene.job, 2)
    assert scene.job in example["sentence"]


def test_many_anomalies_are_counted_and_few_are_told(scene: Scene) -> None:
    scene.change(keys.manifest_index(scene.job), images=5004, shards=6)
    told = scene.audit(settled=True).as_json()
    assert told["lost"] == 5000
    assert sum(example["class"] == "lost" for example in told["examples"]) == 10
