"""Many tiles, one image: when are all its maps there? Derived from what is stored, counted in memory."""

import threading

from storage import keys
from storage.claims import Claims
from storage.objects import NotFound, Store
from streams.events import TilePredicted

Plan = tuple[str, int, str]
KEPT = 1000
"""Images remembered at most; a forgotten one is listed again."""


class FanIn:
    """Lists an image's maps once, then counts; lists again only when the count says complete."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[Plan, set[int]] = {}
        self._lock = threading.Lock()

    def complete(self, predicted: TilePredicted, claims: Claims) -> bool:
        """Whether every tile's maps can be taken, from this run's memory or from the bucket.

        Raises `NotFound` where this very tile's are gone: nobody else might ever have them made again.
        """
        planned = predicted.planned
        if claims.holds(map_key(predicted, planned.tile)):  # a chain's run: its last tile stands for all
            wanted = (map_key(predicted, tile) for tile in range(planned.tiles))
            return planned.tile == planned.tiles - 1 and all(map(claims.holds, wanted))
        plan = (planned.job, planned.image, planned.plan)
        with self._lock:
            seen = self._seen.get(plan)
            if seen is not None:
                seen.add(planned.tile)
                if len(seen) < planned.tiles:
                    return False
        stored = self._listed(predicted)
        if planned.tile not in stored:
            raise NotFound(map_key(predicted, planned.tile))
        with self._lock:
            while len(self._seen) >= KEPT:
                self._seen.pop(next(iter(self._seen)))
            self._seen[plan] = stored | self._seen.get(plan, set()) | {planned.tile}
        return len(stored) == planned.tiles

    def forget(self) -> None:
        """After a new assignment the count starts from the store again."""
        with self._lock:
            self._seen.clear()

    def _listed(self, predicted: TilePredicted) -> set[int]:
        planned = predicted.planned
        prefix = keys.maps_prefix(planned.job, planned.image, planned.plan)
        return {int(stat.key.rsplit("/", 1)[1]) for stat in self._store.list(prefix)}


def map_key(predicted: TilePredicted, tile: int) -> str:
    """Where the maps of another tile of the same image are."""
    planned = predicted.planned
    return keys.tile_maps(planned.job, planned.image, planned.plan, tile)
