"""Events and records as they were released, one file each; files are added, never changed."""


def holds(now: object, then: object) -> bool:
    """Whether all that was in what was released is in today's, which may have more."""
    if isinstance(now, dict) and isinstance(then, dict):
        return all(name in now and holds(now[name], value) for name, value in then.items())
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(map(holds, now, then))
    return now == then
