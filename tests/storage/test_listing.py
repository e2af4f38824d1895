from xml.etree.ElementTree import ParseError

import pytest

from storage.listing import read_page
from storage.objects import Stat

PAGE = """<?xml version="1.0"?><ListBucketResult {space}><EncodingType>{encoding}</EncodingType>
<IsTruncated>{more}</IsTruncated><NextContinuationToken>abc</NextContinuationToken>
<Contents><Key>{key}</Key><LastModified>1970-01-01T00:01:00.500Z</LastModified><ETag>"e1"</ETag><Size>7</Size></Contents>
<Contents><Key>inbox/</Key><LastModified>1970-01-01T00:00:00Z</LastModified><ETag>"e2"</ETag><Size>0</Size></Contents>
<CommonPrefixes><Prefix>inbox/a+b/</Prefix></CommonPrefixes></ListBucketResult>"""


def page(encoding: str = "url", more: str = "false", key: str = "a%2Bb+%C3%A4", space: str = "") -> bytes:
    return PAGE.format(encoding=encoding, more=more, key=key, space=space).encode()


@pytest.mark.parametrize("space", ["", 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_objects_and_folders_are_read_and_folder_markers_passed_over(space: str) -> None:
    read = read_page(page(space=space))
    assert read.objects == [Stat("a+b ä", 7, "e1", 60.5)]
    assert read.folders == ["inbox/a b/"]
    assert read.following == ""


def test_keys_are_taken_as_they_are_where_the_server_does_not_encode_them() -> None:
    read = read_page(page("", key="a%2Bb+"))
    assert read.objects[0].key == "a%2Bb+"
    assert read.folders == ["inbox/a+b/"]


def test_a_page_names_the_next_only_when_there_is_one() -> None:
    assert read_page(page(more="true")).following == "abc"


@pytest.mark.parametrize("data", [b"", b"<html>", b"<html><body/></html>", b"nonsense"])
def test_what_is_no_page_is_no_empty_one(data: bytes) -> None:
    with pytest.raises(ParseError):
        read_page(data)
