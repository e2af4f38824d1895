"""`manifest.json`: every image and its fate, and how the work was done."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from inference import thresholds
from inference.models import Model
from kiosk.api import naming, trust
from kiosk.api.outcome import Results
from storage.objects import Store
from storage.overlays import LONGEST
from streams.events import Rejection
from streams.jobs import ledger
from streams.jobs.records import Entry

Line = dict[str, object]
"""What is told of one image."""


def as_json(facts: Mapping[str, object], images: Iterable[Line]) -> Iterator[bytes]:
    """The manifest, made while it is read; a line for each image."""
    head = json.dumps(facts, indent=1)
    yield (head.removesuffix("\n}") + ',\n "images": [').encode()
    for number, image in enumerate(images):
        yield f"{',' if number else ''}\n  {json.dumps(image, ensure_ascii=False)}".encode()
    yield b"\n ]\n}\n"


def facts(results: Results, model: Model | None) -> dict[str, object]:
    """What holds for all images: enough to say in a methods section what was done."""
    job = results.job
    known = model if model is not None and model.digest == job.model_digest else None
    return {
        "monolayer": version("monolayer"),
        "created": datetime.fromtimestamp(job.created, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "job": job.model_dump(mode="json", exclude_none=True, exclude={"notify"}),
        "model": {
            "name": job.model,
            "version": ", ".join(results.versions) or (known.version if known else None),
            "digest": job.model_digest,
            "trained_at_pixel_size_um": known.pixel_size if known else None,
            "trained_at_diameter_px": known.diameter if known else None,
            "normalised_between_percentiles": list(known.percentiles) if known else None,
            "citations": list(known.citations) if known else [],
        },
        "post_processing": {
            "smoothing_px": thresholds.SMOOTHING,
            "foreground_threshold": round(thresholds.FOREGROUND / 255, 3),
            "prominence_threshold": round(thresholds.PROMINENCE / 255, 3),
            "summit_threshold": round(thresholds.SUMMIT / 255, 3),
            "smallest_object_px": thresholds.SPECK,
        },
        "overlay_longest_side_px": LONGEST,
        "options": job.options.model_dump(exclude_none=True),
        "state": results.state.model_dump(mode="json"),
    }


def images(results: Results, store: Store) -> Iterator[Line]:
    """Every image and its fate; all labels must have been seen before, as they are compared."""
    sizes = trust.usual_size(results.figures.values(), results.job.options.diameter)
    stories = ledger.rejections(store, results.job.job)
    story = next(stories, None)
    for entry in ledger.entries(store, results.job.job):
        while story is not None and story.image < entry.image:
            story = next(stories, None)
        yield _line(results, entry, story if story is not None and story.image == entry.image else None, sizes)


def _line(results: Results, entry: Entry, story: Rejection | None, sizes: trust.Sizes) -> Line:
    fate = results.fate(entry.image)
    line: Line = {"image": entry.image, "name": entry.name, "fate": fate}
    if entry.source.crc is not None:
        line["input_crc32"] = f"{entry.source.crc:08x}"
    if fate == "labelled":
        line["labels"] = naming.labels_name(results.names[entry.image])
        line |= {"channel": results.job.options.channel or 1} | results.seen.get(entry.image, {})
        if image := results.figures.get(entry.image):
            line |= image.told() | {"flags": trust.flags(image, sizes)}
    elif fate == "rejected" and story:
        line |= {"reason": story.reason, "message": story.message, "attempts": story.attempts}
    return line | {"input": entry.source.model_dump(exclude_none=True)}
