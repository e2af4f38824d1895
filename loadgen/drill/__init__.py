"""A fire drill: a Monolayer of its own is broken in one way after another, and each alert has to fire once."""
