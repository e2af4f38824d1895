"""Where time went: measured in each run, carried by events, drawn as one trace for each image."""
