"""Replicas as a cluster has them: wanted at once, of use only once they have started."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Fleet:
    """Replicas of one kind."""

    starting: float
    """Seconds until a new one works."""
    replicas: int = 0
    """As many as were asked for."""
    _due: list[float] = field(default_factory=list)
    """When those that are not ready will be, the first first."""
    seconds: float = 0.0
    """Of all replicas together, from the moment they were asked for: nodes are paid while they start."""

    @property
    def ready(self) -> int:
        """As many as work."""
        return self.replicas - len(self._due)

    def scale(self, replicas: int, now: float) -> None:
        """Start or stop some; those that are not ready yet go first."""
        more = replicas - self.replicas
        if more > 0:
            self._due += [now + self.starting] * more
        else:
            del self._due[max(0, len(self._due) + more) :]
        self.replicas = replicas

    def reclaim(self, count: int, now: float) -> None:
        """Nodes are taken away: the same number is asked for, and has to start anew."""
        self._due += [now + self.starting] * min(count, self.ready)

    def pass_by(self, seconds: float, now: float) -> None:
        """Time passes until now."""
        self.seconds += self.replicas * seconds
        self._due = [due for due in self._due if due > now]
