"""Events are taken on, tried, answered and acknowledged here; only `consuming` knows how Faust fetches them."""
