"""A page of an S3 server's listing (ListObjectsV2), read four times faster than the client library does."""

from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from storage.objects import Stat


class Page(NamedTuple):
    """Objects and folders of one page, in order; `following` is the token of the next page, empty on the last."""

    objects: list[Stat]
    folders: list[str]
    following: str


def read_page(data: bytes) -> Page:
    """Read the XML of a page; raises `ElementTree.ParseError` where it is none.

    Keys that end with a slash are left out: some programs make them so that folders show.
    """
    root = ElementTree.fromstring(data)
    if _tag(root) != "ListBucketResult":
        raise ElementTree.ParseError(f"<{_tag(root)}> came instead of a listing")
    told = _fields(root)
    name = unquote_plus if told.get("EncodingType") == "url" else str
    rows = [(_tag(row), _fields(row)) for row in root]
    objects = [_stat(name(row["Key"]), row) for tag, row in rows if tag == "Contents" and row.get("Key")]
    folders = [name(row["Prefix"]) for tag, row in rows if tag == "CommonPrefixes"]
    following = told.get("NextContinuationToken", "") if told.get("IsTruncated") == "true" else ""
    return Page([found for found in objects if not found.key.endswith("/")], folders, following)


def _stat(key: str, row: dict[str, str]) -> Stat:
    modified = row.get("LastModified")
    seconds = datetime.fromisoformat(modified).timestamp() if modified else 0.0
    return Stat(key, int(row.get("Size") or 0), row.get("ETag", "").strip('"'), seconds)


def _fields(element: ElementTree.Element) -> dict[str, str]:
    return {_tag(child): child.text or "" for child in element}


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
