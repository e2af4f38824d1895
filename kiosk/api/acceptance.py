"""A stored file becomes a job, and the same submission becomes the same job."""

import hashlib
from http import HTTPStatus

from kiosk.api import tokens
from kiosk.api.problems import Trouble
from kiosk.api.tokens import Token
from kiosk.api.tools import Tools
from kiosk.contract import Accepted, NewUpload
from storage.objects import NotFound, Store
from streams import intake
from streams.jobs.records import Job
from streams.notices import addresses, signed
from streams.notices.addresses import Unsuitable

NO_PRICES = "a budget needs prices, and none are known here; MONOLAYER_PRICES names them when Monolayer starts"


def check(new: NewUpload, tools: Tools) -> None:
    """Refuse what no stage could work on, before a byte of it is sent."""
    intake.check(new.model, new.options.model_dump(exclude_none=True), tools.models)
    if new.budget is not None and tools.prices is None:
        raise Trouble(HTTPStatus.UNPROCESSABLE_ENTITY, NO_PRICES)
    if new.notify:
        _check_notify(new.notify, tools)


def accept(token: Token, tools: Tools, again: bool = False) -> Accepted:
    """Write the job down, then tell the stages; doing so twice changes nothing."""
    received = token.received()
    job = intake.accept(tools.store, received, tools.models)
    tools.announcer.announce(received.model_copy(update={"job": job.job, "etag": job.etag}))
    return Accepted(job=job.job, again=again, signed_with=_signed_with(job, tools))


def _check_notify(url: str, tools: Tools) -> None:
    try:
        addresses.check(url, tools.private)
    except Unsuitable as why:
        raise Trouble(HTTPStatus.UNPROCESSABLE_ENTITY, f"notify: {why}") from None


def _signed_with(job: Job, tools: Tools) -> str:
    if not job.notify:
        return ""
    return signed.written(signed.secret_for(tools.secret, job.tenant, job.notify))


def known(new: NewUpload, tools: Tools, body: bytes | bytearray | None = None) -> Accepted | None:
    """The job that the same submission already is, announced once more in case its first sender couldn't.

    A mark that was used for another file is a mistake that would cost somebody an image, so it is refused.
    """
    if not new.submission:
        return None
    tenant = tools.caller.tenant
    key = tokens.new_key(new, tenant)
    size = new.size if body is None else len(body)
    try:
        there = tools.store.stat(key)
        same = size in (None, there.size) and (body is None or _holds(tools.store, key, there.etag, body))
    except NotFound:
        return None
    if not same:
        raise Trouble(HTTPStatus.CONFLICT, f"{new.submission!r} already marks another {new.name}; choose another mark")
    return accept(tokens.new_token(new, key, tenant=tenant), tools, again=True)


def _holds(store: Store, key: str, etag: str, body: bytes | bytearray) -> bool:
    """Whether these bytes are there: mostly told by the etag, as a bit may flip on the way when they are read."""
    return etag == hashlib.md5(body, usedforsecurity=False).hexdigest() or store.get(key) == body
