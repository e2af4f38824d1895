"""What became of each image, against what ought to have become of it and against an undisturbed run."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadgen.chaos.images import Archive, Nature
from storage import keys

MOST_ATTEMPTS = 3
"""Of an image that kills whoever reads it."""
_REASONS = {Nature.DAMAGED: "bad_input", Nature.KILLER: "killed"}


@dataclass(frozen=True, slots=True)
class Ends:
    """How a job's images ended, as its objects say."""

    labels: Mapping[int, str]
    """The digest of each label file."""
    rejections: Mapping[int, Mapping[str, Any]]


@dataclass(slots=True)
class Verdict:
    """What a job's images came to; the lists are of sentences, one for each image that didn't end as it should."""

    images: int = 0
    labelled: int = 0
    rejected: int = 0
    lost: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)
    """Healthy ones rejected, hostile ones labelled or rejected for another reason."""

    def add(self, other: "Verdict") -> None:
        """Count another job as well."""
        self.images += other.images
        self.labelled += other.labelled
        self.rejected += other.rejected
        self.lost += other.lost
        self.differing += other.differing
        self.misjudged += other.misjudged


def ends(objects: Path, job: str) -> Ends:
    """Read from the bucket's files how a job's images ended.

    Parameters
    ----------
    objects
        The folder of the bucket.
    job
        Its id.
    """
    labels = {
        keys.image_of(key): hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        for key, file in _below(objects, keys.labels_prefix(job))
    }
    rejections = {
        keys.image_of(key): json.loads(file.read_text()) for key, file in _below(objects, keys.rejected_prefix(job))
    }
    return Ends(labels, {image: story for image, story in rejections.items() if image not in labels})


def judge(job: str, found: Ends, archive: Archive, reference: Mapping[int, str]) -> Verdict:
    """Compare how images ended with what they are, and their labels with those of an undisturbed run.

    Parameters
    ----------
    job
        Its id, for the sentences.
    found
        How its images ended.
    archive
        What its images are.
    reference
        The digest of each label file of the undisturbed run.
    """
    verdict = Verdict(len(archive.members), len(found.labels), len(found.rejections))
    for image, member in enumerate(archive.members):
        name, story = f"image {image} of job {job}", found.rejections.get(image)
        if image not in found.labels and story is None:
            verdict.lost.append(f"{name} has neither labels nor a rejection.")
        elif member.nature is Nature.HEALTHY:
            _healthy(name, found.labels.get(image), story, reference.get(image), verdict)
        elif (complaint := _hostile(member.nature, story)) is not None:
            verdict.misjudged.append(f"{name} is {member.nature}, and {complaint}.")
    return verdict


def _healthy(name: str, label: str | None, story: Mapping[str, Any] | None, expected: str | None, out: Verdict) -> None:
    if label is None and story is not None:
        out.misjudged.append(f"{name} is healthy, and was rejected as {story['reason']}: {story['message']}.")
    elif label != expected and expected is not None:
        out.differing.append(f"{name} has other bytes in its labels than in the undisturbed run.")


def _hostile(nature: Nature, story: Mapping[str, Any] | None) -> str | None:
    if story is None:
        return "was labelled"
    if story["reason"] != _REASONS[nature]:
        return f"was rejected as {story['reason']}: {story['message']}"
    if story.get("attempts", 1) > MOST_ATTEMPTS:
        return f"was rejected only after {story['attempts']} attempts"
    return None


def _below(objects: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    folder = objects / prefix
    for file in sorted(folder.glob("*/*")):
        yield file.relative_to(objects).as_posix(), file
