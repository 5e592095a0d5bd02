"""References are read as people type them, and written so that they are read the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench import registry
from genbench.errors import BadParameter
from genbench.references import Reference, parse_value, split_references

NAMES = st.from_regex(registry.NAME, fullmatch=True)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
WORDS = st.text(max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | st.integers(-(10**18), 10**18) | FLOATS | WORDS
REFERENCES = st.builds(Reference, NAMES, st.dictionaries(KEYS, VALUES, max_size=4))


def read(text: str, like: Reference) -> Reference:
    """A parsed reference whose values are read as those of another are."""
    parsed = Reference.parse(text)
    values = {
        key: str(written) if isinstance(like.parameters.get(key), str) else parse_value(str(written))
        for key, written in parsed.parameters.items()
    }
    return Reference(parsed.name, values)


@given(REFERENCES)
def test_reference_round_trip(reference: Reference) -> None:
    assert read(str(reference), reference) == reference


@given(st.lists(REFERENCES, max_size=4))
def test_split_undoes_join(references: list[Reference]) -> None:
    texts = split_references(",".join(map(str, references)))
    assert [read(text, reference) for text, reference in zip(texts, references, strict=True)] == references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gan", Reference("gan")),
        (" gan [ lr = 1e-3 , width=3 ] ", Reference("gan", {"lr": "1e-3", "width": "3"})),
        ("gan[]", Reference("gan")),
        ("mixture[path=a/b.csv]", Reference("mixture", {"path": "a/b.csv"})),
        ("mixture[path=a[1]/b.csv,std=1]", Reference("mixture", {"path": "a[1]/b.csv", "std": "1"})),
        ("mixture[path= 'a, b.csv' ,std=1]", Reference("mixture", {"path": "a, b.csv", "std": "1"})),
        ('mixture[path="a ""b"" [c.csv"]', Reference("mixture", {"path": 'a "b" [c.csv'})),
        ("mixture[path='it''s, ].csv']", Reference("mixture", {"path": "it's, ].csv"})),
        ("mixture[path=it's.csv]", Reference("mixture", {"path": "it's.csv"})),
        ('mixture[path=""]', Reference("mixture", {"path": ""})),
        ("mixture[path=a=b]", Reference("mixture", {"path": "a=b"})),
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


@pytest.mark.parametrize("value", ["a]b", "a[b", "][", "'a", '"a" b', "'a'b'"])
def test_value_whose_quotes_or_brackets_do_not_pair_is_refused(value: str) -> None:
    with pytest.raises(BadParameter, match=r"The value of path can't be told .* Put it in quotes: path="):
        Reference.parse(f"images[path={value}]")


def test_half_of_a_value_with_a_comma_tells_of_quotes() -> None:
    with pytest.raises(BadParameter, match=r"'b' in .* a value with a comma in quotes"):
        Reference.parse("images[path=a,b]")


@pytest.mark.parametrize("path", ["a[1].csv", "a[b[c]].csv", "it's", "a=b", "x y"])
def test_value_that_needs_no_quotes_has_none(path: str) -> None:
    assert str(Reference("images", {"path": path})) == f"images[path={path}]"


@given(st.dictionaries(KEYS, st.text(alphabet="=\"'[], a", max_size=4), max_size=3))
def test_texts_of_signs_alone_are_read_as_they_were(parameters: dict[str, str]) -> None:
    reference = Reference("x", parameters)
    assert read(str(reference), reference) == reference
