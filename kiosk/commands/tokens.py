"""`tokens`: who may ask a Monolayer that listens beyond its own machine. They are written to the bucket directly, by
whoever has its keys: no request to the API can make one.
"""

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.commands import screen
from kiosk.commands.local import here
from kiosk.errors import CannotSend, MonolayerError, NotRunning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosk.access.tokens import AccessToken
    from storage.s3 import S3Store

_UNSAFE = (
    "This machine's S3 server, versitygw 1.8.0, takes the id of an upload for a path: whoever has any key of it can "
    "delete and write what is not theirs. If you trust {} not to, say --trusted; else give them a token, not a key."
)
_STORE = ("s3_endpoint", "s3_access_key", "s3_secret_key", "bucket")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="Whose jobs it makes and shows; without it, nobody's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Make, list and revoke tokens, which a Monolayer asks for that listens beyond its own machine.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for command in (create, revoke, limit, s3):
        group.command()(command)
    group.command(name="list")(list_)
    app.add_typer(group, name="tokens")


def create(
    name: Annotated[str, typer.Argument(help="Who or what it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="submit, read or admin; may be given twice. Without it: submit and read."),
    ] = None,
    tenant: Tenant = "",
    days: Annotated[float | None, typer.Option(min=0.001, help="How long it is good; otherwise until revoked.")] = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it: this once, as only its digest is kept.

    \b
      export MONOLAYER_TOKEN=$(monolayer tokens create "Ada's notebook")
      monolayer tokens create "the lab next door" --tenant next-door --days 90
    """
    from kiosk.access import tokens
    from streams.wording import sentence

    with _bucket() as store:
        try:
            text, made = tokens.create(store, name, _scopes(scope), tenant, days)
        except tokens.Unfit as why:
            raise CannotSend(sentence(str(why))) from None
    screen.say(json.dumps({"token": text, **_told(made)}) if as_json else text)


def list_(as_json: Json = False) -> None:
    """Show all tokens, the newest first; not the tokens themselves, which nobody knows but their owners."""
    from kiosk.access import tokens

    with _bucket() as store:
        found = [_told(each) for each in tokens.listed(store)]
    if as_json:
        screen.say(json.dumps({"tokens": found}))
        return
    columns = ("id", "name", "scopes", "tenant", "made", "state")
    screen.table(columns, [tuple(str(each[column]) for column in columns) for each in found])


def revoke(token: Annotated[str, typer.Argument(metavar="ID", help="As `monolayer tokens list` shows it.")]) -> None:
    """End a token. APIs that run refuse it within five seconds."""
    from kiosk.access import tokens

    with _bucket() as store:
        ended = tokens.revoke(store, token)
    if ended is None:
        raise CannotSend(f"There is no token {token}; `monolayer tokens list` shows all.")
    screen.say(f"The token {ended.id} of {ended.name} is revoked.")


def limit(
    tenant: Annotated[str, typer.Argument(help="The tenant.")],
    images: Annotated[int | None, typer.Option(min=0, help="Images in flight at once.")] = None,
    gigabytes: Annotated[float | None, typer.Option(min=0, help="Uploads stored, in GB.")] = None,
) -> None:
    """Say how much a tenant may have at once; what isn't said is not limited."""
    from kiosk.access import holdings

    _check(tenant)
    with _bucket() as store:
        holdings.limit(store, tenant, holdings.Quota.of(images, gigabytes))


def s3(
    tenant: Annotated[str, typer.Argument(help="The tenant.")],
    revoke: Annotated[bool, typer.Option("--revoke", help="End the tenant's key instead.")] = False,
    trusted: Annotated[bool, typer.Option("--trusted", help="The tenant means no harm: see above.")] = False,
    as_json: Json = False,
) -> None:
    """Make an S3 key for a tenant's own inbox and jobs, and print it, this once; the one before it ends.

    It puts, reads and removes what is under <tenant>/inbox/, and reads what is under <tenant>/jobs/. Where the bucket
    is not this machine's, the policy is printed that makes such a key of a user of that server.

    This machine's S3 server keeps tenants out of each other's way, and not one who means harm: a forged request can
    make it delete and write elsewhere. So it makes keys with --trusted only.

    \b
      eval "$(monolayer tokens s3 next-door --trusted)"
      aws s3 cp plate1.zip s3://monolayer/next-door/inbox/nuclei/plate1.zip
    """
    from kiosk.access import policy
    from kiosk.local import accounts
    from kiosk.local.settings import aws_environment

    _check(tenant)
    with _bucket() as store:
        folder = here().folder_of(store.endpoint)
        if folder is None:
            screen.say(policy.of_user(store.bucket, tenant))
        elif revoke:
            store.put_policy(policy.without_tenant(store.policy(), tenant))
            accounts.take_back(folder, policy.user(tenant))
            screen.say(f"The S3 key of {tenant} is revoked.")
        elif not trusted:
            raise CannotSend(_UNSAFE.format(tenant))
        else:
            given = accounts.give(folder, policy.user(tenant))
            store.put_policy(policy.with_tenant(store.policy(), store.bucket, tenant))
            screen.variables(aws_environment({"s3": store.endpoint}, given), as_json)


def _check(tenant: str) -> None:
    from kiosk.access import tokens
    from streams.wording import sentence

    try:
        tokens.check_tenant(tenant)
    except tokens.Unfit as why:
        raise CannotSend(sentence(str(why))) from None


def _scopes(names: list[str] | None) -> "set[Any]":
    from kiosk.access.caller import Scope

    try:
        return {Scope(name) for name in names or ("submit", "read")}
    except ValueError:
        raise CannotSend(f"A scope is one of {', '.join(Scope)}.") from None


def _told(token: "AccessToken") -> dict[str, object]:
    from kiosk.access.tokens import DAY

    now = time.time()
    state = "good" if token.opens(now) else "revoked" if token.revoked else "expired"
    if state == "good" and token.expires:
        state = f"good for {(token.expires - now) / DAY:.1f} days"
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(token.created))
    scopes = " ".join(token.scopes)
    return {"id": token.id, "name": token.name, "scopes": scopes, "tenant": token.tenant, "made": made, "state": state}


@contextmanager
def _bucket() -> "Iterator[S3Store]":
    """The bucket that the environment names with its keys, else that of this machine's Monolayer."""
    local = here()
    from kiosk.api.settings import Settings
    from storage.objects import StoreError
    from storage.s3 import S3Store

    settings = Settings()
    named = bool(settings.s3_access_key)
    if not named:
        known = local.environment()
        settings = settings.model_copy(update={part: known[f"MONOLAYER_{part.upper()}"] for part in _STORE})
    try:
        yield S3Store(settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.bucket)
    except StoreError as error:
        raise (MonolayerError if named else NotRunning)(
            f"Tokens are kept in the bucket, and the store at {settings.s3_endpoint} can't be asked: {error}."
        ) from None
