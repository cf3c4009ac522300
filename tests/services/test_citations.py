"""Citations are of documents that were shown, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.model.agent_session import Shown
from tamis.services.agents.citations import cited

KNOWN = {f"D{number}": Shown(f"D{number}", f"doc_{number}", "col", "ret", "exec", 1.0) for number in (1, 2, 3)}


def test_what_was_not_shown_is_taken_out_and_named() -> None:
    found = cited("Yes [D1], no [D9]. Both [D2, D8; D3]. [see D1] [] [D]", [" D3 ", "[D7]"], KNOWN)
    assert found.text == "Yes [D1], no [?]. Both [D2, D3]. [see D1] [] [D]"
    assert cited("[D[D9]7]", [], KNOWN).text == "[D[?]7]"
    assert [one.label for one in found.citations] == ["D1", "D2", "D3"]
    assert found.unknown == ("D9", "D8", "D7")


@given(
    st.text(alphabet="D0123456789[],; ab", max_size=300), st.lists(st.text(alphabet="D0123 []", max_size=5), max_size=5)
)
def test_no_text_brings_a_citation_of_something_else(text: str, named: list[str]) -> None:
    found = cited(text, named, KNOWN)
    assert {one.label for one in found.citations} <= set(KNOWN)
    assert not set(found.unknown) & set(KNOWN)
    assert cited(found.text, [], KNOWN).unknown == ()
