"""What the servers say of a run's jobs, now or later: each image's end, and the verdict of `loadgen verify`."""

import time
from collections.abc import Callable, Collection
from typing import Any

from loadgen import settings
from loadgen.bucket import BucketAway, S3Bucket
from loadgen.run.ends import Ends, read_ends
from loadgen.topics import KafkaTopics, TopicsAway
from loadgen.verify import audit
from loadgen.verify.checks import Moment

Told = tuple[Ends, dict[str, Any]]


def ask(jobs: Collection[str], settled: bool, tell: Callable[[str], None]) -> Told:
    """The ends of these jobs' images, and the verdict; where nobody can be asked, the verdict says why.

    Parameters
    ----------
    jobs
        Those that were accepted.
    settled
        Whether all should have ended: what has not is lost.
    tell
        Hears what is being done.
    """
    if not jobs:
        return {}, _unchecked("no job was accepted")
    try:
        found = settings.find()
        bucket = S3Bucket(found.s3_endpoint, found.s3_access_key, found.s3_secret_key, found.bucket)
        tell("reading how each image ended")
        with KafkaTopics(found.kafka) as topics:
            ends = read_ends(bucket, topics, jobs)
        tell("verifying that nothing was lost")
        with KafkaTopics(found.kafka) as topics:
            return ends, _verdict(audit.verify(bucket, topics, Moment(time.time(), settled), sorted(jobs)).as_json())
    except (settings.NoServers, BucketAway, TopicsAway, audit.NoSuchJob) as why:
        return {}, _unchecked(str(why))


def is_clean(verdict: dict[str, Any]) -> bool:
    """Whether it was checked, and nothing was found."""
    return bool(verdict["checked"]) and not verdict["anomalies"]


def _verdict(told: dict[str, Any]) -> dict[str, Any]:
    return {"checked": True, **told}


def _unchecked(why: str) -> dict[str, Any]:
    return {"checked": False, "why": why}


def sentence(verdict: dict[str, Any]) -> str:
    """The verdict in words."""
    if not verdict["checked"]:
        return f"Nothing was verified: {verdict['why']}."
    ends = ", ".join(f"{verdict[name]:,} {name}" for name in ("labelled", "rejected", "cancelled") if verdict[name])
    flight = f", {verdict['in_flight']:,} still in flight" if verdict["in_flight"] else ""
    found = f"{verdict['anomalies']:,} anomalies" if verdict["anomalies"] else "no anomaly"
    return (
        f"Of {verdict['images']:,} images {ends or 'none ended'}{flight}; {verdict['lost']:,} lost, "
        f"{verdict['duplicated']:,} duplicated, {found}."
    )
