"""Tokens as they are made, kept and believed."""

import pytest

from kiosk.access import tokens
from kiosk.access.caller import Scope
from kiosk.access.tokens import Book, Unfit
from storage import keys
from storage.memory import MemoryStore
from streams.jobs.remembered import BELIEVED_SECONDS

BOTH = {Scope.SUBMIT, Scope.READ}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Counting(MemoryStore):
    asked = 0

    def list(self, prefix):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().list(prefix)

    def get(self, *given, **named):  # type: ignore[no-untyped-def]
        self.asked += 1
        return super().get(*given, **named)


def test_the_bucket_never_holds_what_opens_the_door() -> None:
    store = MemoryStore()
    text, _ = tokens.create(store, "ada", BOTH)
    secret = text.rsplit("_", 1)[1]
    assert len(bytes.fromhex(secret)) == 32
    [stat] = store.list(keys.ACCESS)
    assert secret.encode() not in store.get(stat.key)
    assert secret not in stat.key


def test_a_token_says_who_asks_and_what_they_may() -> None:
    store = MemoryStore()
    text, _ = tokens.create(store, "ada", {Scope.READ}, tenant="lab-1")
    caller = Book(store).caller(text)
    assert caller is not None
    assert (caller.name, caller.tenant) == ("ada", "lab-1")
    assert caller.may(Scope.READ) and not caller.may(Scope.SUBMIT) and not caller.may(Scope.ADMIN)
    assert caller.sees("lab-1") and not caller.sees("") and not caller.sees("lab-2")


def test_a_token_without_a_tenant_sees_nobodys_jobs_but_those_of_no_tenant() -> None:
    store = MemoryStore()
    plain, admin = (tokens.create(store, "x", scopes)[0] for scopes in (BOTH, {Scope.ADMIN}))
    seen = [
        [caller.sees(tenant) for tenant in ("", "lab-1")]
        for caller in map(Book(store).caller, (plain, admin))
        if caller
    ]
    assert seen == [[True, False], [True, True]]


def forgeries(token: str) -> list[str]:
    other = "1" if token[-1] == "0" else "0"
    stranger = f"monolayer_{'0' * 16}_{token[-64:]}"
    return [
        token[:-1] + other,
        token[:-64] + "0" * 64,
        stranger,
        token + "0",
        token[:-1],
        "",
        token.upper(),
        f"{token}\n",
    ]


def test_a_forged_token_is_nobodys() -> None:
    store = MemoryStore()
    text, _ = tokens.create(store, "ada", BOTH)
    book = Book(store)
    assert [forged for forged in forgeries(text) if book.caller(forged)] == []
    assert book.caller(f"monolayer_../../x_{'0' * 64}") is None


def test_a_token_ends_when_its_days_are_over() -> None:
    store, clock = MemoryStore(), Clock()
    text, _ = tokens.create(store, "ada", BOTH, days=1, now=clock)
    book = Book(store, clock)
    clock.now += 24 * 3600 - 1
    assert book.caller(text)
    clock.now += 2
    assert book.caller(text) is None


def test_a_revocation_holds_within_seconds_and_not_before_anyone_can_notice() -> None:
    store, clock = MemoryStore(), Clock()
    text, made = tokens.create(store, "ada", BOTH)
    book = Book(store, clock=clock)
    assert book.caller(text)
    assert tokens.revoke(store, made.id)
    clock.now += BELIEVED_SECONDS - 0.1
    assert book.caller(text)
    clock.now += 0.2
    assert book.caller(text) is None
    assert [token.id for token in tokens.listed(store) if token.revoked] == [made.id]


def test_invented_tokens_cost_the_store_nothing() -> None:
    store = Counting()
    tokens.create(store, "ada", BOTH)
    book = Book(store, clock=Clock())
    book.caller(f"monolayer_{'0' * 16}_{'0' * 64}")
    before = store.asked
    for number in range(100):
        assert book.caller(f"monolayer_{number:016x}_{'0' * 64}") is None
    assert store.asked == before


def test_a_record_that_can_not_be_read_keeps_nobody_else_out() -> None:
    store = MemoryStore()
    text, _ = tokens.create(store, "ada", BOTH)
    store.put(keys.token("f" * 16), b"no JSON")
    assert Book(store).caller(text)


@pytest.mark.parametrize("tenant", ["Lab", "a/b", "..", "jobs", "inbox", "access", "-x", "x" * 41, "é"])
def test_a_tenant_is_called_so_that_it_could_begin_a_key(tenant: str) -> None:
    with pytest.raises(Unfit, match="can't be a tenant"):
        tokens.create(MemoryStore(), "x", BOTH, tenant)


def test_an_admin_belongs_to_no_tenant_and_a_token_without_scopes_is_none() -> None:
    with pytest.raises(Unfit, match="admin"):
        tokens.create(MemoryStore(), "x", {Scope.ADMIN}, "lab")
    with pytest.raises(Unfit, match="at least one"):
        tokens.create(MemoryStore(), "x", set())


def test_nobody_can_revoke_by_a_path() -> None:
    store = MemoryStore()
    store.put("jobs/j/job.json", b"{}")
    assert tokens.revoke(store, "../../jobs/j/job") is None
