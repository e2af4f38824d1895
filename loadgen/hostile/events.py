"""Messages that nobody should send, made from a sound one: whatever its topic, each has to be answered rightly."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from loadgen.hostile.sound import noise

Answer = Literal["understood", "quarantined", "stopped"]
"""Read as the sound one, set aside by its place in the topic, or the reader stops for somebody to look."""
Fields = dict[str, Any]
Make = Callable[[bytes, int], bytes]


@dataclass(frozen=True, slots=True)
class EventKind:
    """One way in which a message is hostile.

    Attributes
    ----------
    name, what
        In snake case, and in a sentence.
    make
        The message from a sound one's bytes and a seed.
    answer
        What has to become of it.
    field
        Only messages that have this field can be hostile in this way; empty for all.
    """

    name: str
    what: str
    make: Make
    answer: Answer = "quarantined"
    field: str = ""

    def concerns(self, sound: bytes) -> bool:
        """Whether a message with these bytes can be hostile in this way."""
        return not self.field or self.field in json.loads(sound)


def _with(**fields: object) -> Make:
    """The message with some of its fields said otherwise."""
    return lambda sound, seed: json.dumps({**json.loads(sound), **fields}).encode()


def _always(data: bytes) -> Make:
    return lambda sound, seed: data


def _before_the_end(more: bytes) -> Make:
    """The message with something between its last field and its end."""
    return lambda sound, seed: sound.rstrip()[:-1] + more + b"}"


def _cut(sound: bytes, seed: int) -> bytes:
    return sound[: len(sound) // 2]


def _without_version(sound: bytes, seed: int) -> bytes:
    return json.dumps({name: value for name, value in json.loads(sound).items() if name != "v"}).encode()


def _of_tomorrow(sound: bytes, seed: int) -> bytes:
    """All that is certain of a newer language is where its number stands."""
    return b'{"v": 2, "work": "' + str(seed).encode() + b'", "image": {"of": ["another", "shape"]}}'


def _reordered(sound: bytes, seed: int) -> bytes:
    return json.dumps(dict(reversed(json.loads(sound).items())), indent=3).encode()


def _kind(name: str, what: str, make: Make, answer: Answer = "quarantined", field: str = "") -> EventKind:
    return EventKind(name, what, make, answer, field)


_ALL = (
    _kind("nothing", "A message without a byte.", _always(b"")),
    _kind("noise", "Noise.", lambda sound, seed: noise(seed, 200)),
    _kind("zeros", "Zeros.", _always(bytes(200))),
    _kind("text", "A text that is no JSON.", _always(b"please look at plate 4")),
    _kind("cut", "Cut in the middle.", _cut),
    _kind("two_in_one", "Two messages in one.", lambda sound, seed: sound + sound),
    _kind("array", "An array.", lambda sound, seed: b"[" + sound + b"]"),
    _kind("text_of_json", "The message as a JSON text.", lambda sound, seed: json.dumps(sound.decode()).encode()),
    _kind("null", "Null.", _always(b"null")),
    _kind("number", "A number.", _always(b"1e999")),
    _kind("nested", "100,000 arrays in one another.", _always(b"[" * 100_000 + b"]" * 100_000)),
    _kind(
        "nested_field",
        "100,000 arrays in one another, in a field.",
        _before_the_end(b', "x": ' + b"[" * 100_000 + b"]" * 100_000),
    ),
    _kind("utf16", "Two bytes a letter.", lambda sound, seed: sound.decode().encode("utf-16")),
    _kind("no_letters", "A text with bytes that are no letters.", _before_the_end(b', "job": "\xff\xfe"')),
    _kind("half_a_letter", "A text with half a letter.", _before_the_end(b', "job": "\\ud800"')),
    _kind("no_number", "NaN where a number should be.", _before_the_end(b', "v": NaN')),
    _kind("endless_version", "Infinity as version.", _before_the_end(b', "v": Infinity')),
    _kind("version_of_letters", "A version in letters.", _with(v="latest")),
    _kind("null_version", "Null as version.", _with(v=None)),
    _kind("huge", "Two megabytes in a field that nobody knows.", _with(ballast="x" * 2_000_000), "understood"),
    _kind(
        "unknown_fields",
        "Fields that nobody knows.",
        _with(weather="fine", more={"a": [1, 2, {"b": None}]}),
        "understood",
    ),
    _kind("older", "Without a version, as long ago.", _without_version, "understood"),
    _kind("reordered", "Its fields the other way round, with spaces.", _reordered, "understood"),
    _kind(
        "twice_a_field",
        "A field twice, of which the last counts.",
        lambda sound, seed: b'{"v": 99, ' + sound.lstrip()[1:],
        "understood",
    ),
    _kind("newer", "Of the next major version.", _with(v=2), "stopped"),
    _kind("newer_by_far", "Of a version beyond every number.", _with(v=10**30), "stopped"),
    _kind("newer_and_changed", "Of the next major version, with other fields.", _of_tomorrow, "stopped"),
    _kind("climbing_job", "A job that climbs out of its folder.", _with(job="../../etc")),
    _kind("job_with_slash", "A job in another's folder.", _with(job="a/b")),
    _kind("job_with_break", "A job with a line break behind it.", _with(job="5f2c\n")),
    _kind("long_job", "A job of 10,000 letters.", _with(job="a" * 10_000)),
    _kind("number_as_job", "A number as job.", _with(job=7)),
    _kind("list_as_job", "A list as job.", _with(job=["5f2c"])),
    _kind("unknown_lane", "A lane that there is not.", _with(lane="fast")),
    _kind("negative_image", "A negative image.", _with(image=-1), field="image"),
    _kind("huge_image", "An image with a number of 30 digits.", _with(image=10**30), field="image"),
    _kind("half_image", "Half an image.", _with(image=0.5), field="image"),
    _kind("image_of_letters", "An image in letters.", _with(image="seven"), field="image"),
    _kind("nan_image", "An image that is no number.", _before_the_end(b', "image": NaN'), field="image"),
    _kind("negative_round", "A negative round.", _with(round=-1), field="round"),
    _kind("negative_shard", "A negative slice.", _with(shard=-1), field="shard"),
    _kind("huge_shard", "A slice with a number of 30 digits.", _with(shard=10**30), field="shard"),
    _kind("unknown_outcome", "An outcome that there is not.", _with(outcome="lost"), field="outcome"),
    _kind("unknown_reason", "A reason that there is not.", _with(reason="bad mood"), field="reason"),
    _kind("no_source", "An image that lies nowhere.", _with(source=None), field="source"),
    _kind("options_of_tomorrow", "Options that nobody knows.", _with(options={"magic": 1}), field="source"),
    _kind(
        "nan_pixel_size",
        "A pixel size that is no number.",
        _before_the_end(b', "options": {"pixel_size": NaN}'),
        field="source",
    ),
    _kind(
        "object_climbing",
        "An object that climbs out of the bucket.",
        _with(object="inbox/../../etc/passwd"),
        field="object",
    ),
    _kind("object_dotted", "An object with a dot for a folder.", _with(object="inbox/nuclei/./a.zip"), field="object"),
    _kind("object_of_wide_letters", "1,000 wide letters.", _with(object="inbox/" + "🔬" * 1000), field="object"),
    _kind("object_with_nul", "An object with a NUL in its name.", _with(object="inbox/nuclei/a\0.zip"), field="object"),
    _kind("object_without_name", "An object without a name.", _with(object=""), field="object"),
    _kind(
        "object_very_long",
        "An object with a name of 100,000 letters.",
        _with(object="inbox/" + "x" * 100_000),
        field="object",
    ),
    _kind(
        "object_elsewhere",
        "An object that is none of the inputs.",
        _with(object="jobs/5f2c/job.json", job=""),
        field="object",
    ),
    _kind("long_name", "An upload with a name of 100,000 letters.", _with(name="x" * 100_000), field="object"),
    _kind("long_etag", "An etag of 100,000 letters.", _with(etag="x" * 100_000), field="object"),
    _kind("long_mark", "A mark of 100,000 letters.", _with(submission="x" * 100_000), field="object"),
    _kind("no_side", "An image without a side.", _with(shape=[0, 100]), field="shape"),
    _kind("huge_side", "An image of 10^30 rows.", _with(shape=[10**30, 100]), field="shape"),
    _kind("three_sides", "An image of three sides.", _with(shape=[1, 2, 3]), field="shape"),
    _kind("negative_tile", "A negative tile.", _with(tile=-1), field="tile"),
    _kind("huge_tiles", "10^30 tiles.", _with(tiles=10**30), field="tile"),
    _kind("nan_low", "Darkness that is no number.", _before_the_end(b', "low": NaN'), field="low"),
    _kind("endless_high", "Brightness without end.", _before_the_end(b', "high": Infinity'), field="low"),
    _kind("float_tile", "A tile of floats.", _with(dtype="float32"), field="dtype"),
)
EVENTS: dict[str, EventKind] = {kind.name: kind for kind in _ALL}
"""Each kind of message by its name."""
