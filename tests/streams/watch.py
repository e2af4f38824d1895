"""A sweeper in a world that a test sets."""

from collections.abc import Callable

from storage import keys
from storage.memory import MemoryStore
from streams.events import Event, Lane, SliceListed
from streams.jobs.records import Clock
from streams.sweep import Sweeper
from tests.streams.books import JOB, Time
from tests.streams.stand import run

HOUR = 3600.0


class Watch:
    """Looks once a minute, by a clock of its own."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.time = Time()
        self.lag: int | None = 5
        self.well = True
        self.mine: Callable[[str], bool] = lambda job: True
        self.sweeper = Sweeper(store, lambda job: self.mine(job), lambda: self.lag, self._healthy, self.time)

    async def _healthy(self) -> bool:
        return self.well

    def look(self, minutes: float = 1) -> list[Event]:
        self.time.now += minutes * 60
        return run(self.sweeper.look())  # type: ignore[no-any-return]

    def looks(self, count: int) -> list[Event]:
        return [event for _ in range(count) for event in self.look()]

    @property
    def clock(self) -> Clock:
        return Clock.model_validate_json(self.store.get(keys.open_job(JOB)))


def slice_of(shard: int = 0, round_: int = 0) -> SliceListed:
    return SliceListed(job=JOB, lane=Lane.BULK, shard=shard, round=round_, again=True)
