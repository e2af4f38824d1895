"""A stranger who pays for a ticket: makes load, and looks at what comes of it from outside."""
