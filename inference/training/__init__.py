"""Training, evaluation and export of the shipped model. Needs the extra `train`; nothing in serving imports it."""
