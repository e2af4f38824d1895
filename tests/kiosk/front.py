"""A front door for tests: the real API over a store in memory, with stages that finish a job when it is announced."""

import asyncio
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import tifffile
import uvicorn
from fastapi import FastAPI, Request, Response
from numpy.typing import NDArray

from inference.models import Model
from kiosk.api.app import create_app
from observability.cost import Prices
from storage import keys
from storage.labels import write_labels
from storage.memory import MemoryStore
from storage.objects import Store
from streams.events import Event, Lane, Rejection, SliceListed, Source
from streams.jobs import ending, ledger
from streams.jobs.records import Done, Entry, Job, ManifestIndex, ManifestShard
from streams.jobs.tally import LABELLED, REJECTED, Tally
from streams.kafka import BrokerAway

MODEL = Model("nuclei", "3", "d" * 64, 0.65, 17.0, 32, 16, 1024, (1.0, 99.0), Path())
MODELS = {"nuclei": MODEL}
BAD = b"this is no image"


class Told:
    """An announcer that keeps what it was told, and can be away."""

    def __init__(self, then: Callable[[Any], None] | None = None) -> None:
        self.events: list[Event] = []
        self.away = False
        self._then = then

    def announce(self, event: Event) -> None:
        if self.away:
            raise BrokerAway("Kafka did not take the event: no answer")
        self.events.append(event)
        if self._then:
            self._then(event)


class Bucket(MemoryStore):
    """A store in memory whose part addresses lead to a server; `refusals` answers come before the first success."""

    address = ""
    refusals = 0
    refusal = 503

    def part_url(self, key: str, upload: str, number: int, seconds: int = 3600) -> str:
        return f"{self.address}/{super().part_url(key, upload, number, seconds)}"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if self.refusals:
            self.refusals -= 1
            return Response(status_code=self.refusal)
        _, _, url = str(request.url).partition("/memory:")
        return Response(headers={"ETag": f'"{self.put_part(f"memory:{url}", body)}"'})


def pixels(shape: tuple[int, ...] = (40, 50), seed: int = 0) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(100, 4000, shape, dtype=np.uint16)


def tiff(shape: tuple[int, ...] = (40, 50), seed: int = 0, pixel_size: float | None = None) -> bytes:
    file = io.BytesIO()
    scale: dict[str, Any] = {}
    if pixel_size:
        scale = {"resolution": (1e4 / pixel_size, 1e4 / pixel_size), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(file, pixels(shape, seed), photometric="minisblack", metadata=None, **scale)
    return file.getvalue()


def images_in(folder: Path, count: int) -> Path:
    """A new folder of so many images; returns it."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.tif").write_bytes(tiff(seed=number))
    return folder


def labels_of(planes: int, height: int, width: int, in_um: bool = False, **facts: str) -> bytes:
    """Two cells in every plane."""
    labels = np.zeros((planes, height, width), np.int32)
    labels[:, 5:15, 5:15], labels[:, 20:30, 20:35] = 1, 2
    cells: dict[str, NDArray[Any]] = {
        "label": np.tile(np.array([1, 2], np.int32), planes),
        "area_px": np.tile(np.array([100, 150]), planes),
        "intensity_mean": np.tile(np.array([0.1, 2000.5], np.float32), planes),
    }
    if planes > 1:
        cells = {"plane": np.repeat(np.arange(planes), 2), **cells}
    if in_um:
        cells["area_um2"] = cells["area_px"] * 0.25
    return write_labels(labels, cells, 0.5 if in_um else None, {"model": "nuclei", "model_version": "3"} | facts)


def made_job(store: Store, files: Mapping[str, bytes], job: str = "j1", **fields: Any) -> Job:
    """A job whose images are whole objects, without any outcome."""
    known = {"name": "plate.zip", "object": "uploads/u/plate.zip", "etag": "e", "size": 9, "model": "nuclei"}
    made = Job.model_validate(known | {"job": job, "model_digest": MODEL.digest, "created": time.time()} | fields)
    ledger.write(store, keys.job(job), made)
    store.put(keys.open_job(job), b"{}")
    entries = [
        Entry(image=number, name=name, source=_source(store, f"inbox/{job}/{number}", data))
        for number, (name, data) in enumerate(files.items())
    ]
    _manifest(store, job, entries)
    return made


def finish(store: Store, job: str, labels: Callable[[Entry], bytes | None]) -> None:
    """Give every image of the job an outcome: its labels, or a rejection where there are none."""
    tally = Tally()
    for entry in list(ledger.entries(store, job)):
        data = labels(entry)
        tally.mark(entry.image, LABELLED if data else REJECTED)
        if data:
            store.put(keys.labels(job, entry.image), data)
        else:
            why = Rejection(
                job=job, image=entry.image, name=entry.name, reason="bad_input", message=f"{entry.name} is no image."
            )
            ledger.write(store, keys.rejection(job, entry.image, 0), why)
    store.put(keys.tally(job, "owner"), tally.encode())
    labelled, rejected = tally.counts()
    done = Done(job=job, images=labelled + rejected, labelled=labelled, rejected=rejected, finished=time.time())
    ledger.write(store, keys.done(job), done)
    store.delete([keys.open_job(job)])


def stages(store: Store) -> Told:
    """An announcer at which every announced job is done at once: images of this module are labelled, as are replays."""

    def work(event: Any) -> None:
        if isinstance(event, SliceListed):
            _label_again(store, event)
            return
        job = ledger.read_job(store, event.job)
        data = store.get(job.object)
        files = _members(data) if data[:2] == b"PK" else {job.name: data}
        _manifest(store, job.job, [
            Entry(image=number, name=name, source=_source(store, f"inbox/{job.job}/{number}", file))
            for number, (name, file) in enumerate(files.items())
        ])  # fmt: skip
        finish(store, job.job, lambda entry: labels_of(1, 40, 50) if files[entry.name] != BAD else None)

    return Told(work)


def _label_again(store: Store, listed: SliceListed) -> None:
    """What was wrong with the images of a replay is mended by then."""
    [round_] = [found for found in ledger.read_rounds(store, listed.job) if found.round == listed.round]
    tally = Tally()
    for image in round_.images:
        tally.mark(image, LABELLED)
        store.put(keys.labels(listed.job, image), labels_of(1, 40, 50))
    store.put(keys.tally(listed.job, "owner", listed.round), tally.encode())
    ending.finish(store, listed.job)


def app_of(store: Store, told: Told | None = None, prices: Prices | None = None, **access: Any) -> FastAPI:
    app = create_app(store, told or Told(), MODELS, tick=0.01, prices=prices, **access)
    if isinstance(store, Bucket):
        app.add_api_route("/memory:{url:path}", store.take, methods=["PUT"])
    return app


class InProcess:
    """Requests to an app without a server; answers come whole."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def request(self, method: str, url: str, **given: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, url, **given)

        return asyncio.run(ask())

    def get(self, url: str) -> httpx.Response:
        return self.request("GET", url)

    def post(self, url: str, **given: Any) -> httpx.Response:
        return self.request("POST", url, **given)


@contextmanager
def serving(app: FastAPI, port: int = 0, **how: Any) -> Iterator[str]:
    """The app behind a real server in a thread; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=1, **how))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def open_door(then: Callable[[Bucket], Told] = stages) -> Iterator[tuple[str, Bucket, Told]]:
    """API and store behind one real server."""
    store = Bucket()
    told = then(store)
    with serving(app_of(store, told)) as address:
        store.address = address
        yield address, store, told


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _source(store: Store, key: str, data: bytes) -> Source:
    return Source(key=key, etag=store.put(key, data), size=len(data))


def _manifest(store: Store, job: str, entries: list[Entry]) -> None:
    shards = [entries[first : first + keys.SHARD] for first in range(0, len(entries), keys.SHARD)]
    for number, images in enumerate(shards):
        ledger.write(store, keys.manifest_shard(job, number), ManifestShard(job=job, shard=number, images=images))
    index = ManifestIndex(job=job, images=len(entries), shards=len(shards), lane=Lane.BULK)
    ledger.write(store, keys.manifest_index(job), index)
