"""The name of an upload carries all there is to know about it, so that any API process can go on with it."""

import base64
import binascii
import hashlib
import re
import uuid
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from kiosk.contract import NewUpload
from storage import keys
from streams.events import Options, UploadReceived

Key = Annotated[str, StringConstraints(pattern=rf"^{keys.UPLOADS}[0-9a-f]{{32}}/[A-Za-z0-9][A-Za-z0-9._-]{{0,150}}$")]


class BadToken(Exception):
    """The text names no upload of ours."""


class Token(BaseModel):
    """One multipart upload, and what is to be done with it afterwards.

    It is no secret and no proof: it names a place below `uploads/`, and whoever knows it may go on with it.
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

    def encode(self) -> str:
        """The token as it stands in addresses."""
        data = self.model_dump_json(exclude_none=True).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Token":
        """The inverse of `encode`; raises `BadToken`."""
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValidationError, ValueError):
            raise BadToken("there is no such upload; begin a new one") from None

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
        )


def new_key(upload: NewUpload) -> str:
    """A place for a file: the same one for the same submission, a fresh one for what carries no mark."""
    if not upload.submission:
        return keys.upload(uuid.uuid4().hex, safe_name(upload.name))
    options = upload.options.model_dump_json(exclude_none=True)
    digest = (upload.digest,) if upload.digest else ()
    mark = "\0".join((upload.submission, upload.name, upload.model, options, *digest))
    return keys.upload(hashlib.blake2b(mark.encode(), digest_size=16).hexdigest(), safe_name(upload.name))


def new_token(upload: NewUpload, key: str, multipart: str = "") -> Token:
    """The token of an upload that has just begun."""
    return Token(key=key, multipart=multipart, **upload.model_dump(exclude={"size", "digest"}))


def safe_name(name: str) -> str:
    """The last part of a name, in letters that every store can sign; its extension stays.

    >>> safe_name("C:\\\\plates\\\\Zellkerne Größe.tif")
    'Zellkerne_Gr__e.tif'
    """
    last = re.sub(r"[^A-Za-z0-9._-]", "_", re.split(r"[/\\]", name)[-1])[-120:]
    return last.lstrip("._-") or "image"
