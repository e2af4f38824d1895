"""`python -m tests.bench.watchers`: several watch one inbox, and are killed at random; one JSON object last.

Each object has to become exactly one job, and the independent checker has to find nothing wrong with any of them.
"""

import argparse
import asyncio
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import tifffile

from inference.synthetic import field as synthetic
from kiosk.local.processes import EVERYTHING
from loadgen.bucket import S3Bucket
from loadgen.chaos.verified import verify
from loadgen.topics import KafkaTopics, TopicsAway
from streams.events import UploadReceived
from tests.servers import running, s3_client

SIDE = 64
WATCHER = (sys.executable, "-m", "streams.inbox")
A_BURST = 10
"""Objects put between two looks at what has been announced."""
NO_IMAGES = ("kafka", "s3")
LOOK_SECONDS = 0.05
PATIENCE = 3600.0


@dataclass
class Watchers:
    """So many processes that watch the inbox; one that is killed is replaced at once."""

    variables: Mapping[str, str]
    count: int
    chance: random.Random
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0

    def kill(self) -> None:
        """`kill -9` for one of them."""
        number = self.chance.randrange(self.count)
        _end(self.processes[number], signal.SIGKILL)
        self.kills += 1
        self.processes[number] = self._started()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start them, and stop them."""
        self.processes = [self._started() for _ in range(self.count)]
        try:
            yield
        finally:
            for process in self.processes:
                _end(process, signal.SIGTERM)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(WATCHER, env={**os.environ, **self.variables}, stderr=subprocess.DEVNULL)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1000, help="small images put into the inbox")
    parser.add_argument("--watchers", type=int, default=2, help="processes that watch it")
    parser.add_argument("--kills", type=int, default=20, help="how often one of them is killed")
    parser.add_argument("--seed", type=int, default=1, help="decides who is killed, and when")
    parser.add_argument("--inbox-only", action="store_true", help="don't work on the images, and don't check them")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monolayer-bench-") as name:
        others = tuple(part for part in EVERYTHING if part != "inbox")
        with running(Path(name), *(NO_IMAGES if asked.inbox_only else others)) as local:
            told = deliver(local.environment(), asked.objects, asked.watchers, asked.kills, asked.seed)
            found = {} if asked.inbox_only else _audited(local.environment())
    print(json.dumps(told | found | {"watchers": asked.watchers}))


def deliver(variables: Mapping[str, str], objects: int, watchers: int, kills: int, seed: int) -> dict[str, int | float]:
    """Put so many objects into the inbox, half of them before anybody watches, and return when all are announced."""
    chance, begun = random.Random(seed), time.perf_counter()
    moments = sorted(chance.sample(range(1, objects), kills))
    watched = Watchers(variables, watchers, chance)
    folder = f"inbox/nuclei/{uuid.uuid4().hex}"  # the topic may have others' uploads
    announced: dict[tuple[int, int], str] = {}
    jobs: set[str] = set()
    with KafkaTopics(variables["MONOLAYER_KAFKA"]) as topics:
        put = _putting(variables, folder, objects)
        list(islice(put, objects // 2))
        with watched.running():
            while len(jobs) < objects:
                list(islice(put, A_BURST))
                announced |= _read(topics, folder)
                jobs = set(announced.values())
                while moments and len(jobs) >= moments[0]:
                    moments.pop(0)
                    watched.kill()
                time.sleep(LOOK_SECONDS)
                if time.perf_counter() - begun > PATIENCE:
                    raise SystemExit(f"only {len(jobs)} of {objects} objects were announced")
    return {
        "objects": objects,
        "announced": len(jobs),
        "accepted": len(list(bucket_of(variables).folders("jobs/"))),
        "announcements": len(announced),
        "kills": watched.kills,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def bucket_of(variables: Mapping[str, str]) -> S3Bucket:
    """The bucket that these variables name."""
    names = ("MONOLAYER_S3_ENDPOINT", "MONOLAYER_S3_ACCESS_KEY", "MONOLAYER_S3_SECRET_KEY", "MONOLAYER_BUCKET")
    return S3Bucket(*(variables[name] for name in names))


def _read(topics: KafkaTopics, folder: str) -> dict[tuple[int, int], str]:
    """The folder's jobs announced since it was last read, by place; none where the topic has no leader just now."""
    try:
        found = list(topics.read("uploads"))
    except TopicsAway:
        return {}
    events = ((record, UploadReceived.decode(record.value)) for record in found if folder.encode() in record.value)
    return {(record.partition, record.offset): event.job for record, event in events}


def _putting(variables: Mapping[str, str], folder: str, objects: int) -> Iterator[str]:
    """Put one object after the other, of distinct bytes; the keys."""
    client = s3_client(variables)
    image, _ = synthetic((SIDE, SIDE), seed=0, n_cells=3)
    for number in range(objects):
        file = io.BytesIO()
        tifffile.imwrite(file, image, description=str(number))
        key = f"{folder}/{number % 7}/image {number}.tif"
        client.put_object(Bucket=variables["MONOLAYER_BUCKET"], Key=key, Body=file.getvalue())
        yield key


def _audited(variables: Mapping[str, str]) -> dict[str, Any]:
    """What the checker says of all jobs when they have ended."""
    bucket, until = bucket_of(variables), time.monotonic() + PATIENCE
    while left := len(list(bucket.list("open/"))):
        print(f"{left} jobs have not ended", file=sys.stderr)
        if time.monotonic() > until:
            raise SystemExit("they never did")
        time.sleep(1)
    audit = asyncio.run(verify(variables)) or {}
    return {name: audit.get(name) for name in ("jobs", "images", "labelled", "anomalies")}


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(20)


if __name__ == "__main__":
    main()
