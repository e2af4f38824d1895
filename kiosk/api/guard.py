"""The guard at the door: finds out who asks, before a byte of a request's body is read, and what they may ask for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Request, Security
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from kiosk.access.caller import HERE, NOBODY, Caller, words
from kiosk.access.caller import Scope as Right
from kiosk.access.proxy import BadProxy, Proxy
from kiosk.access.rates import Rates
from kiosk.access.tokens import Book
from kiosk.api.problems import AGAIN, Trouble, problem, trouble
from kiosk.api.tools import Given
from kiosk.contract import PREFIX
from storage.objects import Store, StoreError
from streams.events import is_job_id
from streams.jobs.ledger import NoSuchJob

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
OPEN = frozenset(f"{PREFIX}/{path}" for path in ("health", "docs", "openapi.json"))
"""What anyone may ask for, as everything outside the API: they are in everybody's copy of the program."""
COOKIE = "monolayer-token"
"""Where a page keeps its token for what a browser fetches by itself: pictures, downloads, events."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="monolayer"'}
_NO_TOKEN = "this Monolayer asks for a token; `monolayer tokens create` makes one, --token or MONOLAYER_TOKEN names it"
_BAD_TOKEN = "the token is not one of this Monolayer, or it has expired or was revoked"
_AWAY = "the object store, where tokens are kept, can't be reached just now; try again in a moment"
_ELSEWHERE = (
    "this Monolayer answers its own machine only, and was asked as {}; start it with `monolayer up --host`, or behind "
    "a proxy with MONOLAYER_LOGIN=true"
)
_OTHER_PAGE = "a page of {} may not change anything here"
Shown = Annotated[object, Security(HTTPBearer(auto_error=False, description="From `monolayer tokens create`."))]
"""The API's description says that a token is wanted; the guard has judged it long before."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in.

    Without `login` everyone who reaches the API may do everything, so that it must be reached from its machine only.
    """

    login: bool = False
    proxy: Proxy | None = None
    rates: Rates = field(default_factory=lambda: Rates(0, 0))
    secret: bytes = b""
    """What all replicas know and nobody else: uploads and messages are signed with it."""
    private: bool = False
    """Whether who is told of a job's end may be in this network."""


class Guard:
    """Stands before the API."""

    def __init__(self, app: ASGIApp, access: Access, store: Store) -> None:
        self._app, self._access, self._book = app, access, Book(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        try:
            caller = await run_in_threadpool(self._caller, Request(scope))
        except Trouble as why:
            return await trouble(why)(scope, receive, send)
        except StoreError:
            return await problem(HTTPStatus.SERVICE_UNAVAILABLE, _AWAY, AGAIN)(scope, receive, send)
        scope.setdefault("state", {})["caller"] = caller
        return await self._app(scope, receive, send)

    def _caller(self, request: Request) -> Caller:
        peer = f"peer {request.client.host}" if request.client else "peer"
        try:
            caller = self._who(request)
        except Trouble:
            self._count(peer, peer)
            raise
        self._count(peer if caller is NOBODY else caller.id or caller.name, caller.name)
        return caller

    def _who(self, request: Request) -> Caller:
        if not self._access.login:
            _check_browser(request)
            return HERE
        if request.url.path in OPEN or not request.url.path.startswith(f"{PREFIX}/"):
            return NOBODY
        return self._proxied(request.headers) or self._by_token(_token(request))

    def _proxied(self, headers: Mapping[str, str]) -> Caller | None:
        try:
            return self._access.proxy.caller(headers) if self._access.proxy else None
        except BadProxy as why:
            raise Trouble(HTTPStatus.UNAUTHORIZED, str(why), _CHALLENGE) from None

    def _by_token(self, text: str) -> Caller:
        if not text:
            raise Trouble(HTTPStatus.UNAUTHORIZED, _NO_TOKEN, _CHALLENGE)
        caller = self._book.caller(text)
        if caller is None:
            raise Trouble(
                HTTPStatus.UNAUTHORIZED,
                _BAD_TOKEN,
                {"WWW-Authenticate": f'{_CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'},
            )
        return caller

    def _count(self, caller: str, called: str) -> None:
        if wait := self._access.rates.wait(caller):
            often = f"{called} asks too often; try again in {math.ceil(wait)} s"
            raise Trouble(HTTPStatus.TOO_MANY_REQUESTS, often, {"Retry-After": str(math.ceil(wait))})


def permitted(request: Request, tools: Given, _: Shown) -> None:
    """Refuse what the caller may not do; another tenant's job does not exist for them."""
    _check(tools.caller, Right.READ if request.method in SAFE else Right.SUBMIT)
    job = request.path_params.get("job")
    if job is not None and not is_job_id(job):
        raise NoSuchJob(f"there is no job {job}")
    if job is not None:  # also where all are seen: an answer that has begun can't turn into a 404 any more
        tools.holdings.job(job, tools.caller)


def admin(tools: Given) -> None:
    """Refuse what only an admin may do."""
    _check(tools.caller, Right.ADMIN)


def _check(caller: Caller, right: Right) -> None:
    if not caller.may(right):
        has = f"{caller.name} may {words(caller.scopes)} here"
        raise Trouble(HTTPStatus.FORBIDDEN, f"{has}, and this needs a token that may {right}")


def _token(request: Request) -> str:
    """The token that came along. A cookie comes with whatever a page makes the browser send, so it changes nothing."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return text.strip()
    return _cookie(request) if request.method in SAFE else ""


def _cookie(request: Request) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _check_browser(request: Request) -> None:
    """Refuse what a page from elsewhere made a browser on this machine send; there is no login that would.

    Names that are made to lead to 127.0.0.1 come with a foreign `Host`, forms and scripts with a foreign `Origin`.
    """
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not is_here(_name(f"//{host}")):
        raise Trouble(HTTPStatus.FORBIDDEN, _ELSEWHERE.format(repr(host)))
    if origin is not None and request.method not in SAFE and not is_here(_name(origin)):
        raise Trouble(HTTPStatus.FORBIDDEN, _OTHER_PAGE.format(repr(origin)))


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def is_here(host: str) -> bool:
    """Whether a name or address leads to this machine and no other can use it.

    >>> is_here("127.0.0.1"), is_here("localhost"), is_here("::1"), is_here("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
