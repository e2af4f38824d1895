"""The first start: everything that isn't there yet is downloaded and built, side by side."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from kiosk.local import golang, jaeger, kafka, s3, triton, victoriametrics, vmalert
from kiosk.local.cache import LocalError, Tell

_BUILT = {
    "s3": s3.SERVER,
    "victoriametrics": victoriametrics.SERVER,
    "vmalert": vmalert.SERVER,
    "jaeger": jaeger.SERVER,
}
PARTS: Mapping[str, Callable[[Path, Tell], Path]] = {
    "kafka": kafka.install,
    "triton": triton.install,
    **{part: partial(golang.install, program) for part, program in _BUILT.items()},
}
_PLACES: Mapping[str, Callable[[Path], Path]] = {
    "kafka": kafka.installed,
    "triton": triton.installed,
    **{part: partial(golang.installed, program) for part, program in _BUILT.items()},
}


def missing(cache: Path, parts: Collection[str]) -> list[str]:
    """Return the parts that have to be downloaded or built first.

    Parameters
    ----------
    cache
        The cache folder.
    parts
        What is wanted, of the names in `PARTS`; others need nothing.
    """
    return [part for part in parts if part in PARTS and not _PLACES[part](cache).exists()]


def install(cache: Path, parts: Collection[str], tell: Callable[[str, str], None]) -> None:
    """Download and build what is missing, all at the same time.

    Parameters
    ----------
    cache
        The cache folder.
    parts
        What is wanted.
    tell
        Hears the part and a few words on how far it is; called from several threads.

    Raises
    ------
    LocalError
        Not all could be had; the message has a sentence for each. What could be had is kept.
    """
    wanted = missing(cache, parts)
    with ThreadPoolExecutor(len(PARTS)) as pool:
        results = {part: pool.submit(_install, cache, part, partial(tell, part)) for part in wanted}
    errors = [error for result in results.values() if (error := result.exception())]
    unforeseen = next((error for error in errors if not isinstance(error, LocalError)), None)
    if unforeseen:
        raise unforeseen
    if errors:
        raise LocalError("\n".join(str(error) for error in errors))


def _install(cache: Path, part: str, tell: Tell) -> None:
    tell("waiting")
    try:
        PARTS[part](cache, tell)
    except LocalError:
        tell("failed")
        raise
    tell("done")
