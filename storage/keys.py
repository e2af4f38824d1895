"""Every key of the bucket, and nothing else: the published layout.

No key is also a prefix of another (file-backed servers can't hold `p` and `p/q`). Images of a job are counted from 0
in the order of its archive's directory and stored by shards of 1,000. What comes from a tenant and goes back to it
lies under its name: `<tenant>/uploads/`, `<tenant>/inbox/` and `<tenant>/jobs/` hold the same as those below do. Its
jobs' ids begin with its name and `_`, so that whoever knows a job knows where it lies.

    uploads/<upload>/<name>                     what the API took in
    inbox/<model>/<name>                        what any S3 client put there
    jobs/<job>/job.json                         the accepted job
    jobs/<job>/manifest/<shard>.json            its images, 1,000 a shard; written before any event
    jobs/<job>/manifest/index.json              how many there are; written last
    jobs/<job>/labels/<shard>/<image>.tif       labels and cells of one image, one atomic object
    jobs/<job>/rejected/<shard>/<image>.<round>.json
    jobs/<job>/rounds/<round>.<mark>.json       a replay: which rejected images go through again; the first is round 1;
                                                two that were asked for at once may be one round
    jobs/<job>/budget.json                      how many dollars it may cost, where it was given more
    jobs/<job>/cancelled.json                   somebody cancelled the job
    jobs/<job>/done.json                        the job's end, as of a round
    jobs/<job>/told/<round>.json                whoever wanted to know was told of its end, or could not be
    open/<job>                                  there while the job is not done; its deadline's clock
    held/job/<job>, held/model/<digest>         why nothing is begun for them, or when that ended
    deleted/<job>                               the job was here, and its time was over
    notices/<job>/<round>                       somebody is to be told when it ends; how often that was tried
    tally/<job>/<round>.<owner>                 a bitmap that only makes answers fast
    scratch/<job>/<shard>/<image>/...           tiles and maps between processes
    quarantine/<topic>/<partition>/<offset>     bytes on a topic that name no job
    alone/<topic>/<partition>/<offset>          there while a suspected event runs alone; how often somebody died on it
    access/tokens/<id>.json                     who may ask the API for what; the digest of a token, never the token
    access/tenants/<tenant>.json                how much a tenant may have, where that isn't what all may
"""

import re

SHARD = 1000
MAX_NAME = 1000
"""Characters of what an image or an archive is called: an event carries it, and a manifest a thousand of them."""
JOBS = "jobs/"
UPLOADS = "uploads/"
INBOX = "inbox/"
OPEN = "open/"
HELD = "held/"
DELETED = "deleted/"
NOTICES = "notices/"
TALLY = "tally/"
SCRATCH = "scratch/"
MODEL = "model/"
"""Before a model's digest, where a job's id could stand as well."""
QUARANTINE = "quarantine/"
ALONE = "alone/"
ACCESS = "access/"
TOKENS = f"{ACCESS}tokens/"
TENANTS = f"{ACCESS}tenants/"
TOP = (UPLOADS, INBOX, JOBS, OPEN, HELD, DELETED, NOTICES, TALLY, SCRATCH, QUARANTINE, ALONE, ACCESS)
"""What keys begin with that begin with no tenant: none may be called so."""
TENANT = r"[a-z0-9][a-z0-9-]{0,39}"
"""What a tenant may be called."""


def image_id(image: int) -> str:
    """The part of a key that names an image: `00012/345` for 12,345."""
    return f"{image // SHARD:05d}/{image % SHARD:03d}"


def is_tenant(name: str) -> bool:
    """Whether a tenant could be called so."""
    return re.fullmatch(TENANT, name) is not None and f"{name}/" not in TOP


def tenant_of(key: str) -> str:
    """Whose an object is, by its key; empty: nobody's in particular."""
    name, slash, _ = key.partition("/")
    return name if slash and is_tenant(name) else ""


def tenant_of_job(job_id: str) -> str:
    """Whose a job is, by its id; empty: nobody's, or from before ids told."""
    name, mark, _ = job_id.rpartition("_")
    return name if mark and is_tenant(name) else ""


def own(tenant: str, what: str) -> str:
    """A tenant's own `JOBS`, `UPLOADS` or `INBOX`."""
    return f"{tenant}/{what}" if tenant else what


def is_input(key: str) -> bool:
    """Whether an announced upload may lie here."""
    tenant = tenant_of(key)
    return key.startswith((own(tenant, UPLOADS), own(tenant, INBOX)))


def is_upload(key: str) -> bool:
    """Whether the API took this in: others may keep an `uploads/` of their own in a folder of the bucket."""
    return key.startswith(UPLOADS) or re.match(rf"{TENANT}/{UPLOADS}[0-9a-f]{{32}}/", key) is not None


def upload(upload_id: str, name: str, tenant: str = "") -> str:
    """Where the API puts an upload."""
    return f"{own(tenant, UPLOADS)}{upload_id}/{name}"


def name_job(tenant: str, digest: str) -> str:
    """What a job is called."""
    return f"{tenant}_{digest}" if tenant else digest


def job(job_id: str) -> str:
    """The accepted job."""
    return f"{job_prefix(job_id)}job.json"


def open_job(job_id: str) -> str:
    """The marker of a job that is not done."""
    return f"{OPEN}{job_id}"


def manifest_shard(job_id: str, shard: int) -> str:
    """Up to 1,000 images of the job."""
    return f"{job_prefix(job_id)}manifest/{shard:05d}.json"


def manifest_index(job_id: str) -> str:
    """How many images and shards there are."""
    return f"{job_prefix(job_id)}manifest/index.json"


def labels(job_id: str, image: int) -> str:
    """Labels and cells of one image."""
    return f"{job_prefix(job_id)}labels/{image_id(image)}.tif"


def labels_prefix(job_id: str) -> str:
    """All labels of a job."""
    return f"{job_prefix(job_id)}labels/"


def rejection(job_id: str, image: int, round_: int) -> str:
    """Why an image was rejected, in one round of the job."""
    return f"{job_prefix(job_id)}rejected/{image_id(image)}.{round_}.json"


def rejected_prefix(job_id: str) -> str:
    """All rejections of a job."""
    return f"{job_prefix(job_id)}rejected/"


def image_of(key: str) -> int:
    """The image an outcome's key belongs to: the inverse of `labels` and `rejection`."""
    shard, name = key.split("/")[-2:]
    return int(shard) * SHARD + int(name.split(".")[0])


def done(job_id: str) -> str:
    """The job's end."""
    return f"{job_prefix(job_id)}done.json"


def job_prefix(job_id: str) -> str:
    """All that tells what became of a job; its input, tallies and scratch lie elsewhere."""
    return f"{own(tenant_of_job(job_id), JOBS)}{job_id}/"


def round_(job_id: str, number: int, mark: str) -> str:
    """The images that one replay sends through again; the mark tells it from another that was asked for at once."""
    return f"{rounds(job_id)}{number:05d}.{mark}.json"


def rounds(job_id: str) -> str:
    """All replays of a job, in order."""
    return f"{job_prefix(job_id)}rounds/"


def notice(job_id: str, number: int) -> str:
    """A message that is owed for the end of a job's round."""
    return f"{notices(job_id)}{number}"


def notices(job_id: str) -> str:
    """All messages that are owed for a job."""
    return f"{NOTICES}{job_id}/"


def told(job_id: str, number: int) -> str:
    """What became of a message."""
    return f"{job_prefix(job_id)}told/{number:05d}.json"


def round_of(key: str) -> int:
    """The round of a rejection, from its key."""
    return int(key.rsplit(".", 2)[1])


def round_of_tally(key: str) -> int:
    """The round of a tally, from its key; those written before there were rounds belong to the first."""
    number, dot, _ = key.rsplit("/", 1)[1].partition(".")
    return int(number) if dot else 0


def cancelled(job_id: str) -> str:
    """The marker of a cancelled job."""
    return f"{job_prefix(job_id)}cancelled.json"


def budget(job_id: str) -> str:
    """What the job may cost since it was given more."""
    return f"{job_prefix(job_id)}budget.json"


def held(what: str) -> str:
    """The marker of a held job, or of `model/<digest>`."""
    return f"{HELD}{what}" if what.startswith(MODEL) else f"{HELD}job/{what}"


def deleted(job_id: str) -> str:
    """The marker of a job that is gone."""
    return f"{DELETED}{job_id}"


def tally(job_id: str, owner: str, number: int = 0) -> str:
    """One owner's bitmap of the job in one round."""
    return f"{tallies(job_id)}{number}.{owner}"


def tallies(job_id: str) -> str:
    """All bitmaps of the job."""
    return f"{TALLY}{job_id}/"


def scratch_prefix(job_id: str) -> str:
    """All that stands between processes for a job."""
    return f"{SCRATCH}{job_id}/"


def scratch(job_id: str, image: int) -> str:
    """All that stands between processes for one image."""
    return f"{scratch_prefix(job_id)}{image_id(image)}/"


def tile_pixels(job_id: str, image: int, plan: str, tile: int) -> str:
    """A tile's pixels, for images that fan out."""
    return f"{scratch(job_id, image)}{plan}/tiles/{tile:05d}"


def tile_maps(job_id: str, image: int, plan: str, tile: int) -> str:
    """A tile's predicted maps, for images that fan out."""
    return f"{maps_prefix(job_id, image, plan)}{tile:05d}"


def maps_prefix(job_id: str, image: int, plan: str) -> str:
    """All predicted maps of an image under one plan."""
    return f"{scratch(job_id, image)}{plan}/maps/"


def quarantine(topic: str, partition: int, offset: int) -> str:
    """A message that names no job, by where it stood."""
    return f"{QUARANTINE}{topic}/{partition}/{offset}"


def alone(topic: str, partition: int, offset: int) -> str:
    """The marker of an event that runs alone, because somebody died when it was in flight."""
    return f"{ALONE}{topic}/{partition}/{offset}"


def token(token_id: str) -> str:
    """A token, as its digest."""
    return f"{TOKENS}{token_id}.json"


def tenant(name: str) -> str:
    """How much a tenant may have."""
    return f"{TENANTS}{name}.json"
