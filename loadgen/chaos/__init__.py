"""`loadgen chaos`: load a Monolayer of its own, break its parts on a seeded schedule, and prove what became of it."""
