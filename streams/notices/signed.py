"""Messages as the Standard Webhooks specification wants them: an id, a time, and a signature over both and the body.

Receivers check them with any of its libraries, and know by the id whether they had a message before.
"""

import base64
import hmac
from dataclasses import dataclass

WRITTEN = "whsec_"
"""How a secret begins when it is shown."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the same id and body however often it is sent."""

    id: str
    body: bytes


def secret_for(house: bytes, tenant: str, url: str) -> bytes:
    """What messages to an address are signed with: only the house and that tenant know it."""
    return hmac.digest(house, f"notices\0{tenant}\0{url}".encode(), "sha256")


def written(secret: bytes) -> str:
    """A secret as its receiver's library takes it."""
    return WRITTEN + base64.b64encode(secret).decode()


def headers(message: Message, secret: bytes, seconds: int) -> dict[str, str]:
    """What goes along with a message that is sent at a time, in seconds since 1970."""
    signed = b".".join((message.id.encode(), str(seconds).encode(), message.body))
    signature = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
    }
