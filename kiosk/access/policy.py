"""What a tenant's own S3 key may do, as a bucket's policy says it.

It puts, reads and removes what is in its inbox, and reads its jobs. It can't write there: a job's record names the
object that is worked on, so whoever could write one could have another tenant's images worked on, and see the result.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage import keys

VERSION = "2012-10-17"
"""Of the language."""
Statement = dict[str, Any]
_INBOX = ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload", "ListMultipartUploadParts")


def user(tenant: str) -> str:
    """What the tenant is called by the S3 server: the public half of its key."""
    return f"tenant-{tenant}"


def of_user(bucket: str, tenant: str) -> str:
    """The policy for servers that keep one for each user."""
    return _written(list(_statements(bucket, tenant)))


def with_tenant(known: str, bucket: str, tenant: str) -> str:
    """A bucket's policy, which may be empty, with what the tenant may do; what it says of others stays."""
    named = [{"Principal": {"AWS": [user(tenant)]}, **each} for each in _statements(bucket, tenant)]
    return _written([*_others(known, tenant), *named])


def without_tenant(known: str, tenant: str) -> str:
    """A bucket's policy with nothing for the tenant; empty where nothing is left."""
    left = _others(known, tenant)
    return _written(left) if left else ""


def _statements(bucket: str, tenant: str) -> Iterator[Statement]:
    inbox, jobs = keys.own(tenant, keys.INBOX), keys.own(tenant, keys.JOBS)
    whole = f"arn:aws:s3:::{bucket}"
    yield _allowed(_INBOX, f"{whole}/{inbox}*")
    yield _allowed(["GetObject"], f"{whole}/{jobs}*")
    listed = {"StringLike": {"s3:prefix": [f"{inbox}*", f"{jobs}*"]}}
    yield {**_allowed(["ListBucket"], whole), "Condition": listed}


def _allowed(actions: Iterable[str], resource: str) -> Statement:
    return {"Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": [resource]}


def _others(known: str, tenant: str) -> list[Statement]:
    statements: list[Statement] = json.loads(known)["Statement"] if known else []
    return [each for each in statements if not _is_of(each, user(tenant))]


def _is_of(statement: Mapping[str, Any], name: str) -> bool:
    """Whether it speaks of this user alone; servers may write a list of one as its member."""
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else None
    return named in (name, [name])


def _written(statements: list[Statement]) -> str:
    return json.dumps({"Version": VERSION, "Statement": statements}, indent=1)
