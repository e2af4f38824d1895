"""Java programs' jars, by the exact coordinates of a lock that holds their checksums."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kiosk.local.cache import LocalError, Tell, remove


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of a lock: Maven coordinates and the checksum that the file must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name as Maven writes it."""
        return f"{self.artifact}-{self.version}.jar"


def read(lock: str) -> list[Jar]:
    """Return the jars of a lock in its order, which is the order of the class path.

    Parameters
    ----------
    lock
        Its text.
    """
    rows = (line.replace(":", " ").split() for line in lock.splitlines() if not line.startswith("#"))
    return [Jar(group, artifact, version, sha256) for group, artifact, version, sha256 in rows]


def download(jars: Sequence[Jar], folder: Path, what: str, tell: Tell) -> None:
    """Download jars with jgo, which only warns when a checksum is wrong: they are compared here.

    Parameters
    ----------
    jars
        Which.
    folder
        Where to.
    what
        The program, as people call it.
    tell
        Hears how many are done.

    Raises
    ------
    LocalError
        A jar could not be had or is not the one that was locked.
    """
    from jgo.maven import MavenContext

    maven = MavenContext(repo_cache=folder / "maven", timeout=30)

    def fetch(jar: Jar) -> Path:
        return maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()

    try:
        with ThreadPoolExecutor(8) as pool:
            for count, (jar, path) in enumerate(zip(jars, pool.map(fetch, jars), strict=True), start=1):
                check(jar, path)
                path.rename(folder / jar.file_name)
                tell(f"{count} of {len(jars)} jars")
    except (OSError, RuntimeError, AssertionError) as error:
        raise LocalError(
            f"{what}'s jars could not be downloaded from Maven Central: {error}. Check the network and start again."
        ) from error
    remove(folder / "maven")


def check(jar: Jar, path: Path) -> None:
    """Compare a file with the lock; raises `LocalError`.

    Parameters
    ----------
    jar
        What is expected.
    path
        The file.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise LocalError(f"{jar.file_name} has the checksum {found}, and the lock expects {jar.sha256}: not used.")
