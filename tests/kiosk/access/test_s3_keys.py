"""A tenant's own S3 key, tried on the real server: its inbox and its jobs, and nothing else of anybody's."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from posixpath import normpath
from urllib.parse import quote, unquote, urlsplit

import pytest
from minio import Minio
from minio.commonconfig import CopySource
from minio.credentials import Credentials
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.helpers import sha256_hash
from minio.signer import sign_v4_s3

from kiosk.access import policy
from kiosk.commands import tokens
from kiosk.local.s3 import accounts
from kiosk.local.stack import Local
from kiosk.local.state import State
from storage import keys
from storage.s3 import S3Store
from tests.kiosk.test_cli import monolayer
from tests.servers import S3Server
from tests.streams.test_inbox import inbox

TENANTS = ("a", "a-b", "b")
OWN = ("{}/inbox/nuclei/x.tif", "{}/jobs/{}_0/job.json")
BUCKET = "tenants"
PIXELS, SECRET = b"pixels of somebody", b"the house's own"
WAYS = ("../../", "..%2f..%2f", "%2e%2e/%2e%2e/", "nuclei/../../../", "./../../", "..%5c..%5c", "//../../../")


class Door:
    """The bucket as its owner and as tenants reach it."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.store = S3Store(server.endpoint, server.access_key, server.secret_key, BUCKET)
        self.store.create_bucket()
        for tenant in TENANTS:
            for place in (*OWN, "{}/uploads/u/x.tif", "{}/x"):
                self.store.put(place.format(tenant, tenant), PIXELS)
        for top in keys.TOP:
            self.store.put(f"{top}x/y", SECRET)
        self.store.put("jobs/a_0/job.json", b"before")

    def key_of(self, tenant: str) -> Minio:
        made = json.loads(monolayer("tokens", "s3", tenant, "--trusted", "--json").stdout)
        return self.client(made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"])

    def client(self, access: str, secret: str) -> Minio:
        host = self.server.endpoint.removeprefix("http://")
        return Minio(host, access, secret, secure=False, region="us-east-1")


@pytest.fixture(scope="module")
def door(s3_server: S3Server) -> Door:
    return Door(s3_server)


@pytest.fixture(autouse=True)
def here(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Monolayer whose S3 server this is."""
    local = Local(State(door.server.folder.parent.parent), Path())
    monkeypatch.setattr(tokens, "here", lambda: local)

    @contextmanager
    def opened() -> Iterator[S3Store]:
        yield door.store

    monkeypatch.setattr(tokens, "_bucket", opened)


def refused(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except S3Error as error:
        return error.code == "AccessDenied"
    return False


def read(client: Minio, key: str) -> bytes:
    return client.get_object(BUCKET, key).data


def put(client: Minio, key: str) -> None:
    client.put_object(BUCKET, key, io.BytesIO(b"new"), 3)


def names(client: Minio, prefix: str) -> list[str]:
    return [str(found.object_name) for found in client.list_objects(BUCKET, prefix, recursive=True)]


def test_a_tenants_key_fills_and_empties_its_inbox_and_reads_its_jobs(door: Door) -> None:
    client = door.key_of("a")
    put(client, "a/inbox/nuclei/new.tif")
    assert read(client, "a/inbox/nuclei/new.tif") == b"new"
    assert names(client, "a/inbox/") == ["a/inbox/nuclei/new.tif", "a/inbox/nuclei/x.tif"]
    client.remove_object(BUCKET, "a/inbox/nuclei/new.tif")
    assert names(client, "a/jobs/") == ["a/jobs/a_0/job.json"]
    assert read(client, "a/jobs/a_0/job.json") == PIXELS


def test_what_it_puts_becomes_a_job_that_it_reads(door: Door) -> None:
    client = door.key_of("b")
    put(client, "b/inbox/nuclei/new.tif")
    looker, heard = inbox(door.store)
    looker.look()
    [job] = [each.job for each in heard.events if each.job.startswith("b_") and "new" in each.encode().decode()]
    assert json.loads(read(client, f"b/jobs/{job}/job.json"))["object"] == "b/inbox/nuclei/new.tif"
    assert refused(lambda: read(door.key_of("a"), f"b/jobs/{job}/job.json"))


def test_it_opens_nothing_else_of_anybodys(door: Door) -> None:
    before = {stat.key: stat.etag for stat in door.store.list("")}
    others = [key for key in before if not key.startswith(("a/inbox/", "a/jobs/"))]
    assert len(others) > 20
    client = door.key_of("a")
    door.key_of("a-b")
    for key in others:
        for ask in (read, put, Minio.stat_object, Minio.remove_object):
            where = (client, key) if ask in (read, put) else (client, BUCKET, key)
            assert refused(lambda ask=ask, where=where: ask(*where)), (ask, key)  # type: ignore[misc]
    for key in ("a/jobs/a_0/job.json", "a/jobs/a_1/job.json", "a", "c/inbox/nuclei/x.tif", "ab/inbox/x"):
        assert refused(lambda key=key: put(client, key)), key  # type: ignore[misc]
    assert {stat.key: stat.etag for stat in door.store.list("")} == before


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/inbox", "a/uploads/", "a-b/inbox/", *keys.TOP])
def test_it_lists_nothing_else(door: Door, prefix: str) -> None:
    assert refused(lambda: names(door.key_of("a"), prefix))


def test_a_listing_goes_no_way_out_of_what_the_key_opens(door: Door) -> None:
    client = door.key_of("a")
    for way in WAYS:
        assert names(client, f"a/inbox/{way}") == []


@pytest.mark.parametrize("way", WAYS)
def test_no_path_leads_out_of_what_it_opens(door: Door, way: str) -> None:
    made = json.loads(monolayer("tokens", "s3", "a", "--trusted", "--json").stdout)
    before = outside(door, "a/inbox/")
    for path in (f"a/inbox/{way}open/x/y", f"a/inbox/{way}a-b/jobs/a-b_0/job.json", f"a/jobs/{way}x/y"):
        asked, read_as = f"/{BUCKET}/{path}", unquote(f"/{BUCKET}/{path}")
        for method, signed in product(("PUT", "GET", "DELETE"), {asked, quote(read_as), quote(normpath(read_as))}):
            _, body = bare(door, made, method, asked, signed)
            assert SECRET not in body and PIXELS not in body, (method, path, signed)
    assert outside(door, "a/inbox/") == before


def outside(door: Door, prefix: str) -> dict[str, str]:
    return {stat.key: stat.etag for stat in door.store.list("") if not stat.key.startswith(prefix)}


def bare(door: Door, made: dict[str, str], method: str, path: str, signed: str) -> tuple[int, bytes]:
    """A request as no client would write it, its path signed in another spelling."""
    host = urlsplit(door.server.endpoint).netloc
    digest, now = sha256_hash(b""), datetime.now(UTC)
    headers: dict[str, str | list[str] | tuple[str]] = {
        "Host": host, "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"), "x-amz-content-sha256": digest,
    }  # fmt: skip
    credentials = Credentials(made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"])
    sent = sign_v4_s3(
        method=method, url=urlsplit(f"http://{host}{signed}"), region="us-east-1", headers=headers,
        credentials=credentials, content_sha256=digest, date=now,
    )  # fmt: skip
    with closing(HTTPConnection(host, timeout=10)) as connection:
        connection.request(method, path, headers={name: str(value) for name, value in sent.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_bare_request_is_signed_as_the_server_reads_it(door: Door) -> None:
    made = json.loads(monolayer("tokens", "s3", "a", "--trusted", "--json").stdout)
    path = f"/{BUCKET}/a/inbox/nuclei/x.tif"
    assert bare(door, made, "GET", path, path) == (200, PIXELS)


def test_it_copies_nothing_in_and_removes_nothing_by_the_hundred(door: Door) -> None:
    client, theirs = door.key_of("a"), "a-b/jobs/a-b_0/job.json"
    assert refused(lambda: client.copy_object(BUCKET, "a/inbox/nuclei/copy", CopySource(BUCKET, theirs)))
    doomed = [DeleteObject(theirs), DeleteObject("open/x/y")]
    assert [error.code for error in client.remove_objects(BUCKET, doomed)] == ["AccessDenied"] * 2
    assert door.store.get(theirs) == PIXELS


def test_it_changes_neither_policy_nor_buckets(door: Door) -> None:
    client = door.key_of("a")
    everything = policy.with_tenant("", BUCKET, "a").replace("a/inbox/", "")
    assert refused(lambda: client.set_bucket_policy(BUCKET, everything))
    assert refused(lambda: client.get_bucket_policy(BUCKET))
    assert refused(lambda: client.make_bucket("mine"))
    assert client.list_buckets() == []


def test_a_new_key_ends_the_old_one_and_a_revoked_one_opens_nothing(door: Door) -> None:
    first, other = door.key_of("a"), door.key_of("b")
    second = door.key_of("a")
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        read(first, "a/inbox/nuclei/x.tif")
    assert read(second, "a/inbox/nuclei/x.tif") == PIXELS
    assert "revoked" in monolayer("tokens", "s3", "a", "--revoke").stdout
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        read(second, "a/inbox/nuclei/x.tif")
    assert read(other, "b/inbox/nuclei/x.tif") == PIXELS
    assert policy.user("a") not in json.dumps(json.loads(door.store.policy())["Statement"]).split('"')


def test_secrets_are_for_nobody_elses_eyes(door: Door) -> None:
    door.key_of("a")
    folder = accounts(door.server.folder.parent)
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert [oct(file.stat().st_mode)[-3:] for file in folder.glob("users.json")] == ["600"]


def test_another_servers_policy_is_printed_and_nothing_is_changed(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = door.store.policy()
    elsewhere = Local(State(tmp_path), Path())
    monkeypatch.setattr(tokens, "here", lambda: elsewhere)
    said = json.loads(monolayer("tokens", "s3", "lab-1").stdout)
    assert [statement["Resource"] for statement in said["Statement"]] == [
        ["arn:aws:s3:::tenants/lab-1/inbox/*"], ["arn:aws:s3:::tenants/lab-1/jobs/*"], ["arn:aws:s3:::tenants"],
    ]  # fmt: skip
    assert door.store.policy() == before


def test_no_key_is_made_unless_its_holder_is_trusted(door: Door) -> None:
    before = door.store.policy()
    result = monolayer("tokens", "s3", "lab-1")
    assert result.exit_code == 1 and not result.stdout and "--trusted" in result.stderr
    assert door.store.policy() == before


@pytest.mark.parametrize("name", ["..", "open", "jobs", "a/b", "A", "", "*", "a*", "access"])
def test_nobody_is_called_so(name: str) -> None:
    result = monolayer("tokens", "s3", name)
    assert result.exit_code == 1 and "can't be a tenant" in result.stderr


def test_a_policy_keeps_what_it_says_of_others() -> None:
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/papers/*"}
    known = json.dumps({"Version": policy.VERSION, "Statement": [public]})
    with_two = policy.with_tenant(policy.with_tenant(known, "x", "a"), "x", "a-b")
    assert policy.with_tenant(with_two, "x", "a-b") == with_two
    left = policy.without_tenant(policy.without_tenant(with_two, "a"), "a-b")
    assert json.loads(left)["Statement"] == [public]
    assert policy.without_tenant(policy.with_tenant("", "x", "a"), "a") == ""
