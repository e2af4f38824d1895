"""Models and what surrounds them: scaling, tiling, normalisation, the call to Triton, segmentation and measuring."""
