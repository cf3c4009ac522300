"""A video through a whole batch: segments, their key frames as files, and what a further collection makes of those."""

from datetime import UTC, datetime
from pathlib import Path

from tamis.extractors.image_extractor import ImageExtractor
from tamis.extractors.video_extractor import VideoExtractor
from tamis.inference.models import LocalModels
from tamis.model.bucket import Blob, BucketObject
from tamis.model.ids import new_id
from tests.extraction_world import open_world
from tests.media_samples import write_video

COLOURS = [(220, 60, 60), (20, 80, 20), (100, 100, 250)]


async def test_frames_of_shots_are_taken_further(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", COLOURS, "libx264")
    models = LocalModels(threads=1)
    async with open_world(tmp_path, models=models) as world:
        decoding = world.files.decoding
        extractors = (VideoExtractor(models, decoding), ImageExtractor(models, decoding))
        world.shelf._all = (*world.shelf._all, *extractors)
        bucket = await world.bucket(schema={"properties": {"film": {"type": "video"}}})
        await world.blobs.put(world.principal, "films/film", (tmp_path / "film.mp4").read_bytes())
        now = datetime.now(UTC)
        blob = Blob(new_id("blob"), "film", "video", url="blob://films/film", mime_type="text/plain")
        film = BucketObject(new_id("obj"), bucket.bucket_id, now, now, (blob,))
        await world.metadata.write(lambda session: session.objects.insert(world.principal, [film]))
        parameters = {"run_transcription": False}
        shots = await world.collection(
            "shots", bucket, "video", input_mappings={"video": "film"}, parameters=parameters
        )
        frames = await world.collection("frames", shots, "image", input_mappings={"image": "key_frame"})
        await world.process(bucket, [film.object_id])

        found = sorted(await world.all_documents(shots), key=lambda document: str(document.fields["segment_index"]))
        assert [document.fields["start_ms"] for document in found] == [0, 1000, 2000]
        seen = {document.lineage.source_document_id: document for document in await world.all_documents(frames)}
        assert set(seen) == {document.document_id for document in found}
        for document in found:
            assert [source["content_type"] for source in document.source_blobs] == ["video/mp4"], "not what was said"
            [key] = document.blobs
            assert (key.field, key.role, key.content_type) == ("key_frame", "thumbnail", "image/jpeg")
            frame = seen[document.document_id]
            assert (frame.fields["width"], frame.fields["height"]) == (160, 96)
            assert frame.lineage.root_object_id == film.object_id
            assert key.url in {source["url"] for source in frame.source_blobs}
        decoding.close()
