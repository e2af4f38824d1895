"""A bit that flips between the store and us is no fault of the image."""

from collections.abc import Callable
from functools import cache

import pytest

from storage import keys
from storage.memory import MemoryStore
from streams.jobs import ledger
from tests.streams.stand import archive, submit, tiff, tools


class Flipping(MemoryStore):
    """Flips a bit in one of the reads of what was uploaded, or in several in a row."""

    def __init__(self, number: int, where: float, row: int = 1) -> None:
        super().__init__()
        self._numbers, self._where = range(number, number + row), where
        self.reads = 0

    def get(self, key: str, start: int = 0, length: int | None = None, etag: str | None = None) -> bytes:
        data = super().get(key, start, length, etag)
        if not key.startswith("uploads/"):
            return data
        self.reads += 1
        if self.reads not in self._numbers or not data:
            return data
        at = int(self._where * len(data)) | (self._where == 0.5)  # of a pixel the higher byte
        return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def end(store: MemoryStore) -> tuple[int | None, int, list[bytes]]:
    state = ledger.state(store, next(ledger.jobs(store)).job)
    labels = [store.get(stat.key) for stat in store.list(keys.labels_prefix(state.job))]
    return state.images, state.labelled, labels


def pair() -> bytes:
    return archive({"a.tif": tiff(), "b.tif": tiff(seed=2)})


@cache
def sound(upload: Callable[[], bytes]) -> tuple[int | None, int, list[bytes]]:
    """How it ends where no bit flips."""
    store = MemoryStore()
    submit(tools(store), upload())
    return end(store)


@pytest.mark.parametrize("number", range(1, 12))
@pytest.mark.parametrize("where", [0.0, 0.5])
@pytest.mark.parametrize("upload", [pair, tiff])
def test_a_flipped_bit_in_any_read_changes_nothing(number: int, upload: Callable[[], bytes], where: float) -> None:
    store = Flipping(number, where)
    submit(tools(store), upload())
    assert end(store) == sound(upload)
    assert sound(upload)[1] in (1, 2)


@pytest.mark.parametrize("number", range(6, 12))
def test_what_flips_a_few_bits_in_a_row_changes_nothing_either(number: int) -> None:
    store = Flipping(number, 0.5, row=4)
    submit(tools(store), pair())
    assert end(store) == sound(pair)


@pytest.mark.parametrize("row", [2, 3])
@pytest.mark.parametrize("field", [10, 16, 20, 42], ids=["method", "checksum", "size", "place"])
def test_what_flips_the_same_bit_of_a_small_archives_directory_in_a_row_condemns_no_image(field: int, row: int) -> None:
    data = pair()
    at = data.index(b"PK\1\2") + field
    store = Flipping(1, (at + 0.5) / len(data), row)
    submit(tools(store), data)
    assert end(store) == sound(pair)
