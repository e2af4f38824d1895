"""An image that ends rejected: the stored story, and the event that announces it."""

import json

from storage import keys
from storage.claims import Claims
from streams import metering
from streams.events import Event, ImageEnded, ImageFound, Rejection, found_of
from streams.failure import Rejected


def reject(event: Event, why: Rejected, claims: Claims, attempts: int = 1, traceparent: str = "") -> ImageEnded:
    """The end of the image an event speaks of; of an upload, that is its first and only image."""
    found = found_of(event)
    image, round_ = getattr(event, "image", 0), getattr(event, "round", 0)
    rejection = Rejection(
        job=event.job,
        image=image,
        round=round_,
        name=found.name if found else getattr(event, "name", ""),
        reason=why.reason,
        message=why.message,
        attempts=attempts,
        traceparent=traceparent,
        event=json.loads(event.encode()),
    )
    ended = ImageEnded(
        job=event.job,
        lane=event.lane,
        image=image,
        round=round_,
        outcome="rejected",
        reason=why.reason,
        fanned_out=not isinstance(event, ImageFound) and found is not None,
    )
    metering.ended(ended, attempts)
    claims.hold(keys.rejection(event.job, image, round_), rejection.model_dump_json(exclude_none=True).encode())
    return ended
