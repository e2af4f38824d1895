"""The name of an upload carries all there is to know about it, so that any API process can go on with it."""

import base64
import hashlib
import hmac
import re
import uuid
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from kiosk.contract import NewUpload
from storage import keys
from streams.events import Options, UploadReceived

_WHERE = rf"({keys.TENANT}/)?{keys.UPLOADS}"
Key = Annotated[str, StringConstraints(pattern=rf"^{_WHERE}[0-9a-f]{{32}}/[A-Za-z0-9][A-Za-z0-9._-]{{0,150}}$")]
SIGNATURE = 32
"""Bytes."""
_NONE = "there is no such upload; begin a new one"


class BadToken(Exception):
    """The text names no upload of ours."""


class Token(BaseModel):
    """One multipart upload, and what is to be done with it afterwards.

    It is signed, so that nobody can make one for a place that is another tenant's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    multipart: str
    name: str
    model: str
    options: Options
    submission: str = ""
    deadline: float | None = None
    budget: float | None = None
    notify: str = ""
    tenant: str = ""

    def encode(self, secret: bytes) -> str:
        """The token as it stands in addresses."""
        data = self.model_dump_json(exclude_none=True).encode()
        return base64.urlsafe_b64encode(_signature(data, secret) + data).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, secret: bytes, tenant: str = "") -> "Token":
        """The inverse of `encode`, for a tenant; raises `BadToken`, also where it is another's."""
        try:
            signed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            signature, data = signed[:SIGNATURE], signed[SIGNATURE:]
            if not hmac.compare_digest(signature, _signature(data, secret)):
                raise BadToken(_NONE)
            token = cls.model_validate_json(data)
        except ValueError:  # of base64 as well as of pydantic
            raise BadToken(_NONE) from None
        if not token.tenant == keys.tenant_of(token.key) == tenant:
            raise BadToken(_NONE)
        return token

    def received(self) -> UploadReceived:
        """The event that the finished upload amounts to."""
        return UploadReceived(
            object=self.key,
            model=self.model,
            options=self.options.model_dump(exclude_none=True),
            submission=self.submission,
            name=self.name,
            deadline=self.deadline,
            budget=self.budget,
            tenant=self.tenant,
            notify=self.notify,
        )


def new_key(upload: NewUpload, tenant: str = "") -> str:
    """A place for a file: the same one for a tenant's same submission, a fresh one for what carries no mark."""
    if not upload.submission:
        return keys.upload(uuid.uuid4().hex, safe_name(upload.name), tenant)
    options = upload.options.model_dump_json(exclude_none=True)
    digest = (upload.digest,) if upload.digest else ()
    whose = ("", tenant) if tenant else ()
    mark = "\0".join((upload.submission, upload.name, upload.model, options, *digest, *whose))
    return keys.upload(hashlib.blake2b(mark.encode(), digest_size=16).hexdigest(), safe_name(upload.name), tenant)


def new_token(upload: NewUpload, key: str, multipart: str = "", tenant: str = "") -> Token:
    """The token of an upload that has just begun."""
    return Token(key=key, multipart=multipart, tenant=tenant, **upload.model_dump(exclude={"size", "digest"}))


def _signature(data: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"upload\0" + data, "sha256")


def safe_name(name: str) -> str:
    """The last part of a name, in letters that every store can sign; its extension stays.

    >>> safe_name("C:\\\\plates\\\\Zellkerne Größe.tif")
    'Zellkerne_Gr__e.tif'
    """
    last = re.sub(r"[^A-Za-z0-9._-]", "_", re.split(r"[/\\]", name)[-1])[-120:]
    return last.lstrip("._-") or "image"
