"""What is a tenant's lies under its name, from the inbox to the labels, and its key decides whose it is."""

import time

import pytest

from inference.models import shipped_models
from storage import keys
from storage.memory import MemoryStore
from streams import intake
from streams.events import NotAnEvent, UploadReceived
from streams.jobs import ledger
from streams.retention import DAY, Keeping, sweep
from tests.streams.stand import CHAINED, Queue, archive, run, tiff, tools
from tests.streams.test_inbox import inbox

HOUSE = ("open/", "tally/")
"""What the house keeps of every job for itself."""


def of(tenant: str, rest: str) -> str:
    return f"{tenant}/{rest}" if tenant else rest


@pytest.mark.parametrize("tenant", ["", "a", "a-b", "tokens", "0"])
def test_what_an_inbox_takes_becomes_a_job_beside_it(tenant: str) -> None:
    given = tools()
    looker, heard = inbox(given.store)
    given.store.put(of(tenant, "inbox/nuclei/p.zip"), archive({"a.tif": tiff()}))
    looker.look()
    [upload] = heard.events
    run(Queue(given, CHAINED).work(upload))
    [job] = ledger.jobs(given.store)
    assert (job.tenant, job.job.rpartition("_")[0], job.refused) == (tenant, tenant, "")
    assert ledger.state(given.store, job.job).labelled == 1
    own = (of(tenant, "inbox/"), of(tenant, f"jobs/{job.job}/"))
    assert all(stat.key.startswith((*own, *HOUSE)) for stat in given.store.list(""))


def test_each_tenants_inbox_is_looked_at_and_names_its_own_models() -> None:
    store = MemoryStore()
    looker, heard = inbox(store)
    places = ("a/inbox/nuclei/x.tif", "a-b/inbox/nuclei/x.tif", "inbox/nuclei/x.tif", "a/inbox/nothing/x.tif")
    for place in (*places, "a/inbox/x.tif", "open/inbox/nuclei/x.tif", "A/inbox/nuclei/x.tif"):
        store.put(place, tiff())
    for _ in range(2):
        looker.look()
    known = {job.job: job for job in ledger.jobs(store)}
    told = [known[event.job] for event in heard.events]
    assert sorted((job.object, job.tenant) for job in told) == [
        ("a-b/inbox/nuclei/x.tif", "a-b"), ("a/inbox/nothing/x.tif", "a"), ("a/inbox/nuclei/x.tif", "a"),
        ("inbox/nuclei/x.tif", ""),
    ]  # fmt: skip
    assert [job.object for job in told if job.refused] == ["a/inbox/nothing/x.tif"]


@pytest.mark.parametrize(
    ("place", "tenant"),
    [("a/inbox/nuclei/x.tif", "a-b"), ("inbox/nuclei/x.tif", "a"), ("a/jobs/x", ""), ("open/inbox/x.tif", ""),
     ("a/jobs/x", "a"), ("a_b/inbox/x.tif", ""), ("uploads", "")],
)  # fmt: skip
def test_an_upload_that_is_not_where_its_tenants_are_is_no_job_of_anybodys(place: str, tenant: str) -> None:
    given = tools()
    given.store.put(place, tiff())
    upload = UploadReceived(object=place, tenant=tenant)
    with pytest.raises(intake.Refused):
        intake.accept(given.store, upload, shipped_models())
    run(Queue(given, CHAINED).work(upload))
    assert [stat.key for stat in given.store.list("") if stat.key != place] == ["quarantine/uploads/0/0"]


def test_whose_an_upload_is_needs_no_saying() -> None:
    store = MemoryStore()
    store.put("a/uploads/u/x.tif", tiff())
    said, silent = UploadReceived(object="a/uploads/u/x.tif", tenant="a"), UploadReceived(object="a/uploads/u/x.tif")
    assert intake.accept(store, said, shipped_models()) == intake.accept(store, silent, shipped_models())


def test_a_tenants_job_from_before_keys_said_so_is_read_where_it_is() -> None:
    given = tools()
    place = given.store.put("uploads/u/p.zip", archive({"a.tif": tiff()})) and "uploads/u/p.zip"
    job = intake.accept(given.store, UploadReceived(object=place), shipped_models())
    old = job.model_copy(update={"tenant": "a"})
    ledger.write(given.store, f"jobs/{job.job}/job.json", old)
    run(Queue(given, CHAINED).work(UploadReceived(object=place, tenant="a", job=job.job)))
    assert list(ledger.jobs(given.store)) == [old]
    assert ledger.state(given.store, job.job).labelled == 1


@pytest.mark.parametrize("job", ["a/b", "..", "a_../x", f"{'a' * 41}_{'0' * 20}", "a_0", f"A_{'0' * 20}"])
def test_an_upload_names_no_job_that_no_tenant_could_have(job: str) -> None:
    with pytest.raises(NotAnEvent):
        UploadReceived.decode(f'{{"object": "inbox/nuclei/x", "job": "{job}"}}'.encode())


@pytest.mark.parametrize("job", [f"{name.rstrip('/')}_0" for name in keys.TOP] + ["_0", "A_0", "a_b_0", "-a_0"])
def test_an_id_that_begins_as_no_tenant_does_is_nobodys(job: str) -> None:
    assert keys.job(job) == f"jobs/{job}/job.json"


def test_a_tenants_finished_job_goes_with_its_upload_and_others_stay() -> None:
    given = tools()
    for tenant in ("a", "a-b", ""):
        place = keys.upload("1" * 32, "p.zip", tenant)
        given.store.put(place, archive({"a.tif": tiff()}))
        given.store.put(keys.upload("2" * 32, "p.zip", tenant), b"x")
        run(Queue(given, CHAINED).work(UploadReceived(object=place)))
    [ours] = [job.job for job in ledger.jobs(given.store) if job.tenant == "a"]
    given.store.delete(keys.done(job.job) for job in ledger.jobs(given.store) if job.tenant != "a")
    swept = sweep(given.store, Keeping(results_days=1), now=lambda: time.time() + 9 * DAY)
    assert (swept.jobs, swept.uploads) == (1, 3)
    left = {stat.key for stat in given.store.list("") if stat.key.startswith("a/")}
    assert left == set() and ours not in set(ledger.ids(given.store))
    assert {job.tenant for job in ledger.jobs(given.store)} == {"a-b", ""}
