"""Input that nobody should have to take: made from a seed, each kind with the way it has to end.

Files are in `corpus.KINDS`, messages in `events.EVENTS`.
"""
