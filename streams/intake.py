"""Accept an upload: decide its job, and write that down before anyone is told."""

import hashlib
import time
from collections.abc import Mapping

from pydantic import ValidationError

from inference.models import Model
from inference.scaling import scale_for
from storage import keys
from storage.objects import NotFound, Store
from streams.events import Options, UploadReceived
from streams.jobs import ending, ledger
from streams.jobs.records import DEADLINE, Job
from streams.notices import owed
from streams.wording import complaint


class Refused(Exception):
    """The upload can't become work; the message is one sentence for whoever sent it."""


class Gone(Refused):
    """The upload was a job that has been deleted with its results; the same upload is not begun anew."""


class NoJob(Exception):
    """The event names nothing that could be a job's object."""


def check(model: str, options: Mapping[str, object], models: Mapping[str, Model]) -> Options:
    """The options as the stages will see them; raises `Refused`."""
    if model not in models:
        raise Refused(f"there is no model {model!r}; there {_are(sorted(models))}")
    try:
        checked = Options.model_validate(dict(options))
        scale_for(models[model], checked.pixel_size, checked.diameter)
    except ValidationError as error:
        raise Refused(complaint(error)) from None
    except ValueError as error:
        raise Refused(str(error)) from None
    return checked


def accept(store: Store, upload: UploadReceived, models: Mapping[str, Model]) -> Job:
    """The job an upload is, written down; accepting twice changes nothing.

    Raises `Refused` where the upload can't be worked on, `Gone` where it was and is over, and the store's errors.
    """
    options = check(upload.model, upload.options, models)
    tenant = _tenant(upload)
    try:
        stat = store.stat(upload.object)
    except NotFound:
        raise Refused(f"there is no object {upload.object!r} in the bucket") from None
    if upload.etag and upload.etag != stat.etag:
        raise Refused(f"{upload.object!r} was replaced since it was announced: its etag is {stat.etag}")
    job = Job(
        job=_id(
            store.bucket, upload, stat.etag, models[upload.model].digest, options.model_dump_json(exclude_none=True)
        ),
        name=upload.name or upload.object.rsplit("/", 1)[-1],
        object=upload.object,
        etag=stat.etag,
        size=stat.size,
        model=upload.model,
        model_digest=models[upload.model].digest,
        options=options,
        submission=upload.submission,
        created=time.time(),
        deadline=upload.deadline or DEADLINE,
        budget=upload.budget,
        tenant=tenant,
        notify=upload.notify,
    )
    return _write(store, job)


def refuse(store: Store, upload: UploadReceived, why: str) -> Job:
    """The job that an announced but unworkable upload is listed as.

    Raises `NoJob` where it names no object of ours, or that of another tenant than its own: it is listed for neither.
    """
    try:
        tenant = _tenant(upload)
    except Refused as refused:
        raise NoJob(str(refused)) from None
    job = Job(
        job=_id(store.bucket, upload, upload.etag, upload.model, repr(sorted(upload.options.items()))),
        name=upload.name or upload.object.rsplit("/", 1)[-1],
        object=upload.object,
        etag=upload.etag,
        size=0,
        model=upload.model,
        model_digest="",
        submission=upload.submission,
        created=time.time(),
        refused=why,
        tenant=tenant,
        notify=upload.notify,
    )
    return _write(store, job)


def _write(store: Store, job: Job) -> Job:
    try:
        known = ledger.read_job(store, job.job)
    except ledger.NoSuchJob:
        return _write_new(store, job)
    if ledger.read_done(store, known.job) is None:
        ending.reopen(store, known.job)
    return known


def _write_new(store: Store, job: Job) -> Job:
    if ledger.exists(store, keys.deleted(job.job)):
        raise Gone(f"{job.name} was job {job.job}, whose results have been deleted; submit it under another mark")
    ending.reopen(store, job.job)  # first: a job that nobody looks after might never end
    owed.owe(store, job)
    ledger.write(store, keys.job(job.job), job)
    return job


def _tenant(upload: UploadReceived) -> str:
    """Whose the upload is, which its key decides; raises `Refused` where it may not lie there or says otherwise."""
    tenant = keys.tenant_of(upload.object)
    if not keys.is_input(upload.object):
        raise Refused(f"{upload.object!r} lies under none of {keys.UPLOADS}, {keys.INBOX} and those of a tenant")
    if upload.tenant not in ("", tenant):
        raise Refused(f"{upload.object!r} does not lie where uploads of {upload.tenant} do")
    return tenant


def _id(bucket: str, upload: UploadReceived, *decisive: str) -> str:
    named = "\0".join((bucket, upload.object, upload.model, upload.submission, *decisive))
    digest = hashlib.blake2b(named.encode(), digest_size=10).hexdigest()
    return keys.name_job(keys.tenant_of(upload.object), digest)


def _are(names: list[str]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names)}"
