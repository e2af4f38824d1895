"""The few forms that queries take, so that no counter is drawn bare and no quantile taken of the wrong thing."""

WINDOW = "$__rate_interval"
"""How far a rate looks back: Grafana fits it to the time shown and to the scrapes; others replace it."""
MEGABYTE, GIGABYTE = "1e6", "1e9"


def rate(counter: str, *by: str) -> str:
    """How much a counter grows in a second, by these labels or in all."""
    return summed(f"rate({counter}[{WINDOW}])", *by)


def summed(vector: str, *by: str) -> str:
    """The sum by these labels, or of all."""
    return f"sum by ({', '.join(by)}) ({vector})" if by else f"sum({vector})"


def highest(vector: str, *by: str) -> str:
    """The highest by these labels, or of all; of what several processes tell of the same thing."""
    return f"max by ({', '.join(by)}) ({vector})" if by else f"max({vector})"


def lowest(vector: str, *by: str) -> str:
    """The lowest by these labels, or of all; of what must hold for each."""
    return f"min by ({', '.join(by)}) ({vector})" if by else f"min({vector})"


def quantile(share: float, histogram: str, *by: str, where: str = "") -> str:
    """What this share of a histogram's observations did not exceed, by these labels."""
    chosen = f"{{{where}}}" if where else ""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket{chosen}', 'le', *by)})"


def mean(total: str, count: str, *by: str) -> str:
    """A counter's growth for each step of another."""
    return f"{rate(total, *by)} / {rate(count, *by)}"
