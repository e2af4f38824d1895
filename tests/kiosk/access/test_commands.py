"""Tokens on the command line and in the client, from making one to being refused."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kiosk.access import tokens as kept
from kiosk.access.holdings import Quota
from kiosk.api.guard import Access
from kiosk.client import Monolayer
from kiosk.commands import tokens
from kiosk.errors import Refused
from kiosk.local.cache import LocalError
from kiosk.local.settings import check_host
from kiosk.local.stack import Local
from kiosk.local.state import State
from storage import keys
from streams.jobs import ledger
from tests.kiosk.front import Bucket, app_of, serving, stages
from tests.kiosk.test_cli import monolayer


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()

    @contextmanager
    def opened() -> Iterator[Bucket]:
        yield made

    monkeypatch.setattr(tokens, "_bucket", opened)
    return made


@pytest.fixture
def door(bucket: Bucket) -> Iterator[str]:
    """The address of an API that asks for tokens."""
    with serving(app_of(bucket, stages(bucket), access=Access(login=True, secret=b"s"))) as address:
        bucket.address = address
        yield address


def test_a_token_is_made_shown_once_listed_and_revoked(bucket: Bucket) -> None:
    text = monolayer("tokens", "create", "Ada's notebook", "--tenant", "lab-1", "--days", "9").stdout.strip()
    caller = kept.Book(bucket).caller(text)
    assert caller and caller.tenant == "lab-1" and sorted(caller.scopes) == ["read", "submit"]
    shown = monolayer("tokens", "list")
    assert "Ada's notebook" in shown.stdout and text.rsplit("_", 1)[1] not in shown.stdout
    assert "good for 9.0 days" in shown.stdout
    assert "is revoked" in monolayer("tokens", "revoke", caller.id).stdout
    assert kept.Book(bucket).caller(text) is None
    assert "revoked" in monolayer("tokens", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("create", "x", "--scope", "root"), "submit, read, admin"),
     (("create", "x", "--tenant", "A/b"), "can't be a tenant"),
     (("create", "x", "--scope", "admin", "--tenant", "lab"), "all tenants"), (("revoke", "0" * 16), "no token"),
     (("limit", "inbox", "--images", "1"), "can't be a tenant")],
)  # fmt: skip
def test_what_makes_no_token_is_refused_in_a_sentence(bucket: Bucket, arguments: tuple[str, ...], word: str) -> None:
    result = monolayer("tokens", *arguments)
    assert result.exit_code == 1
    assert word in result.stderr
    assert list(bucket.list(keys.ACCESS)) == []


def test_a_tenants_quota_is_written_down(bucket: Bucket) -> None:
    assert monolayer("tokens", "limit", "lab-1", "--images", "100", "--gigabytes", "1.5").exit_code == 0
    assert ledger.read(bucket, keys.tenant("lab-1"), Quota) == Quota(images=100, bytes=1_500_000_000)


def test_commands_come_in_with_a_token_and_not_without(door: str, good: Path, tmp_path: Path) -> None:
    token = json.loads(monolayer("tokens", "create", "ada", "--json").stdout)["token"]
    refused = monolayer("jobs", MONOLAYER_API=door)
    assert refused.exit_code == 1 and "--token or MONOLAYER_TOKEN" in refused.stderr
    wrong = monolayer("--token", "x", "jobs", MONOLAYER_API=door)
    assert wrong.exit_code == 1 and "not one of this Monolayer" in wrong.stderr
    result = monolayer("submit", good, "--out", tmp_path / "out", MONOLAYER_API=door, MONOLAYER_TOKEN=token)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "cells.csv").exists()
    assert "good" in monolayer("--token", token, "--api", door, "jobs").stdout


def test_the_client_takes_a_token_and_sends_it_to_the_api_only(door: str, bucket: Bucket, good: Path) -> None:
    text, _ = kept.create(bucket, "ada", {kept.Scope.SUBMIT, kept.Scope.READ})
    with Monolayer(door, token=text) as client:
        [job] = client.submit([good])
        assert client.wait(job).labelled == 2
    with Monolayer(door, patience=0) as client, pytest.raises(Refused, match="asks for a token") as why:
        client.jobs()
    assert why.value.status == 401


def test_what_listens_for_others_is_started_so_and_only_where_that_can_be(tmp_path: Path) -> None:
    assert "--host 127.0.0.1" in " ".join(Local(State(tmp_path), tmp_path)._arguments())
    assert "--host 10.0.0.5" in " ".join(Local(State(tmp_path), tmp_path, host="10.0.0.5")._arguments())
    check_host("127.0.0.1")
    for host, word in (("0.0.0.0", "the one address"), ("192.0.2.1", "can listen"), ("no such name", "can listen")):
        with pytest.raises(LocalError, match=word):
            check_host(host)
