"""Published numbers beside ours: the right ones, judged by means, and honest about budgets and failures."""

from dataclasses import replace

import made_up
import pytest

from genbench.records.store import Store
from genbench.registry import trainers
from genbench.report import published
from genbench.report.formats import markdown
from genbench.report.formats.beside import blocks
from genbench.report.frame import frame
from genbench.report.literature import held, shares
from genbench.report.model import Cell, Row
from genbench.report.table import tables
from genbench.scoring.protocols import protocol as protocol_named
from genbench.stats.means import Mean

GAN = "gan[recipe=pacgan2018]"


@pytest.fixture
def read(tmp_path):
    """The table of ring8 under PacGAN's protocol where GAN's seeds captured so many modes; None failed."""

    def table(*modes, budget="steps=10000", trainer=GAN):
        for seed, captured in enumerate(modes):
            of = made_up.trial(trainer, seed=seed, budget=budget)
            if captured is None:
                made_up.put(tmp_path, of, status="diverged", reason="a loss was nan")
            else:
                scores = made_up.scores({"modes": float(captured)}, protocol="pacgan2018", n=2_500)
                made_up.put(tmp_path, of, scores)
        return tables(frame(Store(tmp_path), "made-up"), protocol_named("pacgan2018"))[0]

    return table


@pytest.mark.parametrize(
    ("modes", "agrees"),
    [
        ((6, 6, 7, 5, 7, 6, 8, 6, 5, 7), "may agree"),  # as printed: 6.3 ± .5
        ((8,) * 10, "ours more"),
        ((1, 2, 1, 1, 1, 2, 1, 1, 1, 1), "ours less"),
        ((6, 6, 7, None, 7, 6, 8, 6, 5, 7), "can't be told"),
        ((6,), "can't be told"),
    ],
    ids=str,
)
def test_agrees_where_chance_could_have_made_the_difference(modes, agrees, read):
    (found,) = held(read(*modes))
    assert (found.printed.method, found.printed.value, found.agrees) == ("GAN", 6.3, agrees)


def test_the_mean_of_survivors_is_never_shown(read):
    (found,) = held(read(8, 8, None, 8, 8))
    assert (found.ours, found.away, found.lost) == (None, None, 1)
    (block,) = blocks(read(8, 8, None, 8, 8))
    assert "no value in 1 of 5 runs" in block.rows[0]


def test_another_recipe_is_not_held_against_the_paper(read):
    assert held(read(6, 7, 6, trainer="gan")) == ()


def test_says_which_share_of_the_papers_training_ours_is(read):
    assert list(shares(held(read(6, 7, 6)))) == [
        f"{GAN} was trained 0.025 times as long as in arXiv:1712.04086, table 1: this is no reproduction."
    ]


def test_as_long_as_the_paper_needs_no_word(read):
    assert list(shares(held(read(6, 7, 6, budget="steps=400000")))) == []


def test_markdown_shows_it_below_the_table(read):
    text = markdown([read(6, 7, 6, 6, 7)])
    assert "| GAN, arXiv:1712.04086, table 1 | modes | 6.3 ±0.5 SE |" in text
    assert text.index("**ring8, steps=10000: published and ours**") > text.index("| GAN | 10 runs")


def test_trainers_named_beside_published_numbers_are_there_in_their_shortest_form():
    named = {number.trainer for number in published.printed() if number.trainer}
    assert named
    assert named == {trainers.label(name) for name in named}


def test_counts_end_where_there_is_no_more(read):
    """The truth has all eight modes in every draw: no interval goes beyond them."""
    found = read(8, 8, 7, 8, 8, 8)
    assert held(found)[0].ours.high > 8
    assert held(beside(found, 8, 8, 8))[0].ours.high == 8
    assert held(beside(found, 8, 7, 8))[0].ours.high > 8


def test_all_that_there_is_printed_without_a_spread_is_exact(read, monkeypatch):
    """Runs that have eight of eight on average have eight each, and don't vary as ours do."""
    number = published.printed()[0]
    whole = [
        number.model_copy(update={"value": value, "spread": None, "spread_kind": "none", "trainer": GAN})
        for value in (8.0, 7.0)
    ]
    monkeypatch.setattr(published, "of", lambda *place: iter(whole))
    exact, borrowed = held(beside(read(8, 8, 5, 8, 7, 6), 8, 8, 8))
    ours = Mean.of([8.0, 8.0, 5.0, 8.0, 7.0, 6.0]).interval()
    assert exact.away.high - exact.away.low == pytest.approx(ours.high - ours.low)
    assert borrowed.away.high - borrowed.away.low > exact.away.high - exact.away.low


def beside(table, *modes):
    """The table with the oracle's draws in it."""
    oracle = Row("control", "oracle", {"modes": Cell.of(dict(enumerate(map(float, modes))), True)}, 3, 3)
    return replace(table, rows=(*table.rows, oracle))


def test_a_standard_deviation_is_turned_into_an_error_of_the_mean():
    number = next(each for each in published.printed() if each.spread_kind == "standard deviation")
    assert number.mean.error == pytest.approx(number.spread / number.runs**0.5)
    assert number.model_copy(update={"runs": None}).mean.error is None
