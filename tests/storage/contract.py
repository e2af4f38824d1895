"""What every Store has to do; the memory one and the real server go through the same tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from storage.objects import Changed, NotFound, Part, Store, StoreError

PART = 5 << 20  # the smallest part that S3 takes before the last
STRANGE = [
    "a b.tif",
    "Präparat ä.tif",
    "no#3.tif",
    "1+1.tif",
    "100%.tif",
    "a%20b.tif",
    "q?x=1&y.tif",
    "~'()*!.tif",
    "細胞.tif",
]


class StoreContract:
    """Subclasses give the fixtures `store` and `put_part`, which PUTs to an address and returns the etag."""

    def test_what_was_put_can_be_read(self, store: Store) -> None:
        store.put("c/read", b"0123456789")
        assert store.get("c/read") == b"0123456789"

    def test_a_note_is_kept_beside_the_bytes_and_goes_with_them(self, store: Store) -> None:
        note = '[{"image": "a  b \\u7d30.tif"}]' + "x" * 1900
        plain = store.put("c/noted", b"0123456789")
        assert store.put("c/noted", b"0123456789", note) == plain
        assert (store.stat("c/noted").note, store.get("c/noted")) == (note, b"0123456789")
        store.put("c/noted", b"0123456789")
        assert store.stat("c/noted").note == ""

    def test_an_empty_object_is_an_object(self, store: Store) -> None:
        store.put("c/empty", b"")
        assert store.get("c/empty") == b""
        assert store.get("c/empty", 0, 10) == b""
        assert store.stat("c/empty").size == 0

    @pytest.mark.parametrize(
        ("start", "length", "expected"),
        [
            (0, 3, b"012"),
            (3, 4, b"3456"),
            (7, None, b"789"),
            (8, 100, b"89"),
            (10, 5, b""),
            (99, None, b""),
            (4, 0, b""),
        ],
    )
    def test_a_ranged_read_gives_that_range_and_less_at_the_end(
        self, store: Store, start: int, length: int | None, expected: bytes
    ) -> None:
        store.put("c/range", b"0123456789")
        assert store.get("c/range", start, length) == expected

    def test_a_missing_object_is_not_found(self, store: Store) -> None:
        for ask in (store.get, store.stat, lambda key: store.get(key, 0, 1), lambda key: store.get(key, 0, 0)):
            with pytest.raises(NotFound):
                ask("c/nothing")

    @pytest.mark.parametrize("key", ["c/" + "k" * 256, "c/" + "k" * 256 + "/x", "c/" + "é" * 200])
    def test_nothing_is_found_under_a_key_that_is_too_long_for_a_file(self, store: Store, key: str) -> None:
        store.put("c/short", b"x")  # its folder is there
        for ask in (store.get, store.stat, lambda key: store.get(key, 0, 1), lambda key: store.get(key, 0, 0)):
            with pytest.raises(NotFound):
                ask(key)

    def test_a_pinned_read_gives_the_bytes_while_the_etag_fits(self, store: Store) -> None:
        etag = store.put("c/pin", b"first")
        assert store.get("c/pin", etag=etag) == b"first"
        assert store.get("c/pin", 1, 2, etag) == b"ir"

    def test_a_pinned_read_of_a_replaced_object_says_changed(self, store: Store) -> None:
        etag = store.put("c/pin", b"first")
        store.put("c/pin", b"second")
        for start, length in ((0, None), (1, 2)):
            with pytest.raises(Changed):
                store.get("c/pin", start, length, etag)

    def test_put_stat_and_list_agree_on_the_etag(self, store: Store) -> None:
        etag = store.put("c/etag/x", b"first")
        stat = store.stat("c/etag/x")
        assert stat.etag == etag
        assert '"' not in etag
        assert stat.size == 5
        assert [(found.etag, found.size) for found in store.list("c/etag/")] == [(etag, 5)]
        assert abs(stat.modified - next(store.list("c/etag/x")).modified) < 1.0

    def test_putting_again_replaces(self, store: Store) -> None:
        store.put("c/again", b"a longer first one")
        store.put("c/again", b"second")
        assert store.get("c/again") == b"second"

    def test_a_list_is_in_the_order_of_keys(self, store: Store) -> None:
        names = ["a", "b/c", "b-d", "b/a", "b.e", "c/00000/001.tif", "c/00000/000.tif", "c/00001/000.tif", "Z", "ä"]
        keys = sorted(f"c/order/{name}" for name in names)
        for key in reversed(keys):
            store.put(key, b"x")
        assert [found.key for found in store.list("c/order/")] == keys

    def test_a_list_goes_on_beyond_a_page(self, store: Store) -> None:
        keys = [f"c/many/{number // 700}/{number:05d}" for number in range(1100)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda key: store.put(key, b""), keys))
        assert [found.key for found in store.list("c/many/")] == sorted(keys)
        store.delete(keys)
        assert list(store.list("c/many/")) == []

    def test_a_prefix_need_not_end_at_a_slash(self, store: Store) -> None:
        for key in ("c/pre/fix1", "c/pre/fix2", "c/pre/other", "c/prefix"):
            store.put(key, b"x")
        assert [found.key for found in store.list("c/pre/fi")] == ["c/pre/fix1", "c/pre/fix2"]
        assert [found.key for found in store.list("c/pre/")] == ["c/pre/fix1", "c/pre/fix2", "c/pre/other"]
        assert list(store.list("c/pre/none")) == []

    def test_folders_are_the_names_below_which_there_are_objects(self, store: Store) -> None:
        for key in ("c/tree/b/1", "c/tree/b/2", "c/tree/a/x/y", "c/tree/file", "c/tree/gone/1"):
            store.put(key, b"x")
        store.delete(["c/tree/gone/1"])
        assert list(store.folders("c/tree/")) == ["a", "b"]
        assert list(store.folders("c/nowhere/")) == []

    def test_deleting_what_is_missing_is_no_error(self, store: Store) -> None:
        store.put("c/delete/1", b"x")
        store.delete(["c/delete/1", "c/delete/never"])
        store.delete([])
        with pytest.raises(NotFound):
            store.get("c/delete/1")

    @pytest.mark.parametrize("name", STRANGE)
    def test_keys_may_hold_what_people_type(self, store: Store, name: str) -> None:
        key = f"c/strange/{name}"
        etag = store.put(key, name.encode())
        assert store.get(key, 0, 100, etag) == name.encode()
        assert store.stat(key).etag == etag
        assert key in [found.key for found in store.list("c/strange/")]
        store.delete([key])
        assert key not in [found.key for found in store.list("c/strange/")]

    def test_many_threads_can_put_and_read_at_once(self, store: Store) -> None:
        def work(number: int) -> bool:
            body = f"{number:06d}".encode() * 5000
            store.put(f"c/threads/{number}", body)
            return store.get(f"c/threads/{number}", 6, 6) == body[6:12] and store.get(f"c/threads/{number}") == body

        with ThreadPoolExecutor(32) as pool:
            assert all(pool.map(work, range(100)))

    def test_readers_of_a_key_that_is_being_replaced_see_one_or_the_other(self, store: Store) -> None:
        bodies = {bytes([letter]) * 200_000 for letter in b"abcdefgh"}
        store.put("c/race", b"a" * 200_000)
        with ThreadPoolExecutor(8) as pool:
            writes = [pool.submit(store.put, "c/race", body) for body in bodies]
            reads = [pool.submit(store.get, "c/race") for _ in range(40)]
        assert all(write.result() for write in writes)
        assert all(read.result() in bodies for read in reads)

    def test_parts_become_one_object(self, store: Store, put_part: Callable[[str, bytes], str]) -> None:
        upload = store.start_upload("c/multi part.zip")
        first = put_part(store.part_url("c/multi part.zip", upload, 1), b"a" * PART)
        second = put_part(store.part_url("c/multi part.zip", upload, 2), b"b" * 10)
        etag = store.finish_upload("c/multi part.zip", upload, [Part(1, first), Part(2, second)])
        assert store.stat("c/multi part.zip").size == PART + 10
        assert store.get("c/multi part.zip", PART - 2, 4, etag) == b"aabb"

    def test_nothing_is_seen_of_an_upload_before_it_is_finished(
        self, store: Store, put_part: Callable[[str, bytes], str]
    ) -> None:
        upload = store.start_upload("c/unseen/x")
        put_part(store.part_url("c/unseen/x", upload, 1), b"a")
        with pytest.raises(NotFound):
            store.get("c/unseen/x")
        assert list(store.list("c/unseen/")) == []
        assert list(store.list("")) == [found for found in store.list("") if found.key.startswith("c/")]
        store.abort_upload("c/unseen/x", upload)

    def test_a_resumed_upload_sees_what_is_stored_and_sends_the_rest(
        self, store: Store, put_part: Callable[[str, bytes], str]
    ) -> None:
        upload = store.start_upload("c/resume")
        third = put_part(store.part_url("c/resume", upload, 3), b"c")
        first = put_part(store.part_url("c/resume", upload, 1), b"a" * PART)
        assert store.parts("c/resume", upload) == [Part(1, first), Part(3, third)]
        put_part(store.part_url("c/resume", upload, 2), b"torn" * PART)
        put_part(store.part_url("c/resume", upload, 2), b"b" * PART)
        store.finish_upload("c/resume", upload, store.parts("c/resume", upload))
        assert store.get("c/resume", PART - 1, 2) == b"ab"
        assert store.get("c/resume", 2 * PART - 1, 10) == b"bc"

    def test_finishing_twice_gives_the_same_object_or_not_found(
        self, store: Store, put_part: Callable[[str, bytes], str]
    ) -> None:
        upload = store.start_upload("c/twice")
        parts = [Part(1, put_part(store.part_url("c/twice", upload, 1), b"a"))]
        etag = store.finish_upload("c/twice", upload, parts)
        with suppress(NotFound):
            assert store.finish_upload("c/twice", upload, parts) == etag
        assert store.stat("c/twice").etag == etag
        assert store.get("c/twice") == b"a"

    def test_a_part_that_was_never_sent_can_not_be_finished_with(
        self, store: Store, put_part: Callable[[str, bytes], str]
    ) -> None:
        upload = store.start_upload("c/lacking")
        first = put_part(store.part_url("c/lacking", upload, 1), b"a")
        with pytest.raises(StoreError):
            store.finish_upload("c/lacking", upload, [Part(1, first), Part(2, "0" * 32)])
        store.abort_upload("c/lacking", upload)

    def test_a_part_can_be_stored_without_its_address(self, store: Store) -> None:
        upload = store.start_upload("c/handed on")
        etags = [
            store.store_part("c/handed on", upload, number, data) for number, data in ((1, b"a" * PART), (2, b"b"))
        ]
        assert store.parts("c/handed on", upload) == [Part(1, etags[0]), Part(2, etags[1])]
        store.finish_upload("c/handed on", upload, store.parts("c/handed on", upload))
        assert store.get("c/handed on", PART - 1) == b"ab"
        with pytest.raises(NotFound):
            store.store_part("c/handed on", upload, 3, b"c")

    def test_an_aborted_upload_is_forgotten(self, store: Store, put_part: Callable[[str, bytes], str]) -> None:
        upload = store.start_upload("c/abort")
        put_part(store.part_url("c/abort", upload, 1), b"a")
        store.abort_upload("c/abort", upload)
        store.abort_upload("c/abort", upload)
        with pytest.raises(NotFound):
            store.parts("c/abort", upload)
