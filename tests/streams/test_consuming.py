import asyncio
from contextlib import suppress

from mode.utils.queues import FlowControlEvent

from streams.consuming import Buffer


async def filled(buffer: Buffer) -> "asyncio.Task[None]":
    """Full, a partition set aside until there is room, and somebody who waits for that room."""
    for number in range(4):
        buffer.put_nowait_enhanced(number, on_pressure_high=lambda: None, on_pressure_drop=drop)
    waiting = asyncio.create_task(buffer.put(4))
    await asyncio.sleep(0)
    assert buffer.full() and not waiting.done() and not dropped
    return waiting


dropped: list[str] = []


def drop() -> None:
    dropped.append("dropped")


def test_an_emptied_buffer_holds_nobody_back() -> None:
    async def scenario() -> None:
        dropped.clear()
        flow = FlowControlEvent(initially_suspended=False)
        buffer = Buffer(4, flow_control=flow, clear_on_resume=True)
        waiting = await filled(buffer)
        flow.suspend()
        flow.clear()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 1)
        assert waiting.cancelled(), "what was fetched before the rebalance must not come after it"
        assert dropped == ["dropped"], "its partition is read again"
        flow.resume()
        assert buffer.empty()

    asyncio.run(scenario())
