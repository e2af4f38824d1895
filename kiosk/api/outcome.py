"""What a job had come to when its results were asked for, and what was learnt of its images while they were made."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kiosk.api import naming
from kiosk.api.trust import Figures
from kiosk.contract import Fate, Format
from storage.objects import Store
from streams.jobs import ledger
from streams.jobs.records import Job, JobState
from streams.jobs.tally import Tally


@dataclass(frozen=True, slots=True)
class Results:
    """What a job had come to when its results were asked for."""

    job: Job
    state: JobState
    fates: Tally
    names: list[str]
    """By image, without an ending."""
    formats: frozenset[Format] = frozenset()
    """What is wanted besides what always comes."""
    seen: dict[int, dict[str, object]] = field(default_factory=dict)
    """What the manifest says of each labelled image, learnt while its overlay was drawn."""
    figures: dict[int, Figures] = field(default_factory=dict)
    """Of each labelled image, to be compared with the others'."""
    versions: dict[str, None] = field(default_factory=dict)
    """The model's versions that labels name."""
    columns: dict[str, np.dtype[Any]] = field(default_factory=dict)
    """What any of its cells were measured in, in order; only images with a known pixel size have columns in µm."""

    def fate(self, image: int) -> Fate:
        """What became of an image."""
        return fate_of(self.fates, image, self.state.state == "done")


def read_results(store: Store, job: str, formats: frozenset[Format] = frozenset()) -> Results:
    """Look at a job, finished or not; raises `NoSuchJob`."""
    state = ledger.state(store, job)
    names = naming.result_names(entry.name for entry in ledger.entries(store, job))
    return Results(ledger.read_job(store, job), state, ledger.outcomes(store, job, state.images or 0), names, formats)


def fate_of(fates: Tally, image: int, over: bool) -> Fate:
    """What a tally says about an image; what has no outcome in a job that is over was cancelled."""
    if fates.labelled >> image & 1:
        return "labelled"
    if fates.rejected >> image & 1:
        return "rejected"
    return "cancelled" if over else "in flight"
