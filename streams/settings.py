"""Settings of the stream processors: the environment is read here and nowhere else in this package."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from variables that begin with `MONOLAYER_`."""

    model_config = SettingsConfigDict(env_prefix="MONOLAYER_")

    kafka: str = "127.0.0.1:9092"
    """Bootstrap address of the broker, `host:port`; where it asks who we are, `user:password@host:port`."""
    s3_endpoint: str = "http://127.0.0.1:9000"
    """The object store."""
    s3_access_key: str = ""
    """Who we are to the object store."""
    s3_secret_key: str = ""
    """How we prove it."""
    bucket: str = "monolayer"
    """The one bucket everything lies in."""
    triton: str = "127.0.0.1:8001"
    """Triton's gRPC address."""
    heartbeat: Path | None = None
    """A file to touch while all is well; none: nobody looks."""
    metrics: str = ""
    """Where this process serves its metrics, `host:port`; empty: nowhere."""
    backlog_seconds: float = 2.0
    """For how long the backlog exporter believes what it read; it reads twice as often."""
    slots: int = 6
    """Events in flight at once, per topic: enough to keep two model instances and two cores busy."""
    megapixels: float = 14.0
    """Megapixels in flight at once in one process, whatever the number of images. One larger image runs alone."""
    chained_tiles: int = 16
    """Up to so many tiles an image stays in one process; larger ones fan out through their topics."""
    interactive_images: int = 20
    """Up to so many images a job is small, and takes the interactive lane."""
    inbox_seconds: float = 1.0
    """How often the inbox is looked at."""
    sweep_seconds: float = 60.0
    """How often the jobs that have not ended are looked at."""
    orphan_days: float = 7.0
    """How long an upload is kept that never became a job."""
    results_days: float = 0.0
    """How long a finished job is kept, with its results and its upload; 0: for ever."""
    notify_private: bool = False
    """Whether who is told of a job's end may be in this network, and called without encryption."""
    traces: str = ""
    """Where spans go: `host:port` of what speaks OTLP over gRPC, such as Jaeger; empty: nothing is traced."""
    traces_ratio: float = 1.0
    """So many of all images' traces are kept; of those rejected, retried or slow, all are."""
    traces_slow_seconds: float = 60.0
    """An image that took longer is slow."""
    prices: str = ""
    """What things cost: a price file, or the name of one in `observability/prices`; empty: nobody knows."""
    memory_gb: float = 4.0
    """Data one process may hold. Beyond it the image at hand is too large, before the system kills the process."""

    @property
    def store(self) -> dict[str, str]:
        """What `storage.s3.S3Store` is opened with."""
        return {
            "endpoint": self.s3_endpoint,
            "access_key": self.s3_access_key,
            "secret_key": self.s3_secret_key,
            "bucket": self.bucket,
        }
