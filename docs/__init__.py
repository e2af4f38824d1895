"""The documentation: pages written by hand, a reference made from the code, and what makes a site of both."""
