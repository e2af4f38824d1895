"""Whose a job is: its record, its key and its upload are of one tenant, or the audit says so."""

from collections.abc import Callable

import pytest

from loadgen.verify.anomalies import Kind
from storage import keys
from storage.memory import MemoryStore
from streams.events import UploadReceived
from streams.jobs import ledger
from tests.loadgen.stand import Scene, World
from tests.streams import stand


@pytest.fixture(scope="module")
def world() -> World:
    """A job of the tenant `lab`, finished."""
    store = MemoryStore()
    given = stand.tools(store)
    store.put("lab/inbox/nuclei/a.tif", stand.tiff())
    events = stand.run(stand.Queue(given, stand.CHAINED).work(UploadReceived(object="lab/inbox/nuclei/a.tif")))
    return World({stat.key: store.get(stat.key) for stat in store.list("")}, events)


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def test_a_tenants_job_is_audited_like_any_other(scene: Scene) -> None:
    report = scene.audit(settled=True)
    assert not report.findings.total
    assert [(row.job, row.counts.labelled) for row in report.rows] == [(scene.job, 1)]


def another_tenants_record(scene: Scene) -> None:
    scene.change(keys.job(scene.job), tenant="other")


def nobodys_record(scene: Scene) -> None:
    scene.change(keys.job(scene.job), tenant="")


def another_tenants_upload(scene: Scene) -> None:
    scene.change(keys.job(scene.job), object="other/inbox/nuclei/a.tif")


def a_job_among_anothers(scene: Scene) -> None:
    for key in [stat.key for stat in scene.store.list(keys.job_prefix(scene.job))]:
        scene.store.put(f"other/{key.removeprefix('lab/')}", scene.store.get(key))


@pytest.mark.parametrize(
    "plant", [another_tenants_record, nobodys_record, another_tenants_upload, a_job_among_anothers]
)
def test_what_is_of_two_tenants_is_found(scene: Scene, plant: Callable[[Scene], None]) -> None:
    plant(scene)
    assert Kind.TENANT in scene.found()


def test_what_lies_in_a_tenants_inbox_and_became_no_job_is_lost(scene: Scene) -> None:
    for place in ("other/inbox/nuclei/b.tif", "other/inbox/c.tif"):
        scene.store.put(place, b"x")
    [lost] = scene.audit(settled=True).findings.examples
    assert (lost.kind, lost.sentence.split()[0]) == (Kind.LOST, "other/inbox/nuclei/b.tif")


def test_an_old_job_of_a_tenant_is_well_where_it_lies() -> None:
    store = MemoryStore()
    events = stand.submit(stand.tools(store), stand.archive({"a.tif": stand.tiff()}))
    [job] = ledger.jobs(store)
    ledger.write(store, keys.job(job.job), job.model_copy(update={"tenant": "lab"}))
    assert not Scene(World({stat.key: store.get(stat.key) for stat in store.list("")}, events)).found()
