"""Bytes in, bytes out: the object store, its keys, and the files images and labels come in."""
