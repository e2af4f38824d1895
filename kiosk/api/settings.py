"""Settings of the API: the environment is read here and nowhere else on the server's side of this package."""

from pathlib import Path
from typing import Annotated

from pydantic import AnyHttpUrl, SecretStr, UrlConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Address = Annotated[AnyHttpUrl, UrlConstraints(default_port=8080, host_required=True)]


class Settings(BaseSettings):
    """Read from variables that begin with `MONOLAYER_`."""

    model_config = SettingsConfigDict(env_prefix="MONOLAYER_")

    kafka: str = "127.0.0.1:9092"
    """Bootstrap address of the broker, `host:port`; where it asks who we are, `user:password@host:port`."""
    s3_endpoint: str = "http://127.0.0.1:9000"
    """The object store, as this process *and* whoever uploads can reach it: parts go there directly."""
    s3_access_key: str = ""
    """Who we are to the object store."""
    s3_secret_key: str = ""
    """How we prove it."""
    bucket: str = "monolayer"
    """The one bucket everything lies in."""
    metrics: str = ""
    """Where the API serves its metrics, `host:port`; empty: nowhere."""
    jaeger: str = ""
    """Where traces are asked for, as in `http://127.0.0.1:16686`; empty: nothing is traced."""
    prices: str = ""
    """What things cost: a price file, or the name of one in `observability/prices`; empty: nobody knows."""
    page: Path = Path("kiosk/web/dist")
    """The folder of the built web page; where there is none, `/` says how to build it."""
    login: bool | None = None
    """Whether a token is asked for; unset: unless the API listens to its own machine only."""
    proxy_user_header: str = ""
    """The header in which a trusted proxy names its user, such as `X-Forwarded-Email`; empty: no header is believed."""
    proxy_secret: SecretStr = SecretStr("")
    """What that proxy sends in `X-Monolayer-Proxy-Secret`: without it anyone could write the header above."""
    proxy_tenant_header: str = ""
    """The header in which the proxy names its user's tenant; empty: its users belong to none."""
    proxy_admins: str = ""
    """Users of the proxy who may do everything, with commas between."""
    notify_private: bool = False
    """Whether who is told of a job's end may be in this network, and called without encryption."""
    requests_per_second: float = 50.0
    """Of one token on average, in each replica of the API; 0: as many as they like."""
    requests_at_once: int = 200
    """Of one token after a rest."""
    quota_images: int | None = None
    """In flight at once, of each tenant for which `monolayer tokens limit` says nothing else."""
    quota_gb: float | None = None
    """Of uploads stored, likewise."""
    api: Address = AnyHttpUrl("http://127.0.0.1:8080")
    """Where the API listens. The default is seen by this machine only; clients read the same variable."""
