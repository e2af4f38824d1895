"""The inbox: objects that any S3 client puts under `inbox/<model>/` or `<tenant>/inbox/<model>/` become uploads.

`name.json` beside `name` holds its options, and is put before it.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from inference.models import Model, shipped_models
from observability import metrics
from observability.logs import configure, log
from storage import keys
from storage.objects import NotFound, Stat, Store, StoreError
from storage.s3 import S3Store
from streams import intake
from streams.events import UploadReceived
from streams.jobs import ledger
from streams.kafka import Announcer, BrokerAway
from streams.settings import Settings

MOST_OPTIONS = 10_000
"""Bytes of an options file that are read; a real one has fifty."""


class Inbox:
    """Announces each object once; what was announced before a restart is told by the job's manifest."""

    def __init__(self, store: Store, models: Mapping[str, Model], announcer: Announcer) -> None:
        self._store = store
        self._models = models
        self._announcer = announcer
        self._taken: set[tuple[str, ...]] = set()

    def look(self) -> int:
        """Announce what is new; returns how many. Raises the store's errors and `BrokerAway`."""
        inboxes = [keys.own(tenant, keys.INBOX) for tenant in ledger.tenants(self._store)]
        there = {stat.key: stat for inbox in inboxes for stat in self._store.list(inbox)}
        named = {stat.key: _named(stat, there) for stat in there.values()}
        self._taken &= set(named.values())
        new = [stat for stat in there.values() if named[stat.key] not in self._taken and self._is_upload(stat)]
        for stat in new:
            try:
                self._announce(stat)
            except StoreError as error:  # its neighbours don't wait for it; it is tried again with the next look
                log().warning("inbox_object_waits", key=stat.key, error=str(error))
            except ValidationError as error:
                log().warning("inbox_object_passed", key=stat.key, error=str(error))
                self._taken.add(named[stat.key])
            else:
                self._taken.add(named[stat.key])
        return len(new)

    def _is_upload(self, stat: Stat) -> bool:
        if stat.key.endswith(("/", ".json")):
            return False
        if not _model(stat.key):
            log().warning(
                "inbox_object_misplaced", key=stat.key, why="it lies in no model's folder: inbox/<model>/<name>"
            )
            self._taken.add((stat.key, stat.etag, ""))
            return False
        return True

    def _announce(self, stat: Stat) -> None:
        upload = self._upload(stat)
        try:
            job = intake.accept(self._store, upload, self._models)
        except intake.Gone:
            return
        except intake.Refused as why:
            job = intake.refuse(self._store, upload, str(why))
        if ledger.read_index(self._store, job.job) is not None:
            return
        self._announcer.announce(upload.model_copy(update={"job": job.job}))
        log().info("inbox_object_announced", key=stat.key, job=job.job)

    def _upload(self, stat: Stat) -> UploadReceived:
        upload = UploadReceived(object=stat.key, etag=stat.etag, model=_model(stat.key))
        try:
            options = _options(self._store.get(f"{stat.key}.json", 0, MOST_OPTIONS))
        except NotFound:
            return upload
        if options is None:
            return upload.model_copy(update={"options": {"options": f"{stat.key}.json holds no JSON object"}})
        return upload.model_copy(update={"options": options})


def _options(data: bytes) -> dict[str, Any] | None:
    """What an options file holds; none where that is no JSON object, or one that no event could carry."""
    try:
        carried = UploadReceived(object=keys.INBOX, options=json.loads(data))
        carried.encode()
    except (ValueError, RecursionError):
        return None
    return carried.options


def _model(key: str) -> str:
    """The folder in its inbox that an object lies in; empty: none."""
    inbox = keys.own(keys.tenant_of(key), keys.INBOX)
    model, slash, _ = key.removeprefix(inbox).partition("/")
    return model if slash else ""


def _named(stat: Stat, there: Mapping[str, Stat]) -> tuple[str, ...]:
    """What makes an upload this one: its bytes, and the options beside it, which may be corrected."""
    options = there.get(f"{stat.key}.json")
    return stat.key, stat.etag, options.etag if options else ""


def main() -> None:
    """Look at the inbox for ever."""
    configure("inbox")
    settings = Settings()
    metrics.serve(settings.metrics)
    store = S3Store(**settings.store)
    inbox = Inbox(store, shipped_models(), Announcer(settings.kafka))
    while True:
        try:
            inbox.look()
        except (StoreError, BrokerAway) as error:
            log().warning("inbox_waits", error=str(error))
        if settings.heartbeat:
            settings.heartbeat.touch()
        time.sleep(settings.inbox_seconds)


if __name__ == "__main__":
    main()
