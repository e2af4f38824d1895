"""The documentation, served at `/docs/` where it is built."""

from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

SITE = Path(__file__).parents[2] / "build" / "docs" / "site"
"""Where `make docs` puts it."""
NOT_BUILT = "The documentation is not built. `make docs` builds it in less than a minute; then load this page again.\n"


class Handbook(StaticFiles):
    """The files of the site, or the sentence that says how to build it.

    Parameters
    ----------
    site
        Their folder, which may appear later.
    """

    def __init__(self, site: Path = SITE) -> None:
        super().__init__(directory=site, html=True, check_dir=False)
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if not (self._site / "index.html").is_file():
            return await PlainTextResponse(NOT_BUILT, 404)(scope, receive, send)
        return await super().__call__(scope, receive, send)
