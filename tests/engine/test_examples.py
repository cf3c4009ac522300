"""Pictures, sounds and texts as queries of features of every space, through the real decoder and models of a folder."""

import base64
import io
import wave
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tamis.cli import media_samples
from tamis.decoding.pool import DecoderPool
from tamis.engine.contents.contents import Contents
from tamis.engine.ports.decoding import Decoding
from tamis.engine.querying.queries import ContentQuery, MultiQuery, Need, Query, QueryVectors, TextQuery
from tamis.errors import ValidationError
from tamis.inference.models import LocalModels
from tamis.model.vector import Dense, FeatureSpec, FloatArray, Space, Sparse, VectorKind
from tamis.storage.metadata import SqliteMetadata, open_sqlite
from tests.engine.stages.shop import PRINCIPAL
from tests.inference.joint_model import joint_model

PICTURES = FeatureSpec("pictures", VectorKind.DENSE, 3, inference_name="tiny", space=Space.VISUAL)
EYES = FeatureSpec("eyes", VectorKind.DENSE, 3, inference_name="eyes", space=Space.VISUAL)
SOUNDS = FeatureSpec("sounds", VectorKind.DENSE, 144, inference_name="log-mel-statistics", space=Space.ACOUSTIC)


@pytest.fixture
def decoding(tmp_path: Path) -> Iterator[Decoding]:
    pool = DecoderPool(tmp_path / "decoding", workers=1)
    yield pool
    pool.close()


@pytest.fixture
def models(tmp_path: Path) -> LocalModels:
    joint_model(tmp_path / "models" / "tiny")
    joint_model(tmp_path / "models" / "eyes", with_texts=False)
    return LocalModels(tmp_path / "models", threads=1, downloads=False)


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
    opened = await open_sqlite(tmp_path / "metadata.db")
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def queries(metadata: SqliteMetadata, models: LocalModels, decoding: Decoding) -> QueryVectors:
    return QueryVectors(metadata, models, Contents(metadata, decoding=decoding))


async def row(queries: QueryVectors, query: Query, spec: FeatureSpec) -> FloatArray:
    (found,) = await queries.of(PRINCIPAL, [Need(query, spec, ("query",))])
    assert isinstance(found, Dense)
    return found.values


def content(data: bytes, media_type: str = "application/octet-stream") -> ContentQuery:
    return ContentQuery((f"data:{media_type};base64,{base64.b64encode(data).decode()}",))


def tone(hertz: float, seconds: float = 1.0) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        times = np.arange(int(seconds * 8000)) / 8000
        file.writeframes((np.sin(2 * np.pi * hertz * times) * 9000).astype("<i2").tobytes())
    return written.getvalue()


async def test_a_text_asks_for_pictures_where_the_model_reads_texts(queries: QueryVectors) -> None:
    assert (await row(queries, TextQuery("red"), PICTURES)).tolist() == [1, 0, 0]
    with pytest.raises(ValidationError, match="'eyes' cannot be asked by a text: eyes looks at pictures only"):
        await row(queries, TextQuery("red"), EYES)


async def test_a_sound_asks_for_what_sounds_alike(queries: QueryVectors) -> None:
    low, same, high = [await row(queries, content(tone(hertz)), SOUNDS) for hertz in (220, 220, 3000)]
    assert (low == same).all()
    assert low @ same > low @ high + 0.1
    with pytest.raises(ValidationError, match="'sounds' is asked with a sound or a video; this is text"):
        await row(queries, TextQuery("a bell"), SOUNDS)


def drawn(*colours: str, text: str = "") -> bytes:
    """Stripes, and black letters on the first."""
    picture = Image.new("RGB", (400, 90 * len(colours)))
    for place, colour in enumerate(colours):
        picture.paste(colour, (0, 90 * place, 400, 90 * (place + 1)))
    if text:
        ImageDraw.Draw(picture).text((20, 20), text, "black", ImageFont.load_default(36))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def filmed(*colours: tuple[int, int, int]) -> bytes:
    """Two seconds of each."""
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for colour in colours:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), colour, np.uint8), format="rgb24")
            for _ in range(20):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return written.getvalue()


async def test_a_picture_asks_for_what_looks_alike(queries: QueryVectors) -> None:
    seen = await row(queries, content(drawn("red", "lime")), PICTURES)
    assert seen == pytest.approx([0.7071, 0.7071, 0], abs=1e-3)
    assert await row(queries, content(drawn("blue")), EYES) == pytest.approx([0, 0, 1])
    both = await row(queries, MultiQuery(("red", content(drawn("blue")).contents[0])), PICTURES)
    assert both == pytest.approx([0.7071, 0, 0.7071], abs=1e-3)


async def test_a_video_asks_by_its_key_frames(queries: QueryVectors) -> None:
    seen = await row(queries, content(filmed((250, 0, 0), (0, 0, 250))), PICTURES)
    assert seen == pytest.approx([0.7071, 0, 0.7071], abs=0.05)


async def test_a_picture_asks_a_text_feature_with_the_text_in_it(
    metadata: SqliteMetadata, decoding: Decoding, models: LocalModels
) -> None:
    words = FeatureSpec("lexical", VectorKind.SPARSE, inference_name="bm25")
    queries = QueryVectors(metadata, models, Contents(metadata, decoding=decoding))
    need = Need(content(drawn("white", text="Harbour lantern")), words, ("query",))
    asked, written = await queries.of(PRINCIPAL, [need, Need(TextQuery("harbour lantern"), words)])
    assert isinstance(asked, Sparse)
    assert isinstance(written, Sparse)
    assert asked.indices.tolist() == written.indices.tolist()
    with pytest.raises(ValidationError, match="no text in this image"):
        await queries.of(PRINCIPAL, [Need(content(drawn("white")), words, ("query",))])


async def test_a_document_asks_with_its_first_pages(queries: QueryVectors, tmp_path: Path) -> None:
    words = FeatureSpec("lexical", VectorKind.SPARSE, inference_name="bm25")
    written = [
        content((tmp_path / one.file).read_bytes()) for one in media_samples.make(tmp_path) if one.name == "letter"
    ]
    asked, chess = await queries.of(PRINCIPAL, [Need(written[0], words), Need(TextQuery("tournament library"), words)])
    assert isinstance(asked, Sparse)
    assert isinstance(chess, Sparse)
    assert len(set(chess.indices.tolist()) & set(asked.indices.tolist())) >= 2
    with pytest.raises(ValidationError, match="'pictures' is asked with a picture or a video; this is document"):
        await row(queries, written[0], PICTURES)


async def test_what_cannot_be_decoded_is_said_where_it_stands(queries: QueryVectors) -> None:
    with pytest.raises(ValidationError) as raised:
        await row(queries, content(tone(220)[:60], "audio/wav"), SOUNDS)
    assert raised.value.problems[0]["loc"] == ["query"]
    with pytest.raises(ValidationError, match="'pictures' is asked with a picture or a video; this is audio"):
        await row(queries, content(tone(220)), PICTURES)


async def test_an_own_feature_is_asked_with_neither(queries: QueryVectors) -> None:
    own = FeatureSpec("own", VectorKind.DENSE, 3, space=Space.OWN)
    for query in (TextQuery("red"), MultiQuery(("red", "green"))):
        with pytest.raises(ValidationError, match="only its extractor makes such vectors"):
            await row(queries, query, own)
