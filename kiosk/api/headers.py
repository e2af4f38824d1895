"""Headers that keep a browser from doing more with an answer than is meant."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.contract import PREFIX

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # what older browsers know of frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Of what is data, and never a page."""
HTTPS_SECONDS = 365 * 24 * 3600
_DOCS = f"{STRICT}; style-src 'unsafe-inline'"


class Headers:
    """Stands around the API and the page; what an answer says itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope)
            await send(message)

        return await self._app(scope, receive, told)

    def _add(self, headers: MutableHeaders, scope: Scope) -> None:
        path: str = scope["path"]
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", self._policy(path))
        if path.startswith(f"{PREFIX}/"):
            headers.setdefault("Cache-Control", "no-store")  # a shared cache must not keep what needed a token
        if scope["scheme"] == "https":
            headers.setdefault("Strict-Transport-Security", f"max-age={HTTPS_SECONDS}")

    def _policy(self, path: str) -> str:
        if path == f"{PREFIX}/docs":
            return _DOCS
        return STRICT if path.startswith(f"{PREFIX}/") else page_policy()


def page_policy(store: str = "") -> str:
    """What a page may load and do: nothing from elsewhere; only parts of uploads go to the store.

    Parameters
    ----------
    store
        The store's address, where the page sends anything to it.
    """
    address = urlsplit(store)
    elsewhere = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    return (
        f"default-src 'self'; connect-src 'self'{elsewhere}; img-src 'self' data: blob:; "
        "style-src 'self' 'unsafe-inline'; "  # the documentation has styles in its pages
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
