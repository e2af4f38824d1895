"""What jobs there are and whose, and how much of the system a tenant takes. A job's acceptance never changes, so each
is read once.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kiosk.access.caller import Caller, Scope
from storage import keys
from storage.objects import Store
from streams.jobs import ledger
from streams.jobs.ledger import NoSuchJob
from streams.jobs.records import Job, Record
from streams.jobs.remembered import Remembered

KEPT = 1000
"""Tenants remembered at most."""
GB = 1e9


class Quota(Record):
    """How much a tenant may have at once; none: as much as it likes. Kept for one tenant, or a setting for all."""

    images: int | None = None
    """In flight."""
    bytes: int | None = None
    """Of uploads stored; what comes of them is small beside that."""

    @classmethod
    def of(cls, images: int | None, gigabytes: float | None) -> "Quota":
        """The quota in the units in which people say it."""
        return cls(images=images, bytes=None if gigabytes is None else round(gigabytes * GB))


class OverQuota(Exception):
    """The tenant has as much as it may; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant has at one moment."""

    images: int
    """In flight; a job whose archive is still being listed counts as one."""
    bytes: int


class Holdings:
    """The jobs in the bucket, by tenant; may be asked in any thread.

    Parameters
    ----------
    store
        The bucket.
    quota
        Of every tenant for which the bucket has no other.
    """

    def __init__(self, store: Store, quota: Quota | None = None) -> None:
        self._store, self._quota = store, quota or Quota()
        self._known: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._usage: Remembered[str, Usage] = Remembered(self._count, KEPT)
        self._quotas: Remembered[str, Quota] = Remembered(self._read_quota, KEPT)

    def jobs(self, caller: Caller) -> list[Job]:
        """The jobs that exist for a caller, in no order that means anything."""
        self._look(caller.tenant if Scope.ADMIN not in caller.scopes else None)
        return [job for job in list(self._known.values()) if caller.sees(job.tenant)]

    def job(self, name: str, caller: Caller) -> Job:
        """A job that exists for a caller; raises `NoSuchJob`, also where it is another's."""
        known = self._known.get(name)
        if known is None:
            known = ledger.read_job(self._store, name)
            with self._lock:
                self._known[name] = known
        if not caller.sees(known.tenant):
            raise NoSuchJob(f"there is no job {name}")
        return known

    def check(self, tenant: str, more: int) -> None:
        """Raise `OverQuota` where a tenant may not store so many bytes more, or has enough images in flight.

        It is asked before a job begins, and a job's images are counted when it has: a tenant can be over its quota by
        what it began within a few seconds, and never begins anything while it is.
        """
        quota = self._quotas[tenant] if tenant else Quota()
        if quota.images is None and quota.bytes is None:
            return
        used = self._usage[tenant]
        if quota.images is not None and used.images >= quota.images:
            what = f"{used.images:,} images of {tenant} are in flight, and {quota.images:,} may be at once"
            raise OverQuota(f"{what}; submit more when some of them have ended")
        if quota.bytes is not None and used.bytes + more > quota.bytes:
            stored = f"{tenant} stores {used.bytes / GB:,.2f} GB of the {quota.bytes / GB:,.2f} GB that it may"
            raise OverQuota(f"{stored}, and this is {more / GB:,.2f} GB more; ask whoever runs this Monolayer for room")

    def _look(self, tenant: str | None) -> None:
        """At a tenant's jobs, those from before ids told whose they are among them; None: at all there are."""
        places = ledger.tenants(self._store) if tenant is None else {"", tenant}
        there = set(ledger.ids(self._store, places))
        with self._lock:
            looked = {job for job in self._known if keys.tenant_of_job(job) in places}
            for gone in looked - there:
                self._known.pop(gone, None)
            self._known.update((job.job, job) for job in self._read(there - self._known.keys()))

    def _read(self, names: Iterable[str]) -> list[Job]:
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda name: ledger.read(self._store, keys.job(name), Job), names)
            return [job for job in found if job]

    def _count(self, tenant: str) -> Usage:
        self._look(tenant)
        ours = {job.job: job for job in list(self._known.values()) if job.tenant == tenant}
        states = (ledger.state(self._store, name) for name in ledger.open_jobs(self._store) if name in ours)
        images = sum(1 if state.in_flight is None else state.in_flight for state in states)
        objects = {job.object: job.size for job in ours.values()}  # jobs may share an upload
        return Usage(images, sum(objects.values()))

    def _read_quota(self, tenant: str) -> Quota:
        return ledger.read(self._store, keys.tenant(tenant), Quota) or self._quota


def limit(store: Store, tenant: str, quota: Quota) -> None:
    """Give one tenant another quota."""
    ledger.write(store, keys.tenant(tenant), quota)
