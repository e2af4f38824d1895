"""`manifest.json`: every image and its fate, and how the work was done."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from inference.models import Model
from kiosk.api import naming
from kiosk.api.outcome import Results
from storage.objects import Store
from storage.overlays import LONGEST
from streams.events import Rejection
from streams.jobs import ledger
from streams.jobs.ledger import Entry


def lines(results: Results, store: Store, model: Model | None) -> Iterator[bytes]:
    """Every image and its fate: enough to say in a methods section what was done."""
    head = json.dumps(_facts(results, model), indent=1)
    yield (head.removesuffix("\n}") + ',\n "images": [').encode()
    stories = ledger.rejections(store, results.job.job)
    story = next(stories, None)
    for entry in ledger.entries(store, results.job.job):
        while story is not None and story.image < entry.image:
            story = next(stories, None)
        mine = story if story is not None and story.image == entry.image else None
        line = json.dumps(_line(results, entry, mine), ensure_ascii=False)
        yield f"{',' if entry.image else ''}\n  {line}".encode()
    yield b"\n ]\n}\n"


def _facts(results: Results, model: Model | None) -> dict[str, object]:
    job = results.job
    known = model if model is not None and model.digest == job.model_digest else None
    return {
        "monolayer": version("monolayer"),
        "created": datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "job": job.model_dump(mode="json", exclude_none=True),
        "model": {
            "name": job.model,
            "version": ", ".join(results.versions) or (known.version if known else None),
            "digest": job.model_digest,
            "trained_at_pixel_size_um": known.pixel_size if known else None,
            "trained_at_diameter_px": known.diameter if known else None,
        },
        "overlay_longest_side_px": LONGEST,
        "options": job.options.model_dump(exclude_none=True),
        "state": results.state.model_dump(mode="json"),
    }


def _line(results: Results, entry: Entry, story: Rejection | None) -> dict[str, object]:
    fate = results.fate(entry.image)
    line: dict[str, object] = {"image": entry.image, "name": entry.name, "fate": fate}
    if entry.source.crc is not None:
        line["input_crc32"] = f"{entry.source.crc:08x}"
    if fate == "labelled":
        line["labels"] = naming.labels_name(results.names[entry.image])
        line |= {"channel": results.job.options.channel or 1} | results.seen.get(entry.image, {})
    elif fate == "rejected" and story:
        line |= {"reason": story.reason, "message": story.message, "attempts": story.attempts}
    return line | {"input": entry.source.model_dump(exclude_none=True)}
