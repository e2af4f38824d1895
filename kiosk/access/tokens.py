"""Access tokens: made once, shown once, and kept in the bucket as a digest only.

A plain SHA-256 is right here. Slow password hashes make guessing dear where secrets are short; these are 256 random
bits, which nobody guesses however fast, and a slow hash would only let strangers keep the API busy.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Collection, Mapping

from pydantic import ValidationError

from kiosk.access.caller import Caller, Scope
from observability.logs import log
from storage import keys
from storage.objects import Store
from streams.jobs import ledger
from streams.jobs.records import Record
from streams.jobs.remembered import Remembered

PREFIX = "monolayer"
"""How a token begins, so that whoever finds one knows what it opens."""
_SHAPE = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_([0-9a-f]{{64}})")
DAY = 24 * 3600.0


class Unfit(ValueError):
    """There can be no such token; the message is a sentence."""


class AccessToken(Record):
    """A token as the bucket knows it: whoever reads this can't use it."""

    id: str
    digest: str
    """SHA-256 of its secret."""
    name: str
    """Who or what it is for."""
    scopes: list[Scope]
    tenant: str = ""
    created: float
    """Seconds since 1970, as are the others."""
    expires: float | None = None
    revoked: float | None = None

    def opens(self, now: float) -> bool:
        """Whether it is still good."""
        return self.revoked is None and (self.expires is None or now < self.expires)


def create(
    store: Store,
    name: str,
    scopes: Collection[Scope],
    tenant: str = "",
    days: float | None = None,
    now: Callable[[], float] = time.time,
) -> tuple[str, AccessToken]:
    """A new token as its owner is to keep it, and as the bucket does.

    Parameters
    ----------
    name
        Who or what it is for.
    tenant
        The only jobs that it shows and makes; empty: those that belong to no tenant.
    days
        How long it is good; None: until it is revoked.

    Raises
    ------
    Unfit
        Its tenant can't be called so, or it would be one for all tenants and for one of them.
    """
    if not scopes:
        raise Unfit("a token needs at least one scope")
    if tenant:
        check_tenant(tenant)
        if Scope.ADMIN in scopes:
            raise Unfit("an admin sees the jobs of all tenants, so such a token can't belong to one")
    made, secret = now(), secrets.token_hex(32)
    record = AccessToken(
        id=secrets.token_hex(8),
        digest=_digest(secret),
        name=name,
        scopes=sorted(scopes),
        tenant=tenant,
        created=made,
        expires=None if days is None else made + days * DAY,
    )
    ledger.write(store, keys.token(record.id), record)
    return f"{PREFIX}_{record.id}_{secret}", record


def check_tenant(tenant: str) -> None:
    """Raise `Unfit` for a name that can't stand at the beginning of a key."""
    if not keys.is_tenant(tenant):
        raise Unfit(
            f"{tenant!r} can't be a tenant: up to 40 small letters, digits and hyphens, and not a name that the bucket "
            "uses itself"
        )


def listed(store: Store) -> list[AccessToken]:
    """All tokens that ever were, the newest first."""
    found = (_read(store, stat.key) for stat in store.list(keys.TOKENS))
    return sorted((each for each in found if each), key=lambda each: -each.created)


def revoke(store: Store, token: str, now: Callable[[], float] = time.time) -> AccessToken | None:
    """End a token, by its id; none where there is no such token. APIs that run notice within seconds."""
    known = _read(store, keys.token(token)) if re.fullmatch(r"[0-9a-f]{16}", token) else None
    if known and known.revoked is None:
        known = known.model_copy(update={"revoked": now()})
        ledger.write(store, keys.token(known.id), known)
    return known


class Book:
    """All tokens, believed for some seconds: a stranger's inventions cost the store nothing, however many there are.

    Parameters
    ----------
    store
        Where tokens lie.
    now
        Seconds since 1970.
    clock
        A clock in seconds, of which only differences count.
    """

    def __init__(
        self, store: Store, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._now = store, now
        self._seen: dict[str, tuple[str, AccessToken | None]] = {}
        self._tokens: Remembered[None, Mapping[str, AccessToken]] = Remembered(self._read_all, 1, clock)

    def caller(self, text: str) -> Caller | None:
        """Whose token this is; none where it is nobody's, or not any more. Raises the store's errors."""
        found = _SHAPE.fullmatch(text)
        known = self._tokens[None].get(found[1]) if found else None
        if not found or not known:
            return None
        fits = hmac.compare_digest(_digest(found[2]), known.digest)
        if not fits or not known.opens(self._now()):
            return None
        return Caller(known.name, frozenset(known.scopes), known.tenant, known.id)

    def _read_all(self, _: None) -> Mapping[str, AccessToken]:
        """Each token is read when it is new or was changed."""
        before, seen = self._seen, {}
        for stat in self._store.list(keys.TOKENS):
            known = before.get(stat.key)
            seen[stat.key] = known if known and known[0] == stat.etag else (stat.etag, _read(self._store, stat.key))
        self._seen = seen
        return {token.id: token for _, token in seen.values() if token}


def _read(store: Store, key: str) -> AccessToken | None:
    try:
        return ledger.read(store, key, AccessToken)
    except ValidationError as why:
        log().error("token_unreadable", key=key, why=str(why))
        return None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
