"""What lies in the bucket outside the jobs' own folders, and belongs to jobs that are done, or to none."""

from collections.abc import Callable, Iterator

from loadgen.bucket import Bucket
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.checks import Moment
from loadgen.verify.records import DAY
from storage import keys

DONE_SECONDS = 2 * 3600.0
"""What a finished job left is swept within so long."""
NOBODYS_SECONDS = 2 * DAY
"""What belongs to no job is swept within so long: an event that still names it may be on its way."""
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
