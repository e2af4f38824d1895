"""Requests to the API that outlive its restart, and its refusals as exceptions.

MonolayerError
├── NotRunning    nothing answers
├── Refused       the API says no, in a sentence
└── Broken        what came back makes no sense, or a transfer failed for good
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from kiosk.contract import FULL, IDEMPOTENCY_KEY, PREFIX, Problem
from kiosk.errors import Broken, NotRunning, Refused
from kiosk.local.state import State, state_folder

PATIENCE = 60.0
"""Seconds for which a request is repeated while nothing answers: an API that restarts is back by then."""
LATE = 5.0
"""Seconds without an answer after which whoever waits is told."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
_PASSING = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)
_FINAL = frozenset({404, 405, 411, 413, 501})
"""Answers of a store that another try won't change."""
_TIMEOUT = httpx.Timeout(60, connect=5)
_ABSENT = "Monolayer is not running; start it with `monolayer up`, or name one: `monolayer --api ADDRESS ...`."
Found = TypeVar("Found")


class Interrupted(Exception):
    """A transfer broke off; `final` when another try won't help."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


def find_api(named: str | None) -> str:
    """The API's address: the one named, else that of the system running on this machine; raises `NotRunning`.

    There is no usual address to fall back on: what listens there may be another user's.
    """
    if named:
        return named if "://" in named else f"http://{named}"
    status = State(state_folder()).status()
    addresses = status.get("addresses")
    found = addresses.get("api") if isinstance(addresses, dict) and _lives(status.get("supervisor")) else None
    if not found:
        raise NotRunning(_ABSENT)
    return str(found)


def _lives(supervisor: object) -> bool:
    """Whether the system on this machine runs; where the servers aren't installed, it doesn't."""
    try:
        from kiosk.local.leftovers import alive
    except ModuleNotFoundError:
        return False
    return isinstance(supervisor, dict) and alive(supervisor) is not None


class Calls:
    """Requests to one API.

    Parameters
    ----------
    api
        Its address, such as `http://127.0.0.1:8080`.
    patience
        Seconds for which a request is repeated while the API can't be reached or says that it is not ready.
    late
        Called when a request has been repeated for some seconds.
    token
        What lets us in, where the API asks for it. It goes to the API only, never to the store.
    """

    def __init__(
        self, api: str, patience: float = PATIENCE, late: Callable[[], None] | None = None, token: str | None = None
    ) -> None:
        self.api = api.rstrip("/")
        self.patience = patience
        self._late = late
        try:
            lets_in = {"Authorization": f"Bearer {token.strip()}"} if token else {}
            self._http = httpx.Client(base_url=self.api + PREFIX, timeout=_TIMEOUT, headers=lets_in)
        except httpx.InvalidURL as error:
            raise NotRunning(f"{api} is no address: {error}.") from None

    def ask(
        self,
        kind: type[Found],
        method: str,
        path: str,
        body: BaseModel | None = None,
        *,
        patience: float | None = None,
        **query: str | int | None,
    ) -> Found:
        """Send a request and read its answer as `kind`; its own patience, if it has one, goes before all requests'.

        What is None in the query isn't sent.

        Raises
        ------
        NotRunning
            Nothing answers, for as long as patience lasts.
        Refused
            The API says no.
        Broken
            The answer is not what this client knows.
        """
        content = None if body is None else body.model_dump_json(exclude_none=True).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        given = {name: value for name, value in query.items() if value is not None}
        patience = self.patience if patience is None else patience
        response = self._send(method, path, content, headers, given, patience)
        return self._understood(kind, response)

    def hand_over(self, kind: type[Found], path: str, data: bytes, mark: str, query: dict[str, str | int]) -> Found:
        """POST bytes and read the answer as `kind`; the mark makes it safe to repeat. Raises as `ask` does."""
        headers = {"Content-Type": "application/octet-stream", IDEMPOTENCY_KEY: mark}
        return self._understood(kind, self._send("POST", path, data, headers, query, self.patience))

    def download(self, path: str, take: Callable[[bytes], object]) -> None:
        """Hand over an answer piece by piece; raises `Refused` or `Interrupted`."""
        try:
            with self._http.stream("GET", path) as response:
                for piece in self._checked(response).iter_bytes():
                    take(piece)
        except httpx.TransportError as error:
            raise Interrupted(_why(error)) from error

    def forget(self, path: str) -> None:
        """Delete what is no longer wanted; it does no harm if that fails."""
        with suppress(httpx.TransportError):
            self._http.delete(path, timeout=2)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: dict[str, str],
        query: dict[str, str | int],
        patience: float,
    ) -> httpx.Response:
        pauses = Pauses(patience, self._late)
        while True:
            try:
                response = self._http.request(method, path, params=query, content=content, headers=headers)
            except httpx.TransportError as error:
                if not pauses.pause():
                    raise NotRunning(f"Nothing answers at {self.api}: {_why(error)}.") from error
            else:
                if response.status_code not in _PASSING or not pauses.pause():
                    return self._checked(response)

    def _understood(self, kind: type[Found], response: httpx.Response) -> Found:
        try:
            return TypeAdapter(kind).validate_json(response.content or b"null")
        except ValidationError:
            raise Broken(_other(self.api)) from None

    def _checked(self, response: httpx.Response) -> httpx.Response:
        """The response if it is a success; raises `Refused` with the API's own sentence otherwise."""
        if response.is_success:
            return response
        response.read()
        try:
            detail = Problem.model_validate_json(response.content).detail
        except ValidationError:
            if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Broken(_other(self.api)) from None
            detail = f"{response.request.url} answered {response.status_code} {response.reason_phrase}."
        raise Refused(response.status_code, detail)


class Puts:
    """Sends bytes to addresses that need no key."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=_TIMEOUT)

    def put(self, address: str, pieces: Iterator[bytes], size: int) -> str:
        """Send `size` bytes; returns the ETag. Raises `Interrupted`, and `Refused` where the store has no room."""
        try:
            response = self._http.put(address, content=pieces, headers={"Content-Length": str(size)})
        except httpx.TransportError as error:
            raise Interrupted(_why(error)) from error
        if response.status_code == HTTPStatus.INSUFFICIENT_STORAGE:
            raise Refused(response.status_code, FULL)
        if not response.is_success:
            raise Interrupted(f"the store answered {response.status_code}", response.status_code in _FINAL)
        return str(response.headers.get("ETag", "")).strip('"')

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


class Pauses:
    """Growing pauses between tries, until patience is at its end; `late` is called once when they get long."""

    def __init__(self, patience: float, late: Callable[[], None] | None = None) -> None:
        self._begun = time.monotonic()
        self._until = self._begun + patience
        self._next = FIRST_PAUSE
        self._late = late

    def pause(self) -> bool:
        """Wait before another try; false when there should be none."""
        if time.monotonic() + self._next > self._until:
            return False
        if self._late and time.monotonic() - self._begun >= LATE:
            late, self._late = self._late, None
            late()
        time.sleep(self._next)
        self._next = min(self._next * 2, LONGEST_PAUSE)
        return True


def _other(api: str) -> str:
    return f"What answers at {api} is not Monolayer."


def _why(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__
