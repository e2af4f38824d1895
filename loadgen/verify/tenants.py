"""Whose things are: the tenants of a bucket, their jobs, and whether a job's record, key and upload agree on it."""

from collections.abc import Iterable, Iterator

from loadgen.bucket import Bucket
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.records import JobRecord
from storage import keys


def tenants(bucket: Bucket) -> list[str]:
    """Those that have something in the bucket; the first is nobody in particular, and called nothing."""
    return ["", *(name for name in bucket.folders("") if keys.is_tenant(name))]


def jobs(bucket: Bucket) -> set[str]:
    """Every job that has something under its name, where its name says that it lies."""
    return {job for job, prefix in _folders(bucket) if keys.job_prefix(job) == prefix}


def misplaced(bucket: Bucket) -> Iterator[Anomaly]:
    """What lies among a tenant's jobs under a name that no job of its may have."""
    for job, prefix in _folders(bucket):
        if keys.job_prefix(job) != prefix:
            yield Anomaly(Kind.TENANT, job, f"objects lie under {prefix}, and a job {job} does not belong there")


def strange(accepted: Iterable[JobRecord]) -> Iterator[Anomaly]:
    """Jobs that are one tenant's by their key, and another's by what their record says or by their upload."""
    for job in accepted:
        whose = keys.tenant_of_job(job.job)
        if whose and job.tenant != whose:
            sentence = f"{keys.job(job.job)} says that the job is {_named(job.tenant)}"
            yield Anomaly(Kind.TENANT, job.job, sentence)
        if keys.tenant_of(job.object) != whose:
            sentence = f"{keys.job(job.job)} is a job {_named(whose)}, and its upload is {job.object}"
            yield Anomaly(Kind.TENANT, job.job, sentence)


def _folders(bucket: Bucket) -> Iterator[tuple[str, str]]:
    for tenant in tenants(bucket):
        prefix = keys.own(tenant, keys.JOBS)
        yield from ((job, f"{prefix}{job}/") for job in bucket.folders(prefix))


def _named(tenant: str) -> str:
    return f"of {tenant}" if tenant else "of no tenant"
