from collections.abc import Callable

import pytest

from storage.memory import MemoryStore
from storage.objects import Store, StoreError
from tests.storage.contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()

    @pytest.fixture
    def put_part(self, store: MemoryStore) -> Callable[[str, bytes], str]:
        return store.put_part


def test_a_key_can_not_be_an_object_and_a_folder() -> None:
    store = MemoryStore()
    store.put("a/b", b"x")
    for key in ("a", "a/b/c"):
        with pytest.raises(StoreError, match="an object and a folder"):
            store.put(key, b"x")
    store.delete(["a/b"])
    store.put("a/b/c", b"x")
    assert [found.key for found in store.list("")] == ["a/b/c"]
