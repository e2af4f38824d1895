"""What lies in the bucket and belongs to jobs that are done, that were deleted, or that never were."""

from collections.abc import Callable, Iterable, Iterator

from loadgen.bucket import Bucket
from loadgen.verify import tenants
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.checks import Moment
from loadgen.verify.records import DAY, DeletedRecord
from storage import keys

DONE_SECONDS = 2 * 3600.0
"""What a finished job left is swept within so long."""
NOBODYS_SECONDS = 2 * DAY
"""What belongs to no job is swept within so long: an event that still names it may be on its way."""
DELETED_SECONDS = 6 * 3600.0
"""A deletion that was interrupted is gone on with every hour; so much later nobody does."""
Selected = Callable[[str], bool]


def scratch(bucket: Bucket, finished: set[str], known: set[str], chosen: Selected, moment: Moment) -> Iterator[Anomaly]:
    """Tiles and maps of jobs that are done or never were; what is young may still be on its way out."""
    for job in bucket.folders(keys.SCRATCH):
        if not chosen(job) or (job in known and job not in finished):
            continue
        seconds = DONE_SECONDS if job in finished else NOBODYS_SECONDS
        old = [found.key for found in bucket.list(keys.scratch_prefix(job)) if moment.judges(found.modified, seconds)]
        if old:
            whose = "which is done" if job in finished else "which does not exist"
            sentence = f"{len(old)} objects of scratch are left of job {job}, {whose}, the first {old[0]}"
            yield Anomaly(Kind.LEFTOVER, job, sentence)


def markers(bucket: Bucket, known: set[str], chosen: Selected, moment: Moment) -> Iterator[Anomaly]:
    """Open markers and tallies of jobs that don't exist."""
    for marker in bucket.list(keys.OPEN):
        job = marker.key.removeprefix(keys.OPEN)
        if chosen(job) and job not in known and moment.judges(marker.modified, NOBODYS_SECONDS):
            yield Anomaly(Kind.LEFTOVER, job, f"{marker.key} marks a job as open that does not exist")
    for job in bucket.folders(keys.TALLY):
        if chosen(job) and job not in known:
            found = max(bucket.list(keys.tallies(job)), key=lambda each: each.modified, default=None)
            if found is not None and moment.judges(found.modified, NOBODYS_SECONDS):
                yield Anomaly(Kind.LEFTOVER, job, f"{found.key} counts images of a job that does not exist")


def deleted(bucket: Bucket, gone: Iterable[DeletedRecord], chosen: Selected, moment: Moment) -> Iterator[Anomaly]:
    """Jobs that were deleted hours ago and are still there; what landed since may still be on its way out."""
    there = tenants.jobs(bucket)
    for marker in gone:
        if marker.job in there and chosen(marker.job) and is_overdue(marker, moment):
            found = bucket.list(keys.job_prefix(marker.job))
            old = [each.key for each in found if moment.judges(each.modified, DELETED_SECONDS)]
            if old:
                sentence = f"job {marker.job} was deleted, and {len(old)} of its objects are left, the first {old[0]}"
                yield Anomaly(Kind.LEFTOVER, marker.job, sentence)


def is_overdue(marker: DeletedRecord, moment: Moment) -> bool:
    """Whether nothing should be left of a deleted job. Deleting is no work that has to have ended in any audit."""
    return moment.now - marker.deleted > DELETED_SECONDS
