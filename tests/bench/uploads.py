"""`python -m tests.bench.uploads`: a large folder over a bad line; one JSON object last.

Between the client and the store stands a proxy that cuts all connections again and again, and half-way the API is
killed with -9. What then lies in the bucket has to have the checksum of what was sent, and the images at its beginning
and at its end have to be labelled.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import tifffile

from inference.synthetic import field as synthetic
from kiosk.client import Monolayer
from kiosk.client.packing import Parcel, pack
from kiosk.contract import JobView
from kiosk.local.stack import Local
from kiosk.local.state import State
from tests.bench.cutting import cutting
from tests.servers import running, s3_client

MIB = 1024**2
MARK = 4096
"""Random bytes at the beginning of each MiB of noise; the rest is a hole, which takes no disk."""
NOISE = 500 * MIB
"""Bytes of each file that is no image."""
IMAGES = ("a first.tif", "z last.tif")


@dataclass
class Watched:
    """The API's process, which is killed when so many bytes have gone, and the memory that it and the next ever had."""

    local: Local
    kill_at: float
    peaks_mb: list[float] = field(default_factory=list)
    last: float = 0.0
    """When bytes were last told to have gone."""

    def sent(self, parcel: Parcel, count: int) -> None:
        self.last = time.perf_counter()
        if not self.peaks_mb and count >= self.kill_at:
            os.kill(self.look(), signal.SIGKILL)

    def look(self) -> int:
        """Take down the most memory that today's process has had; returns its number."""
        pid = next(each["pid"] for each in self.local.status()["processes"] if each["name"] == "api")
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM"))
        self.peaks_mb.append(round(int(peak.split()[1]) * 1024 / 1e6, 1))
        return int(pid)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=10.0, help="to send; twice as much disk is needed")
    parser.add_argument("--cuts", type=int, default=20, help="how often all connections to the store are cut")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="monolayer-bench-") as name:
        folder = Path(name)
        plate = write_plate(folder / "plate", round(asked.gigabytes * 1e9))
        print(json.dumps(measure(folder / "state", plate, asked.cuts)))


def write_plate(folder: Path, size: int) -> Path:
    """A folder of about so many bytes: noise that is no image, and before and after it an image; returns it."""
    folder.mkdir()
    for number, name in enumerate(IMAGES):
        tifffile.imwrite(folder / name, synthetic((256, 256), seed=number, n_cells=20)[0])
    for number, start in enumerate(range(0, size, NOISE)):
        _write_noise(folder / f"noise {number:03d}.tif", min(NOISE, size - start), number)
    return folder


def measure(state: Path, plate: Path, cuts: int, *parts: str) -> dict[str, object]:
    """Send a folder through; where everything runs, its images have to end as they should."""
    [parcel] = pack([plate])
    with (
        cutting(lambda: str(State(state).status()["addresses"]["s3"]), parcel.size / max(1, cuts), cuts) as proxy,
        running(state, *parts, through={"s3": proxy.address}) as local,
        Monolayer(local.status()["addresses"]["api"]) as client,
    ):
        watched = Watched(local, parcel.size / 2)
        before, begun = proxy.sent, time.perf_counter()
        (job,) = client.submit([plate], sent=watched.sent)
        seconds = time.perf_counter() - begun
        watched.look()
        size, digest = _stored(local)
        if not parts:
            _check_images(client.wait(job))
        return {
            "checksum_right": digest == parcel.digest(),
            "bytes": size,
            "cuts": proxy.cuts,
            "kills": len(watched.peaks_mb) - 1,
            "api_peak_mb": max(watched.peaks_mb),
            "api_peaks_mb": watched.peaks_mb,
            "seconds": round(seconds, 1),
            "last_byte_to_job_s": round(begun + seconds - watched.last, 1),
            "sent_to_size": round((proxy.sent - before) / size, 3),
        }


def _write_noise(path: Path, size: int, seed: int) -> None:
    bytes_ = random.Random(seed)
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            file.seek(start)
            file.write(bytes_.randbytes(min(MARK, size - start)))
        file.truncate(size)


def _stored(local: Local) -> tuple[int, str]:
    """Size and SHA-256 of the one object that was uploaded, as any S3 client reads it."""
    variables = local.environment()
    client = s3_client(variables)
    bucket = variables["MONOLAYER_BUCKET"]
    [entry] = client.list_objects_v2(Bucket=bucket, Prefix="uploads/")["Contents"]
    body = client.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
    whole = hashlib.sha256()
    for piece in body.iter_chunks(MIB):
        whole.update(piece)
    return int(entry["Size"]), whole.hexdigest()


def _check_images(job: JobView) -> None:
    if job.labelled != len(IMAGES) or job.rejected != (job.images or 0) - len(IMAGES):
        raise SystemExit(f"job {job.job}: {job.labelled} of {len(IMAGES)} labelled, {job.rejected} rejected")


if __name__ == "__main__":
    main()
