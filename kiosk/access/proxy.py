"""Callers whom a proxy before the API has identified, as OpenID Connect proxies do: by a header that they add.

A header can be written by anyone. It counts only where a setting names it, and only beside a secret that the proxy
shares with the API.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.access.caller import Caller, Scope
from kiosk.access.tokens import Unfit, check_tenant

SECRET = "x-monolayer-proxy-secret"
"""The header with which the proxy proves itself."""


class BadProxy(Exception):
    """What the proxy says can't be believed or used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is trusted, and how it speaks. Header names in lower case."""

    user: str
    """The header that names the user, such as `x-forwarded-email`."""
    secret: str
    tenant: str = ""
    """The header that names the user's tenant; empty: users belong to none."""
    admins: frozenset[str] = frozenset()
    """Users who may do everything."""

    def caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Who the proxy says it is; none where no proxy speaks. Raises `BadProxy`."""
        if SECRET not in headers:
            return None
        if not hmac.compare_digest(headers[SECRET].encode(), self.secret.encode()):
            raise BadProxy("the proxy's secret is not the one that MONOLAYER_PROXY_SECRET names")
        user = headers.get(self.user, "")
        if not user:
            raise BadProxy(f"the proxy named no user in the header {self.user}")
        if user in self.admins:
            return Caller(user, frozenset(Scope))
        return Caller(user, frozenset({Scope.SUBMIT, Scope.READ}), self._tenant(headers))

    def _tenant(self, headers: Mapping[str, str]) -> str:
        if not self.tenant:
            return ""
        tenant = headers.get(self.tenant, "")
        try:
            check_tenant(tenant)
        except Unfit as why:
            raise BadProxy(f"in the header {self.tenant}, {why}") from None
        return tenant
