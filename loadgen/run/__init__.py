"""A benchmark that anyone can repeat: an open loop of real uploads, a row for each image, a report that adds up."""
