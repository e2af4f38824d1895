"""Whether an object store can do what the house relies on, tried on the store itself."""

import secrets
from collections.abc import Iterator

from storage.objects import Changed, Store, StoreError


def probe(store: Store, name: str) -> tuple[str, ...]:
    """Try reads after writes, ranges and pinned etags.

    Parameters
    ----------
    store
        A bucket; one object is written to it, and removed again.
    name
        What the store is called in sentences.

    Returns
    -------
    tuple of str
        What it can do.

    Raises
    ------
    StoreError
        A sentence saying what it can't.
    """
    key = f"scratch/probe-{secrets.token_hex(8)}"
    etag = store.put(key, b"0123456789")
    able = []
    try:
        for ability, has in _abilities(store, key, etag):
            if not has:
                raise StoreError(f"{name} lacks {ability}, without which images could be lost or mixed up")
            able.append(ability)
    finally:
        store.delete([key])
    return tuple(able)


def _abilities(store: Store, key: str, etag: str) -> Iterator[tuple[str, bool]]:
    yield "read after write", store.get(key) == b"0123456789"
    yield "list after write", [found.key for found in store.list(key)] == [key]
    yield "ranged read", store.get(key, 2, 3) == b"234"
    yield "pinned read", store.get(key, 2, 3, etag) == b"234" and _refuses(store, key, "0" * 32)
    store.put(key, b"9876543210")
    yield "read after overwrite", store.get(key) == b"9876543210" and _refuses(store, key, etag)


def _refuses(store: Store, key: str, etag: str) -> bool:
    try:
        store.get(key, 0, 1, etag)
    except Changed:
        return True
    return False
