"""The HTTP API put together."""

from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI

from inference.models import Model
from kiosk.access.holdings import Holdings, Quota
from kiosk.api import control, docs, jobs, pictures, problems, relay, traces, uploads
from kiosk.api.bodies import Bodies
from kiosk.api.guard import Access, Guard, permitted
from kiosk.api.handbook import Handbook
from kiosk.api.headers import Headers
from kiosk.api.jaeger import Keeps
from kiosk.api.measured import Measured
from kiosk.api.tools import Announces, Given, Tools
from kiosk.contract import PREFIX, Health, ModelView
from observability.cost import Prices
from storage.objects import NotFound, Store


def create_app(
    store: Store,
    announcer: Announces,
    models: Mapping[str, Model],
    tick: float = 1.0,
    kept: Keeps | None = None,
    prices: Prices | None = None,
    access: Access | None = None,
    quota: Quota | None = None,
) -> FastAPI:
    """The API over a store, telling an announcer about what is uploaded.

    Parameters
    ----------
    store
        The bucket. It is the only memory: any number of processes may serve one bucket.
    announcer
        Tells the stages.
    models
        The models that jobs may name.
    tick
        Seconds between two events of a job's progress.
    kept
        Who keeps traces, if anyone does.
    prices
        What things cost, if anyone knows.
    access
        Who may come in; none: whoever asks from this machine.
    quota
        How much each tenant may have.
    """
    access = access or Access()
    app = FastAPI(
        title="Monolayer",
        version=version("monolayer"),
        summary="Cell images in, label masks and tables of cells out.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the usual page wants the network
        redoc_url=None,
    )
    app.state.tools = Tools(
        store,
        announcer,
        models,
        kept,
        prices,
        tick,
        holdings=Holdings(store, quota),
        secret=access.secret,
        private=access.private,
    )
    app.add_middleware(Bodies)
    app.add_middleware(Guard, access=access, store=store)
    app.add_middleware(Measured)
    app.add_middleware(Headers)  # added last, it stands before all others
    problems.add_to(app)
    for router in (
        _models(),
        uploads.router(),
        relay.router(),
        jobs.router(),
        pictures.router(),
        control.router(),
        traces.router(),
    ):
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(permitted)], responses=problems.TOLD)
    for router in (_health(), docs.router()):  # what anyone may ask for
        app.include_router(router, prefix=PREFIX, responses=problems.TOLD)
    app.mount("/docs", Handbook())
    return app


def _models() -> APIRouter:
    routes = APIRouter(tags=["about"])
    routes.add_api_route("/models", models, methods=["GET"])
    return routes


def _health() -> APIRouter:
    routes = APIRouter(tags=["about"])
    routes.add_api_route("/health", health, methods=["GET"])
    return routes


def health(tools: Given) -> Health:
    """Whether the API and its store answer."""
    with suppress(NotFound):
        tools.store.stat("health")
    return Health(version=version("monolayer"), traces=tools.traces is not None)


def models(tools: Given) -> list[ModelView]:
    """The models that jobs may name."""
    return [
        ModelView(
            name=model.name,
            version=model.version,
            digest=model.digest,
            pixel_size=model.pixel_size,
            diameter=model.diameter,
        )
        for model in tools.models.values()
    ]
