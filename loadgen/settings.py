"""Where the servers are: as the environment says, else as the system that runs on this machine does."""

from pydantic_settings import BaseSettings, SettingsConfigDict

from kiosk.local.settings import environment
from kiosk.local.state import State, state_folder


class NoServers(Exception):
    """Neither the environment nor this machine says where the servers are."""


class Settings(BaseSettings):
    """Read from variables that begin with `MONOLAYER_`, as `monolayer env` prints them."""

    model_config = SettingsConfigDict(env_prefix="MONOLAYER_")

    kafka: str = ""
    """Bootstrap address of the broker."""
    s3_endpoint: str = ""
    """The object store."""
    s3_access_key: str = ""
    """Who we are to the object store."""
    s3_secret_key: str = ""
    """How we prove it."""
    bucket: str = "monolayer"
    """The one bucket everything lies in."""
    api: str = ""
    """The API that load is sent to; empty: that of the system on this machine."""
    prices: str = ""
    """A price file, or the name of a shipped one; empty: no dollars are told."""
    jaeger: str = ""
    """Where traces are asked for, as in `http://127.0.0.1:16686`; empty: nothing is traced."""


def find() -> Settings:
    """The settings, complete; raises `NoServers`."""
    named = Settings()
    if named.kafka and named.s3_endpoint:
        return named
    state = State(state_folder())
    addresses = state.status().get("addresses")
    if not addresses:
        raise NoServers(
            "nothing says where Kafka and the bucket are: start a system with `monolayer up`, or set MONOLAYER_KAFKA, "
            "MONOLAYER_S3_ENDPOINT and its keys"
        )
    local = environment(addresses, state.keys())
    known = {name: local.get(f"MONOLAYER_{name.upper()}", "") for name in Settings.model_fields}
    return Settings(**{name: getattr(named, name) or value for name, value in known.items()})
