"""What the processes of one Monolayer know and nobody else.

It is derived from the key with which they all open the bucket, so that there is no further secret to hand round.
"""

import hmac

_MADE_FOR = b"what the processes of one Monolayer sign with"


def house_secret(store_key: str) -> bytes:
    """The secret, from the object store's secret key; another one once that is replaced."""
    return hmac.digest(store_key.encode(), _MADE_FOR, "sha256")
