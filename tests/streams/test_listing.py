import asyncio

import pytest

from streams.listing import Listing
from tests.streams.stand import run


def test_a_small_archive_is_listed_while_large_ones_wait_for_their_turn() -> None:
    async def whole() -> None:
        listing = Listing(large=1)
        async with listing.turn(large=True):
            async with listing.turn(large=False):
                pass
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), listing.turn(large=True):
                    pass
        async with listing.turn(large=True):
            pass

    run(whole())
