import pytest

from storage.memory import MemoryStore
from storage.objects import StoreError
from storage.probe import probe


class Forgetful(MemoryStore):
    """Answers every pinned read, whatever the etag."""

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        return super().get(key, start, length)


class Whole(MemoryStore):
    """Does not know ranges."""

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        return super().get(key, 0, None, etag)


def test_a_good_store_passes_and_nothing_is_left_in_it() -> None:
    store = MemoryStore()
    assert "pinned read" in probe(store, "the store")
    assert list(store.list("")) == []


@pytest.mark.parametrize(("store", "lacking"), [(Forgetful(), "pinned read"), (Whole(), "ranged read")])
def test_what_a_store_lacks_is_said_and_nothing_is_left_in_it(store: MemoryStore, lacking: str) -> None:
    with pytest.raises(StoreError, match=f"the store lacks {lacking}"):
        probe(store, "the store")
    assert list(store.list("")) == []
