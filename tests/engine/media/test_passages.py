"""Speech cut into passages and along shots: nothing said is lost, nothing said twice."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.media.passages import aligned, noted, passages
from tamis.model.media_sound import Transcript, Utterance, Word


def said(*utterances: tuple[float, str]) -> Transcript:
    """Each begins at its time; a word takes half a second."""
    made = []
    for start_s, text in utterances:
        words = tuple(Word(one, start_s + n / 2, start_s + n / 2 + 0.4, 0.9) for n, one in enumerate(text.split()))
        made.append(Utterance(text, words[0].start_s, words[-1].end_s, words))
    return Transcript(tuple(made), "en", 1.0)


def test_utterances_are_packed_until_they_are_long_or_a_pause_comes() -> None:
    talk = said((0, "one two."), (1.2, "three four."), (2.4, "five six."), (9, "seven."))
    assert [one.text for one in passages(talk, 3.0, 2.0)] == ["one two. three four.", "five six.", "seven."]
    assert [one.text for one in passages(talk, 60.0, 60.0)] == ["one two. three four. five six. seven."]
    [_, last] = passages(talk, 60.0, 2.0)
    assert (last.start_s, last.end_s) == (9.0, 9.4)
    assert passages(Transcript((), "en", 0.0), 30, 1) == []


def test_what_is_said_in_one_breath_is_cut_after_a_sentence_that_fits() -> None:
    talk = said((0, "a b. c d e f g"))
    assert [one.text for one in passages(talk, 2.0, 1.0)] == ["a b.", "c d e f", "g"]


@given(
    st.lists(st.tuples(st.floats(0, 3), st.lists(st.sampled_from(["yes", "no."]), min_size=1, max_size=8)), max_size=8),
    st.floats(0.1, 5),
    st.floats(0.1, 3),
)
def test_every_word_is_in_one_passage(parts: list[tuple[float, list[str]]], longest_s: float, pause_s: float) -> None:
    now, talk = 0.0, []
    for gap, words in parts:
        now += gap
        talk.append((now, " ".join(words)))
        now += len(words) / 2
    transcript = said(*talk)
    every = [word for one in transcript.utterances for word in one.words]
    found = passages(transcript, longest_s, pause_s)
    assert [word for one in found for word in one.words] == every
    assert all(len(one.words) == 1 or one.end_s - one.start_s <= longest_s + 1e-9 for one in found)
    spans = [(at, at + 700) for at in range(0, 20_000, 700)]
    assert [word for part in aligned(transcript, spans) for word in part] == every


def test_words_go_to_the_shot_that_they_are_said_in() -> None:
    talk = said((0, "first here"), (2, "second"), (90, "late"))
    spans = [(0, 1000), (1000, 1500), (1500, 3000)]
    assert [[word.text for word in words] for words in aligned(talk, spans)] == [
        ["first", "here"],
        [],
        ["second", "late"],
    ]
    assert aligned(talk, []) == []
    assert noted(talk.utterances[1].words) == [{"text": "second", "start_ms": 2000, "end_ms": 2400, "probability": 0.9}]
