"""The reference, made from the code each time the documentation is built: one module, one page."""
