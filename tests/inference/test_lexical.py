"""Words are found in many languages, weighted as BM25 says, the same on every machine."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.inference.lexical import Bm25Encoder, term_id
from tamis.model.vector import Sparse

ENCODER = Bm25Encoder()


def scores(documents: Sequence[str], query: str, language: str | None = None) -> list[float]:
    """BM25 in plain Python over what the encoder gives, with the index's IDF."""
    encoded = [weights(ENCODER.encode_document(document)) for document in documents]
    found = []
    for document in encoded:
        total = 0.0
        for term, asked in weights(ENCODER.encode_query(query, language)).items():
            frequency = sum(term in other for other in encoded)
            idf = math.log((len(encoded) - frequency + 0.5) / (frequency + 0.5) + 1)
            total += asked * document.get(term, 0.0) * idf
        found.append(total)
    return found


def weights(sparse: Sparse) -> dict[int, float]:
    return dict(zip(sparse.indices.tolist(), sparse.values.tolist(), strict=True))


DOCUMENTS = {
    "en": "The universities were running experiments on mice.",
    "de": "Die Häuser in der Straße wurden von den Einwohnern für den Winter vorbereitet.",
    "fr": "L'homme n'avait pas oublié les élèves de l'école et leurs généralités.",
    "yo": "Ọmọ náà ń ṣeré ní ìta, ó sì fẹ́ràn ọkọ̀ ojú omi.",
    "ja": "東京都の図書館で猫の本を読みました。データベースも使います。",
    "zh": "我们在北京大学研究机器学习。",
    "ar": "ذهبتِ المُعلِّمات إلى المدرسة الكبيرة مع الأولاد.",
    "ru": "Дети читали интересные книги ещё вчера.",
    "th": "ฉันรักประเทศไทยและอาหารไทย",
    "ko": "학교에서 친구들과 점심을 먹었습니다.",
    "hi": "बच्चे किताबें पढ़ रहे हैं।",
    "el": "Τα παιδιά διαβάζουν βιβλία.",
}


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("university experiment", "en"),
        ("run mouse experiments", "en"),
        ("Haus", "de"),
        ("Häuser", "de"),
        ("HÄUSER", "de"),
        ("Strasse", "de"),
        ("die Einwohner der Häuser", "de"),
        ("homme", "fr"),
        ("l’école des élèves", "fr"),
        ("eleves", "fr"),
        ("generalites", "fr"),
        ("ọmọ", "yo"),
        ("omo", "yo"),
        ("ọkọ̀", "yo"),
        ("O\u0323ko\u0323\u0300", "yo"),
        ("猫", "ja"),
        ("図書館", "ja"),
        ("ﾃﾞｰﾀﾍﾞｰｽ", "ja"),
        ("机器学习", "zh"),
        ("مدرسة", "ar"),
        ("المدرســـة", "ar"),
        ("معلمات", "ar"),
        ("اولاد", "ar"),
        ("والمدرسة", "ar"),
        ("книга", "ru"),
        ("еще", "ru"),
        ("อาหาร", "th"),
        ("학교", "ko"),
        ("किताबें", "hi"),
        ("βιβλίων", "el"),
    ],
)
def test_a_query_finds_the_document_of_its_language_first(query: str, language: str) -> None:
    found = dict(zip(DOCUMENTS, scores(list(DOCUMENTS.values()), query), strict=True))
    assert max(found, key=lambda name: found[name]) == language
    assert found[language] > 0


@pytest.mark.parametrize("query", ["zebra", "犬", "مستشفى", "ilé-ìwé gíga", "Krankenhaus", "больница"])
def test_what_no_document_says_is_not_found(query: str) -> None:
    assert max(scores(list(DOCUMENTS.values()), query)) == 0.0


def test_the_spelling_asked_for_comes_first() -> None:
    documents = ["ọkọ̀ ni", "ọkọ ni", "oko ni"]
    husband = scores(documents, "ọkọ")
    assert max(husband) == husband[1]
    assert min(scores(documents, "oko")) > 0


def test_a_language_that_is_given_is_used() -> None:
    document = weights(ENCODER.encode_document("Häusern", "de"))
    assert document == weights(ENCODER.encode_document("Haus", "German"))
    assert document != weights(ENCODER.encode_document("Häusern", "fi"))
    assert weights(ENCODER.encode_query("Häuser", "de-AT")).keys() & document.keys()


def test_weights_are_bm25s() -> None:
    encoder = Bm25Encoder(k1=1.2, b=0.75, average_length=10)
    found = weights(encoder.encode_document("sieve sieve mesh", "none"))
    norm = 1.2 * (0.25 + 0.75 * 3 / 10)
    assert found[term_id("sieve")] == pytest.approx(2 * 2.2 / (2 + norm))
    assert found[term_id("mesh")] == pytest.approx(1 * 2.2 / (1 + norm))


def test_a_query_counts_its_terms_and_leaves_stop_words_out() -> None:
    assert sorted(weights(ENCODER.encode_query("the mesh of the mesh of the sieve")).values()) == [1.0, 2.0]
    assert len(weights(ENCODER.encode_query("to be or not to be"))) > 0
    assert len(weights(ENCODER.encode_query(""))) == len(weights(ENCODER.encode_document(" \n"))) == 0


def test_clitics_and_numbers() -> None:
    assert (
        scores(["O'Neill's 3.14 can't fail"], "oneill 3.14 fail")[0] > scores(["O'Neill's 3.14 can't fail"], "fail")[0]
    )
    assert max(scores(["version 3.14"], "3 14")) == 0.0


@given(st.text(max_size=80))
def test_vectors_are_well_formed_and_repeatable(text: str) -> None:
    for encode in (ENCODER.encode_document, ENCODER.encode_query):
        sparse = encode(text)
        assert (np.diff(sparse.indices.astype(np.int64)) > 0).all()
        assert (sparse.values > 0).all()
        assert weights(sparse) == weights(encode(text))


@given(st.lists(st.sampled_from(list(DOCUMENTS.values())), min_size=1, max_size=3).map(" ".join))
def test_every_document_is_found_by_itself(text: str) -> None:
    asked = weights(ENCODER.encode_query(text))
    assert asked.keys() & weights(ENCODER.encode_document(text)).keys()


def test_term_ids_never_change() -> None:
    assert [term_id("sieve"), term_id("猫")] == [896711364, 1190431910]


def test_threads_agree() -> None:
    texts = list(DOCUMENTS.values()) * 5
    expected = [weights(ENCODER.encode_document(text)) for text in texts]
    fresh = Bm25Encoder()
    with ThreadPoolExecutor(8) as pool:
        assert [weights(sparse) for sparse in pool.map(fresh.encode_document, texts)] == expected
