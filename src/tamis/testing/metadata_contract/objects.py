"""Objects of a bucket."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace
from functools import partial

import pytest

from tamis.engine.ports.metadata import Metadata, ObjectSizes, Session
from tamis.errors import AlreadyExistsError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import BucketObject
from tamis.model.filters import parse_filter
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


async def _insert(metadata: Metadata, count: int) -> list[BucketObject]:
    """Pairs share a time: ties."""
    made = [samples.object_(number, seconds=number // 2) for number in range(count)]
    await metadata.write(lambda session: session.objects.insert(ME, made))
    return made


async def _numbers(metadata: Metadata, listing: Listing) -> tuple[list[object], int]:
    page: Page[BucketObject] = await metadata.read(lambda session: session.objects.page(ME, "bkt_1", listing))
    assert (page.limit, page.offset) == (listing.limit, listing.offset)
    return [each.fields["number"] for each in page.items], page.total


class ObjectsContract:
    async def test_an_object_comes_back_as_it_was(self, metadata: Metadata) -> None:
        made = await _insert(metadata, 3)
        assert await metadata.read_now(lambda session: session.objects.get(ME, "obj_0001")) == made[1]
        assert await metadata.read(lambda session: session.objects.get(ME, "obj_none")) is None
        several = await metadata.read(
            lambda session: session.objects.get_many(ME, ["obj_0002", "obj_none", "obj_0000"])
        )
        assert several == {"obj_0000": made[0], "obj_0002": made[2]}

    async def test_inserting_a_taken_id_or_unique_key_keeps_none_of_the_call(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.objects.insert(ME, [replace(samples.object_(1), unique_key="u")]))

        def insert(clash: BucketObject, session: Session) -> None:
            session.objects.insert(ME, [samples.object_(2), clash])

        for clash in (samples.object_(1), replace(samples.object_(3), unique_key="u")):
            with pytest.raises(AlreadyExistsError):
                await metadata.write(partial(insert, clash))
        assert await metadata.read(lambda session: session.objects.totals(ME, "bkt_1")) == (1, 111)
        elsewhere = replace(samples.object_(4, bucket_id="bkt_2"), unique_key="u")
        await metadata.write(lambda session: session.objects.insert(ME, [elsewhere]))

    async def test_found_by_unique_key_and_by_content(self, metadata: Metadata) -> None:
        made = replace(samples.object_(1), unique_key="sku-1", content_hash="abc")
        await metadata.write(lambda session: session.objects.insert(ME, [made, samples.object_(2)]))
        assert await metadata.read(lambda session: session.objects.find_unique(ME, "bkt_1", "sku-1")) == made
        assert await metadata.read(lambda session: session.objects.find_unique(ME, "bkt_2", "sku-1")) is None
        assert await metadata.read(lambda session: session.objects.find_content(ME, "bkt_1", "abc")) == made
        assert await metadata.read(lambda session: session.objects.find_content(ME, "bkt_2", "abc")) is None
        changed = replace(made, unique_key="sku-2", content_hash=None, fields={"a": 1})
        await metadata.write(lambda session: session.objects.replace(ME, [changed]))
        assert await metadata.read(lambda session: session.objects.find_unique(ME, "bkt_1", "sku-1")) is None
        assert await metadata.read(lambda session: session.objects.find_unique(ME, "bkt_1", "sku-2")) == changed
        with pytest.raises(AlreadyExistsError):
            await metadata.write(
                lambda session: session.objects.replace(ME, [replace(samples.object_(2), unique_key="sku-2")])
            )

    async def test_replacing_what_is_gone_brings_nothing_back(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.objects.replace(ME, [samples.object_(1)]))
        assert await metadata.read(lambda session: session.objects.get(ME, "obj_0001")) is None

    async def test_newest_first_in_windows_that_cover_all(self, metadata: Metadata) -> None:
        await _insert(metadata, 7)
        assert await _numbers(metadata, Listing(limit=3)) == ([6, 4, 5], 7)
        assert await _numbers(metadata, Listing(limit=3, offset=3)) == ([2, 3, 0], 7)
        assert await _numbers(metadata, Listing(limit=3, offset=6)) == ([1], 7)
        assert await _numbers(metadata, Listing(limit=0)) == ([], 7)

    async def test_filtered_searched_and_sorted(self, metadata: Metadata) -> None:
        await _insert(metadata, 9)
        odd = parse_filter({"kind": "odd"})
        assert await _numbers(metadata, Listing(filter=odd, limit=3)) == ([7, 5, 3], 4)
        assert await _numbers(metadata, Listing(filter=odd, limit=3, offset=3)) == ([1], 4)
        assert await _numbers(metadata, Listing(sort=(("kind", False), ("number", True)), limit=4)) == ([8, 6, 4, 2], 9)
        assert await _numbers(metadata, Listing(sort=(("created_at", False),), limit=3)) == ([0, 1, 2], 9)
        assert await _numbers(metadata, Listing(search="TEXT 4")) == ([4], 1)
        assert await _numbers(metadata, Listing(search="äö", limit=1)) == ([8], 9)

    async def test_a_scan_passes_all_by_id(self, metadata: Metadata) -> None:
        made = [samples.object_(number) for number in range(1203)]
        await metadata.write(lambda session: session.objects.insert(ME, list(reversed(made))))
        assert await metadata.read(lambda session: list(session.objects.scan(ME, "bkt_1"))) == made
        few = parse_filter({"number": {"$gte": 1200}})
        found = await metadata.read(lambda session: list(session.objects.scan(ME, "bkt_1", few)))
        assert found == made[1200:]
        page = await metadata.read(lambda session: session.objects.page(ME, "bkt_1", Listing(filter=few, limit=2)))
        assert (list(page.items), page.total) == (made[1200:1202], 3)

    async def test_a_status_is_set_without_touching_the_rest(self, metadata: Metadata) -> None:
        made = await _insert(metadata, 2)
        await metadata.write(lambda session: session.objects.set_status(ME, ["obj_0001"], TaskStatus.FAILED, "why"))
        found = await metadata.read(lambda session: session.objects.get_many(ME, ["obj_0000", "obj_0001"]))
        assert found == {"obj_0000": made[0], "obj_0001": replace(made[1], status="FAILED", error="why")}
        page = await metadata.read(
            lambda session: session.objects.page(ME, "bkt_1", Listing(filter=parse_filter({"status": "FAILED"})))
        )
        assert page.total == 1

    async def test_any_character_is_stored_and_looked_for(self, metadata: Metadata) -> None:
        odd = "\0 \x7f \ufeff 🜚 %s :x ' \" \\"
        made = replace(samples.object_(1), fields={odd: [odd]})
        await metadata.write(lambda session: session.objects.insert(ME, [made]))
        assert await metadata.read(lambda session: session.objects.get(ME, "obj_0001")) == made
        assert await metadata.read(lambda session: session.objects.get(ME, odd)) is None
        assert await metadata.read(lambda session: session.objects.get_many(ME, [odd])) == {}
        await metadata.write(lambda session: session.objects.set_status(ME, ["obj_0001"], TaskStatus.FAILED, odd))
        found = await metadata.read(lambda session: session.objects.get(ME, "obj_0001"))
        assert found is not None
        assert str(found.error).replace("\N{REPLACEMENT CHARACTER}", "\0") == odd

    async def test_deleted_singly_and_with_the_bucket(self, metadata: Metadata) -> None:
        await _insert(metadata, 5)
        await metadata.write(lambda session: session.objects.insert(ME, [samples.object_(9, bucket_id="bkt_2")]))
        assert await metadata.write(lambda session: session.objects.delete(ME, ["obj_0001", "obj_none"])) == 1
        assert await metadata.read(lambda session: session.objects.totals(ME, "bkt_1")) == (4, 449)
        assert await metadata.write(lambda session: session.objects.delete_bucket(ME, "bkt_1")) == 4
        assert await metadata.read(lambda session: session.objects.totals(ME, "bkt_1")) == (0, 0)
        assert await metadata.read(lambda session: session.objects.totals(ME, "bkt_2")) == (1, 119)

    async def test_sizes_of_a_bucket(self, metadata: Metadata) -> None:
        assert await metadata.read(lambda session: session.objects.sizes(ME, "bkt_1")) == ObjectSizes()
        await _insert(metadata, 5)
        await metadata.write(lambda session: session.objects.insert(ME, [samples.object_(9, bucket_id="bkt_2")]))
        assert await metadata.read(lambda session: session.objects.sizes(ME, "bkt_1")) == ObjectSizes(5, 560, 110, 114)
        await metadata.write(lambda session: session.objects.delete(ME, ["obj_0000", "obj_0004"]))
        assert await metadata.read(lambda session: session.objects.sizes(ME, "bkt_1")) == ObjectSizes(3, 336, 111, 113)
        assert await metadata.read(lambda session: session.objects.sizes(ME, "bkt_2")) == ObjectSizes(1, 119, 119, 119)

    async def test_others_neither_see_nor_touch_objects(self, metadata: Metadata) -> None:
        made = replace(samples.object_(1), unique_key="u", content_hash="c")
        await metadata.write(lambda session: session.objects.insert(ME, [made]))
        for who in STRANGERS:

            def look(session: Session, who: Principal = who) -> list[object]:
                objects = session.objects
                objects.set_status(who, ["obj_0001"], TaskStatus.FAILED)
                objects.replace(who, [replace(made, fields={})])
                return [
                    objects.get(who, "obj_0001"),
                    objects.get_many(who, ["obj_0001"]),
                    objects.find_unique(who, "bkt_1", "u"),
                    objects.find_content(who, "bkt_1", "c"),
                    objects.page(who, "bkt_1", Listing()).total,
                    list(objects.scan(who, "bkt_1")),
                    objects.totals(who, "bkt_1"),
                    objects.sizes(who, "bkt_1"),
                    objects.delete(who, ["obj_0001"]),
                    objects.delete_bucket(who, "bkt_1"),
                ]  # fmt: skip

            assert await metadata.write(look) == [None, {}, None, None, 0, [], (0, 0), ObjectSizes(), 0, 0]
        assert await metadata.read(lambda session: session.objects.get(ME, "obj_0001")) == made
