"""All kinds of faults."""

from loadgen.chaos.faults import clock, events, model, processes, seams, servers, store
from loadgen.chaos.world import Kind

KINDS: tuple[Kind, ...] = (
    *processes.KINDS,
    *clock.KINDS,
    *seams.KINDS,
    *servers.KINDS,
    *store.KINDS,
    *model.KINDS,
    *events.KINDS,
)
