"""Who may come in, as settings say."""

from kiosk.access.holdings import Quota
from kiosk.access.proxy import Proxy
from kiosk.access.rates import Rates
from kiosk.api.guard import Access, is_here
from kiosk.api.settings import Settings
from streams.signing import house_secret


class BadSettings(Exception):
    """What is set would leave a door open; the message says what to set."""


def admission(settings: Settings) -> Access:
    """Who may come in; raises `BadSettings`."""
    secret = house_secret(settings.s3_secret_key)
    if not asks(settings):
        return Access(secret=secret, private=settings.notify_private)
    if not settings.s3_secret_key:
        raise BadSettings("MONOLAYER_S3_SECRET_KEY is empty: what is signed with it could be signed by anyone")
    return Access(
        login=True,
        proxy=_proxy(settings),
        rates=Rates(settings.requests_per_second, settings.requests_at_once),
        secret=secret,
        private=settings.notify_private,
    )


def asks(settings: Settings) -> bool:
    """Whether a token is asked for: always, where others than this machine can reach the API."""
    alone = is_here(host(settings))
    if settings.login is False and not alone:
        raise BadSettings(f"MONOLAYER_LOGIN=false would open {host(settings)} to everyone; listen on 127.0.0.1 instead")
    return not alone if settings.login is None else settings.login


def host(settings: Settings) -> str:
    """Where the API listens."""
    return (settings.api.host or "127.0.0.1").strip("[]")


def quota(settings: Settings) -> Quota:
    """How much each tenant may have."""
    return Quota.of(settings.quota_images, settings.quota_gb)


def _proxy(settings: Settings) -> Proxy | None:
    secret = settings.proxy_secret.get_secret_value()
    if bool(settings.proxy_user_header) != bool(secret):
        raise BadSettings("MONOLAYER_PROXY_USER_HEADER and MONOLAYER_PROXY_SECRET are set together, or neither is")
    if not secret:
        return None
    admins = frozenset(name.strip() for name in settings.proxy_admins.split(",") if name.strip())
    return Proxy(settings.proxy_user_header.lower(), secret, settings.proxy_tenant_header.lower(), admins)
