"""How many workers and how many model servers there should be: every formula of it, and nothing else.

Pure functions of what is measured. Where something is not known the answer is none, which means: leave it as it is.
What is wanted is a number of replicas with a fraction; an autoscaler rounds it up, holds it between its limits, and
waits before it takes anything away (`Pace`).

The first policy adds what comes to what waits. Backlog alone, in proportion, rests where a standing backlog of
replicas x target keeps the replicas there; what comes keeps them there by itself.
"""

from dataclasses import dataclass

BUSY = 0.8
"""Share of its time that a worker should work: the rest takes in what comes unevenly."""
DRAIN_SECONDS = 60.0
"""In which a backlog should be gone, where all replicas start sooner than that."""
UTILISATION = 0.7
"""Of a GPU, 0 to 1."""
QUEUE_RATIO = 3.0
"""A request should not wait in the server's queue for longer than the model computes, times this. A GPU that is as busy
as it should be makes requests wait 2.3 times as long, if they come at random."""
PUBLISHED_TARGET = 0.15
PUBLISHED_TARGET_CROWDED = 0.135
PUBLISHED_CROWD = 150
"""Consumers for each server from which on the lower target holds."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly an autoscaler follows what is wanted, and how soon a new replica is of use. All in seconds."""

    starting: float
    """Until a new replica works: its node, its image, what it loads."""
    waits: float
    """So long nothing is taken away after it was wanted last: longer than starting it anew would take."""
    most_down: int
    """Of a hundred replicas, so many at most are taken away in `every`; one at least."""
    every: float = 60.0


LOOKS_SECONDS = 15.0
"""Between two looks of an autoscaler, and between two values of what it looks at."""
WORKERS = Pace(starting=60, waits=300, most_down=50)
SERVERS = Pace(starting=300, waits=600, most_down=50)
"""A node with a GPU takes two to eight minutes to appear."""


def drain_seconds(*paces: Pace) -> float:
    """In which a backlog should be gone: what came while the slowest part was starting is no reason for more of it."""
    return max(DRAIN_SECONDS, *(pace.starting for pace in paces))


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do; none where nobody can tell."""

    waiting: float | None
    """Events that are not finished: the lag."""
    arriving: float | None
    """Events a second."""
    seconds: float | None
    """Of one replica for an event, all its slots at work."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How the model's servers fare; none where nobody can tell."""

    ready: int
    """Servers that answer. One that is being started has not helped yet, so it is not counted as if it had."""
    utilisation: float | None
    """Mean of their GPUs, 0 to 1."""
    queue_seconds: float | None
    compute_seconds: float | None
    """Of all requests in the same time."""


def demand(work: Work, share: float = BUSY, drain: float = DRAIN_SECONDS) -> float | None:
    """The replicas that keep up with what comes and finish what waits within so many seconds.

    Nothing waiting and nothing coming is zero, also before anything was ever measured.

    Parameters
    ----------
    work
        For one kind of replica.
    share
        Of its time that a replica should work.
    drain
        Seconds in which what waits should be gone.
    """
    if work.waiting is None or work.arriving is None:
        return None
    if not work.waiting and not work.arriving:
        return 0.0
    if work.seconds is None:
        return None
    return work.seconds * (work.arriving / share + work.waiting / drain)


def awake(waiting: float | None) -> bool | None:
    """Whether there must be one at all: so long as anything waits, be it in work already. Asks nobody but Kafka."""
    return None if waiting is None else waiting > 0


def kept(wanted: float | None, in_flight: float, slots: int) -> float | None:
    """No fewer workers than are full of work: what is in flight is not cut short to be done again elsewhere."""
    return None if wanted is None else max(wanted, in_flight / slots)


def capped(wanted: float | None, servers_ready: int, each: float) -> float | None:
    """No more workers than the servers that answer can take, each so many; always one, to see that they are back."""
    return None if wanted is None else min(wanted, max(1.0, servers_ready * each))


def by_utilisation(serving: Serving) -> float | None:
    """The servers at which no GPU is busier than it should be, but one more than there are at most.

    Where something waits all GPUs are busy, be they few or many: that tells of too few, and `demand` of how many.
    """
    if serving.utilisation is None or not serving.ready:
        return None
    return min(serving.ready * serving.utilisation / UTILISATION, serving.ready + 1.0)


def by_queue(serving: Serving) -> float | None:
    """The servers at which requests wait no longer than they should; one more at most, as above."""
    if serving.queue_seconds is None or serving.compute_seconds is None or not serving.ready:
        return None
    ratio = serving.queue_seconds / serving.compute_seconds if serving.compute_seconds else 0.0
    return min(serving.ready * ratio / QUEUE_RATIO, serving.ready + 1.0)


def published_consumers(current: int, gpu: float | None, keys: float | None, servers_ready: int) -> float | None:
    """The consumers that the DeepCell Kiosk's policy wants (Bannon et al. 2021): more while GPUs idle and keys wait.

    Parameters
    ----------
    current
        Consumers now.
    gpu
        Mean utilisation, in per cent.
    keys
        Images in the queue.
    servers_ready
        Servers that answer.
    """
    if gpu is None or keys is None:
        return None
    there = max(1, current)
    crowded = there > PUBLISHED_CROWD * max(1, servers_ready)
    target = PUBLISHED_TARGET_CROWDED if crowded else PUBLISHED_TARGET
    return there * min((100 - gpu) / 100, keys / there) / target
