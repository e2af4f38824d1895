"""The S3 server: versitygw, whose objects are plain files."""

import os
from dataclasses import dataclass
from pathlib import Path

from kiosk.local import golang

SERVER = golang.Program(
    "versitygw", "github.com/versity/versitygw", "v1.8.0", "./cmd/versitygw", needs_bytes=1_500_000_000
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Access and secret key of the S3 server."""

    access: str
    secret: str


def command(binary: Path, folder: Path, port: int, host: str = "127.0.0.1") -> list[str]:
    """Return how the server is started; `variables` belong to it.

    Parameters
    ----------
    binary
        Where `SERVER` is installed.
    folder
        Its part of the state folder: a folder per bucket, a file per object.
    port
        Where it listens.
    host
        On which address: this machine alone can reach the usual one.

    Returns
    -------
    list of str
        The argv. Where the file system keeps no extended attributes, they go to files in a folder beside the objects.
    """
    data, sidecar = folder / "data", folder / "attributes"
    data.mkdir(parents=True, exist_ok=True)
    accounts(folder).mkdir(mode=0o700, exist_ok=True)
    # Without the server's cache an account that is gone is gone at once; our own keys are never looked up there.
    users = ["--iam-dir", str(accounts(folder)), "--iam-cache-disable"]
    argv = [str(binary), "--port", f"{host}:{port}", "--quiet", *users, "posix"]
    if sidecar.exists() or not keeps_attributes(data):
        sidecar.mkdir(exist_ok=True)
        argv += ["--sidecar", str(sidecar)]
    return [*argv, str(data)]


def variables(keys: Keys) -> dict[str, str]:
    """Return the server's environment variables: keys given as arguments would stand in every list of processes.

    Parameters
    ----------
    keys
        What clients have to know.
    """
    # Without keep-alive, its default, each request opens a connection: twice the CPU of a small one.
    # Browsers on any address may send: it takes a signed address all the same, and no page is given the keys.
    return {
        "ROOT_ACCESS_KEY_ID": keys.access,
        "ROOT_SECRET_ACCESS_KEY": keys.secret,
        "VGW_KEEP_ALIVE": "true",
        "VGW_CORS_ALLOW_ORIGIN": "*",
    }


def take_up(folder: Path) -> None:
    """Let uploads that it was putting together when it died be completed again; only before a start.

    It renames an upload's folder from ``<upload>`` to ``<upload>.<etag>.inprogress`` for that time, and answers all who
    complete it again that it is done.

    Parameters
    ----------
    folder
        Its part of the state folder.
    """
    for left in folder.glob("data/*/.sgwtmp/multipart/*/*.inprogress"):
        left.rename(left.with_name(left.name.partition(".")[0]))


def accounts(folder: Path) -> Path:
    """Return where the server keeps the accounts of others, see `kiosk.local.accounts`.

    Parameters
    ----------
    folder
        See `command`.
    """
    return folder.absolute() / "accounts"


def keeps_attributes(folder: Path) -> bool:
    """Tell whether files in a folder can carry extended attributes of the user.

    Parameters
    ----------
    folder
        The folder; one attribute of its own is set and removed.
    """
    try:
        os.setxattr(folder, "user.monolayer", b"1")
        os.removexattr(folder, "user.monolayer")
    except (OSError, AttributeError):
        return False
    return True
