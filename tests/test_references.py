"""References are read as people type them, and written so that they are read the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench import registry
from genbench.errors import BadParameter
from genbench.references import Reference, parse_value, split_references

NAMES = st.from_regex(registry.NAME, fullmatch=True)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
WORDS = st.from_regex(r"[A-Za-z_./:-]{1,12}", fullmatch=True).filter(lambda text: parse_value(text) is text)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | FLOATS | WORDS
REFERENCES = st.builds(Reference, NAMES, st.dictionaries(KEYS, VALUES, max_size=4))


@given(REFERENCES)
def test_reference_round_trip(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(st.lists(REFERENCES, max_size=4))
def test_split_undoes_join(references: list[Reference]) -> None:
    assert list(map(Reference.parse, split_references(",".join(map(str, references))))) == references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gan", Reference("gan")),
        (" gan [ lr = 1e-3 , width=3 ] ", Reference("gan", {"lr": 1e-3, "width": 3})),
        ("gan[]", Reference("gan")),
        ("gan[smoothing=True,clip=none]", Reference("gan", {"smoothing": True, "clip": None})),
        ("mixture[path=a/b.csv]", Reference("mixture", {"path": "a/b.csv"})),
    ],
)
def test_reference_grammar(text: str, expected: Reference) -> None:
    assert Reference.parse(text) == expected


@pytest.mark.parametrize("text", ["", "[lr=1]", "gan[lr=1", "gan lr=1]", "gan[lr=1]x", "gan gan"])
def test_reference_that_is_none_says_how_to_write_one(text: str) -> None:
    with pytest.raises(BadParameter, match=r"Write name or name\[key=value"):
        Reference.parse(text)


@pytest.mark.parametrize("pair", ["lr", "lr=", "=1"])
def test_half_a_parameter_says_how_to_write_one(pair: str) -> None:
    with pytest.raises(BadParameter, match=rf"'{pair}' in .* Write gan\[key=value\]"):
        Reference.parse(f"gan[{pair}]")


def test_parameter_given_twice_is_refused() -> None:
    with pytest.raises(BadParameter, match="gives lr twice"):
        Reference.parse("gan[lr=1,lr=2]")
