"""Where events and what was measured meet: the runs that led to an event, and their cost, travel on with its answer."""

from storage.operations import Since
from streams import runs
from streams.events import Event, ImageEnded, ImageFound, TilePlanned, TilePredicted, found_of
from streams.tracing.spent import Spent


def of(event: Event, spent: Spent) -> None:
    """The run that this measures is about this event."""
    found = found_of(event)
    if found:
        spent.image, spent.attempt, spent.earlier = found.name, found.attempt, found.ran or ()
    match event:
        case TilePlanned():
            spent.tile = event.tile
        case TilePredicted():
            spent.tile = event.planned.tile


def told(event: Event, spent: Spent) -> Event:
    """An event that answers a traced one, with what was measured; an end that was there before is somebody else's."""
    if spent.taken is None:
        return event
    match event:
        case ImageFound() if not spent.image:
            return event  # a slice becomes images: none has begun
        case ImageEnded() if event.claimed[0] not in spent.made:
            return event
        case ImageEnded() | ImageFound():
            return event.model_copy(update={"ran": spent.runs()})
        case TilePlanned():
            return event.model_copy(update={"found": told(event.found, spent)})
        case TilePredicted():
            return event.model_copy(update={"planned": told(event.planned, spent)})
    return event


def asked(event: Event, spent: Spent, since: Since) -> Event:
    """The event; where it is an end that this run made, with what was asked of the store since the last one."""
    if isinstance(event, ImageEnded) and event.claimed[0] in spent.made:
        return event.model_copy(update={"asked": since()})
    return event


def note(event: Event, spent: Spent) -> str:
    """What is kept beside the end of an image that this run makes, for whoever finds it before anyone is told."""
    if not isinstance(event, ImageEnded):
        return ""
    spent.made.update(event.claimed)
    ran = spent.runs()
    return runs.note(ran) if ran else ""
