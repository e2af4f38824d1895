"""The S3 server's accounts besides its own: what they may do, the bucket's policy says.

The server reads its file whenever one of them asks, so it need not be told.
"""

import secrets
from pathlib import Path
from typing import Any

from kiosk.local.s3 import Keys, accounts
from kiosk.local.state import read_json, write_json


def give(folder: Path, access: str) -> Keys:
    """Make an account, or give it a new secret; the old one ends.

    Parameters
    ----------
    folder
        The server's part of the state folder, whether it runs or not.
    access
        What the account is called.
    """
    made = Keys(access, secrets.token_urlsafe(30))
    account = {"access": access, "secret": made.secret, "role": "user", "userID": 0, "groupID": 0, "projectID": 0}
    _write(folder, _read(folder) | {access: account})
    return made


def take_back(folder: Path, access: str) -> None:
    """Remove an account; a missing one is fine.

    Parameters
    ----------
    folder, access
        See `give`.
    """
    _write(folder, {name: account for name, account in _read(folder).items() if name != access})


def _file(folder: Path) -> Path:
    return accounts(folder) / "users.json"


def _read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = read_json(_file(folder)).get("accessAccounts") or {}
    return found


def _write(folder: Path, known: dict[str, Any]) -> None:
    write_json(_file(folder), {"accessAccounts": known}, mode=0o600)
