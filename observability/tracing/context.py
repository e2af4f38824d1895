"""W3C trace context: one trace per image and round. Every id is derived, so what is told twice is the same spans."""

import hashlib

HEADER = "traceparent"
ROOT, JOB_ROOT = "image", "job"
"""The span that is the whole of an image's trace, and of a job's."""
_SAMPLED = 1


def trace_id(job: str, image: int | None = None, round_: int = 0) -> int:
    """The id of a job's trace, or of one image's in one round: 128 bits that anyone can derive again."""
    return _digest(job if image is None else f"{job}/{image}/{round_}", 16)


def span_id(trace: int, *what: object) -> int:
    """The id of a span in a trace, from what makes it this one: 64 bits."""
    return _digest(f"{trace:032x}/{'/'.join(map(str, what))}", 8)


def traceparent(job: str, image: int | None = None, round_: int = 0, sampled: bool = True) -> str:
    """The header that names the root of this trace as the parent; see https://www.w3.org/TR/trace-context/."""
    trace = trace_id(job, image, round_)
    root = span_id(trace, JOB_ROOT if image is None else ROOT)
    return f"00-{trace:032x}-{root:016x}-{_SAMPLED if sampled else 0:02x}"


def sampled(header: str) -> bool:
    """Whether whoever sent this wants a trace; where nothing can be read, nobody has said no."""
    flags = header.split("-")[3:4]
    try:
        return bool(int(flags[0], 16) & _SAMPLED)
    except (IndexError, ValueError):
        return True


def chosen(trace: int, ratio: float) -> bool:
    """Whether a trace is among so many of all; whoever asks gets the same answer."""
    return (trace & 0xFFFFFFFFFFFFFFFF) < ratio * 2**64


def _digest(name: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=size).digest(), "big")
