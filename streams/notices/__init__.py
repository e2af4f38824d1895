"""Who asked to be told when a job ends is told: a signed message to their address, until it is taken."""
