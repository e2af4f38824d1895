"""`loadgen verify`: the audit on the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from loadgen.verify.report import Report
    from loadgen.verify.traces import TraceReport

SOUND, ANOMALIES, NOT_CHECKED = 0, 1, 2
"""Exit codes."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(verify)


def verify(
    jobs: Annotated[list[str] | None, typer.Argument(metavar="[JOB...]", help="Only these; otherwise all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    checksums: Annotated[
        bool, typer.Option("--checksums/--no-checksums", help="Read every outcome, or only list them.")
    ] = True,
    topics: Annotated[
        bool, typer.Option("--topics/--no-topics", help="Read what was announced, or leave Kafka alone.")
    ] = True,
    settled: Annotated[
        bool, typer.Option("--settled", help="All work should have ended: whatever is still in flight is lost.")
    ] = False,
    traces: Annotated[
        bool, typer.Option("--traces", help="Instead, ask Jaeger whether each image has exactly one complete trace.")
    ] = False,
) -> None:
    """Audit jobs from the bucket and the topics alone: what became of each image, and what can't be right.

    It shares no code with what does the work. Each anomaly is named by class: lost, duplicated, unannounced,
    announced_without_object, checksum, deadline, tally, manifest, leftover, orphan.

    Exit codes: 0 no anomaly, 1 anomalies, 2 it could not be checked.
    """
    from loadgen.verify import screen

    if traces:
        if not jobs:
            raise typer.BadParameter("--traces needs the name of a job")
        told = [_traced(job) for job in jobs]
        screen.show_traces(told, as_json)
        raise typer.Exit(SOUND if all(each.images == each.complete for each in told) else ANOMALIES)
    report = _audit(jobs or [], checksums, topics, settled)
    screen.show(report, as_json)
    raise typer.Exit(ANOMALIES if report.findings.total else SOUND)


def _traced(job: str) -> "TraceReport":
    from loadgen import settings
    from loadgen.bucket import BucketAway, S3Bucket
    from loadgen.jaeger import Jaeger, JaegerAway
    from loadgen.verify import screen, traces

    try:
        found = settings.find()
        if not found.jaeger:
            raise settings.NoServers("nothing says where Jaeger is: `monolayer up --observe`, or set MONOLAYER_JAEGER")
        bucket = S3Bucket(found.s3_endpoint, found.s3_access_key, found.s3_secret_key, found.bucket)
        return traces.verify(bucket, Jaeger(found.jaeger), job)
    except (settings.NoServers, BucketAway, JaegerAway, traces.NoSuchJob) as error:
        screen.warn(f"Nothing was checked: {error}.")
        raise typer.Exit(NOT_CHECKED) from None


def _audit(jobs: list[str], checksums: bool, topics: bool, settled: bool) -> "Report":
    import logging
    import time
    from contextlib import nullcontext

    from loadgen import settings
    from loadgen.bucket import BucketAway, S3Bucket
    from loadgen.topics import KafkaTopics, TopicsAway
    from loadgen.verify import audit, screen
    from loadgen.verify.checks import Moment

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # what is wrong with a file, the report says
    try:
        found = settings.find()
        bucket = S3Bucket(found.s3_endpoint, found.s3_access_key, found.s3_secret_key, found.bucket)
        with screen.reading() as tell, KafkaTopics(found.kafka) if topics else nullcontext() as read:
            return audit.verify(bucket, read, Moment(time.time(), settled), jobs, checksums, tell)
    except (settings.NoServers, BucketAway, TopicsAway, audit.NoSuchJob) as error:
        screen.warn(f"Nothing was checked: {error}.")
        raise typer.Exit(NOT_CHECKED) from None
