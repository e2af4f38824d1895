"""Whoever makes a request: what they may do, and whose jobs they see."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do."""

    SUBMIT = "submit"
    """Send images, cancel, replay, release a job."""
    READ = "read"
    """See jobs and fetch results."""
    ADMIN = "admin"
    """All of it, with every tenant's jobs."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody, once they have proved who they are."""

    name: str
    scopes: frozenset[Scope] = frozenset()
    tenant: str = ""
    """Whose jobs these are; empty: those that belong to no tenant."""
    id: str = ""
    """Of the token, where there is one."""

    def may(self, scope: Scope) -> bool:
        """Whether this is allowed."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, tenant: str) -> bool:
        """Whether a tenant's jobs exist for this caller."""
        return tenant == self.tenant or Scope.ADMIN in self.scopes


HERE = Caller("this machine", frozenset(Scope))
"""Whoever reaches an API that listens on this machine alone."""
NOBODY = Caller("nobody")
"""Whoever asks for what is open to all."""


def words(scopes: Collection[Scope]) -> str:
    """Some scopes, for a sentence."""
    return " and ".join(sorted(scopes)) or "nothing"
