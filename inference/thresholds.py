"""By what pixels of a model's maps become objects; apart from the compiled code, for those who only tell of it."""

FOREGROUND = 128
"""Of 255: a pixel belongs to an object from here on."""
PROMINENCE = 30
"""Of 255: two maxima of the distance are two objects if the valley between them is deeper."""
SUMMIT = 140
"""Of 255: an object whose distance nowhere gets so high is none: cytoplasm, haze and debris stay below."""
SMOOTHING = 1.0
"""Px at the maps' scale: Gaussian that takes the quantisation's steps out of the distance."""
SPECK = 50
"""Px at the maps' scale: smaller objects are dropped; a typical one has 450."""
