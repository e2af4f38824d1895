"""Serves the API: `python -m kiosk.api`."""

import uvicorn

from inference.models import shipped_models
from kiosk.api import page
from kiosk.api.admission import admission, host, quota
from kiosk.api.app import create_app
from kiosk.api.hasty import Hasty
from kiosk.api.jaeger import Jaeger
from kiosk.api.settings import Settings
from observability import cost, metrics
from storage.s3 import S3Store
from streams.kafka import Announcer

GOODBYE_SECONDS = 4
"""Requests under way get so long when the process is asked to stop."""


def main() -> None:
    """Serve until asked to stop."""
    settings = Settings()
    access = admission(settings)
    store = S3Store(settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.bucket)
    announcer = Announcer(settings.kafka)
    kept = Jaeger(settings.jaeger) if settings.jaeger else None
    prices = cost.read(settings.prices) if settings.prices else None
    app = create_app(store, announcer, shipped_models(), kept=kept, prices=prices, access=access, quota=quota(settings))
    app.include_router(page.router(page.read_page(settings.page), settings.s3_endpoint))
    metrics.serve(settings.metrics)
    try:
        uvicorn.run(
            app,
            host=host(settings),
            port=settings.api.port or 8080,
            http=Hasty,
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
    finally:
        announcer.close()


if __name__ == "__main__":
    main()
