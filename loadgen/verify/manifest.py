"""A job's manifest, shard by shard: whether it holds together, and what each image's outcome must say of itself."""

from collections.abc import Iterator

from loadgen.bucket import Bucket
from loadgen.verify import records
from loadgen.verify.anomalies import Anomaly, Kind
from loadgen.verify.books import Books
from loadgen.verify.records import Entry, ShardRecord, Unreadable
from storage import keys

Sources = dict[tuple[str, int], int]
"""Which image stands for the file at a key and offset."""


def shards(bucket: Bucket, books: Books, found: list[Anomaly]) -> Iterator[list[Entry]]:
    """The entries of one shard after another; what is wrong with them is added to `found`."""
    if books.index is None:
        return
    needed = -(-books.images // keys.SHARD)
    if books.index.shards != needed:
        sentence = f"job {books.job} lists {books.images} images in {books.index.shards} shards instead of {needed}"
        found.append(Anomaly(Kind.MANIFEST, books.job, sentence))
    sources: Sources = {}
    for number in range(needed):
        entries = _shard(bucket, books, number, found)
        found += _twice(books, entries, sources)
        yield entries


def _shard(bucket: Bucket, books: Books, number: int, found: list[Anomaly]) -> list[Entry]:
    key = keys.manifest_shard(books.job, number)
    data = bucket.get(key)
    if data is None:
        found.append(Anomaly(Kind.MANIFEST, books.job, f"{key} is missing"))
        return []
    try:
        shard = records.read(ShardRecord, data)
    except Unreadable as why:
        found.append(Anomaly(Kind.MANIFEST, books.job, f"{key} can't be read: {why}"))
        return []
    first = number * keys.SHARD
    wanted = list(range(first, min(first + keys.SHARD, books.images)))
    if (shard.job, shard.shard) != (books.job, number):
        found.append(Anomaly(Kind.MANIFEST, books.job, f"{key} is shard {shard.shard} of job {shard.job}"))
    elif [entry.image for entry in shard.images] != wanted:
        sentence = f"{key} lists {len(shard.images)} images that are not {first} to {first + len(wanted) - 1} in order"
        found.append(Anomaly(Kind.MANIFEST, books.job, sentence))
    return [entry for entry in shard.images if 0 <= entry.image < books.images]


def _twice(books: Books, entries: list[Entry], sources: Sources) -> Iterator[Anomaly]:
    """The same file listed as two images; what the archive's directory itself condemns may well be such."""
    for entry in entries:
        if entry.problem:
            continue
        other = sources.setdefault((entry.source.key, entry.source.offset), entry.image)
        if other != entry.image:
            sentence = f"images {other} and {entry.image} of job {books.job} are the same file, {entry.name}"
            yield Anomaly(Kind.DUPLICATED, books.job, sentence, entry.image)
