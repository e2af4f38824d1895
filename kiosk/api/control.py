"""Changing the course of work: cancel a job, send its rejected images through again, release what is held."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Depends

from kiosk.access.caller import Scope
from kiosk.api.guard import admin
from kiosk.api.jobs import view
from kiosk.api.problems import Trouble
from kiosk.api.tools import Given, Tools
from kiosk.contract import HeldView, JobView, Release, Replay, Replayed
from storage import keys
from streams import rounds
from streams.jobs import budgets, ledger, markers
from streams.jobs.ledger import NoSuchJob
from streams.jobs.records import Held, Round
from streams.kafka import BrokerAway
from streams.rounds import NothingToReplay
from streams.wording import sentence

_LATER = "Kafka can't be reached just now; they are announced when it is back."


def router() -> APIRouter:
    """The endpoints that change the course of work."""
    routes = APIRouter(tags=["control"])
    routes.add_api_route("/jobs/{job}/cancel", cancel, methods=["POST"])
    routes.add_api_route("/jobs/{job}/replay", replay, methods=["POST"])
    routes.add_api_route("/held", held, methods=["GET"])
    routes.add_api_route("/jobs/{job}/release", release_job, methods=["POST"], status_code=HTTPStatus.NO_CONTENT)
    routes.add_api_route(
        "/models/{name}/release",
        release_model,
        methods=["POST"],
        status_code=HTTPStatus.NO_CONTENT,
        dependencies=[Depends(admin)],
    )
    return routes


def cancel(job: str, tools: Given) -> JobView:
    """End a job: what is labelled stays, nothing more is begun. A job that has ended stays as it is."""
    markers.cancel(tools.store, job)
    return view(tools, job)


def replay(job: str, tools: Given, which: Replay | None = None) -> Replayed:
    """Send rejected images of a job through again, from the manifest, in a round of their own."""
    which = which or Replay()
    ledger.read_job(tools.store, job)
    try:
        begun = rounds.replay(tools.store, job, which.reason, which.image, which.deadline)
    except NothingToReplay as why:
        return Replayed(round=ledger.state(tools.store, job).round, images=0, note=sentence(str(why)))
    return Replayed(round=begun.round, images=len(begun.images), note=_announced(begun, tools))


def held(tools: Given) -> list[HeldView]:
    """Jobs and models for which nothing is begun until they are released."""
    return [_held(marker, tools) for marker in markers.held(tools.store) if _is_shown(marker, tools)]


def release_job(job: str, tools: Given, how: Release | None = None) -> None:
    """Let the work on a held job go on, where its budget is spent with a larger one."""
    _check_held(job, f"job {job}", tools)
    _check_budget(job, how.budget if how else None, tools)
    markers.release(tools.store, job)


def release_model(name: str, tools: Given) -> None:
    """Let the work on a held model go on: one that jobs may name, or by its digest one that they can't any more."""
    known = tools.models.get(name)
    what = f"{keys.MODEL}{known.digest if known else name}"
    _check_held(what, f"model {name}", tools)
    markers.release(tools.store, what)


def _announced(begun: Round, tools: Tools) -> str:
    """Tell the stages; what is not told is found in the bucket by whoever looks after open jobs."""
    try:
        for listed in rounds.slices(begun):
            tools.announcer.announce(listed)
    except BrokerAway:
        return _LATER
    return ""


def _held(marker: Held, tools: Tools) -> HeldView:
    digest = marker.what.removeprefix(keys.MODEL)
    names = [model.name for model in tools.models.values() if model.digest == digest]
    kind: Literal["model", "job"] = "model" if marker.what.startswith(keys.MODEL) else "job"
    return HeldView(kind=kind, name=names[0] if names else digest, why=marker.why, since=marker.created)


def _is_shown(marker: Held, tools: Tools) -> bool:
    """Models are everybody's, jobs their tenant's."""
    if marker.what.startswith(keys.MODEL) or tools.caller.may(Scope.ADMIN):
        return True
    try:
        tools.holdings.job(marker.what, tools.caller)
    except NoSuchJob:
        return False
    return True


def _check_held(what: str, called: str, tools: Tools) -> None:
    if what not in {marker.what for marker in markers.held(tools.store)}:
        raise Trouble(HTTPStatus.NOT_FOUND, f"the {called} is not held")


def _check_budget(job: str, more: float | None, tools: Tools) -> None:
    """Give the job its new budget; it would be held again within a minute if that were spent already."""
    seen = view(tools, job)
    budget = more or seen.budget
    if more and seen.budget is None:
        raise Trouble(HTTPStatus.CONFLICT, f"job {job} came without a budget, and may cost as much as it takes")
    if budget and seen.cost and seen.cost.dollars > budget:
        raise Trouble(HTTPStatus.CONFLICT, f"job {job} stays held: {budgets.spent(seen.cost.dollars, budget, job)}")
    if more:
        budgets.give(tools.store, ledger.read_job(tools.store, job), more)
