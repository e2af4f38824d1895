"""All kinds of faults. The clock is not among them: nothing here steps it for one process tree alone."""

from loadgen.chaos.faults import events, model, processes, seams, servers, store
from loadgen.chaos.world import Kind

KINDS: tuple[Kind, ...] = (
    *processes.KINDS,
    *seams.KINDS,
    *servers.KINDS,
    *store.KINDS,
    *model.KINDS,
    *events.KINDS,
)
