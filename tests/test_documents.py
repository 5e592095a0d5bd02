"""Pages that scripts write are what those write of the committed records."""

import importlib
from itertools import combinations
from pathlib import Path
from statistics import median

import pandas as pd
import pytest

from genbench.references import Reference
from genbench.registry import trainers
from genbench.report.method_cards import OFTEN, cards
from genbench.stats import LEVEL
from genbench.suites import toys
from genbench.suites.literature import ABLATION, CROSSED, PACGAN

ROOT = Path(__file__).parent.parent


@pytest.fixture
def script(monkeypatch):
    """`script(name)`: a script of results/ as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "results"))
    return importlib.import_module


def test_what_is_settled_is_what_the_records_say(script):
    settled = script("settled")
    assert settled.DOCUMENT.read_text(encoding="utf-8") == settled.document()


def test_a_question_whose_records_are_there_is_answered(script):
    settled = script("settled")
    there = settled.REFERENCE.suites()
    assert [question.title for question in settled.QUESTIONS if question.suite in there and not question.answer()] == []


@pytest.fixture
def said(script):
    """`said(suite, dataset)`: what records say."""
    return script("said").Said


def told(of, column, one, other):
    """Whether the records tell two trainers apart, and if so, which has more of a column."""
    if of.p(column, one, other) > LEVEL:
        return None
    return max((one, other), key=lambda label: median(of.values(label, column)))


def test_packs_beat_a_gan_on_the_grid_are_alike_there_and_the_largest_is_behind_on_the_ring(said):
    """What docs/settled.md says in words of PacGAN's order."""
    ring, grid = said("pacgan2018-table1", "ring8"), said("pacgan2018-table1", "grid25")
    gan, *packs = PACGAN
    for pack in packs:
        assert told(grid, "modes", gan, pack) == pack
        assert told(grid, "reverse_kl", gan, pack) == gan
    for one, other in combinations(packs, 2):
        assert told(grid, "modes", one, other) is told(grid, "reverse_kl", one, other) is None
    two, _, four = packs
    assert {told(ring, column, gan, two) for column in ("modes", "reverse_kl")} == {None}
    for better in (gan, two):
        assert told(ring, "modes", better, four) == better
        assert told(ring, "reverse_kl", better, four) == four
    assert [set(ring.values(label, "modes")) for label in (gan, two)] == [{8}] * 2


def test_networks_make_the_rows_of_two_papers_differ(said):
    """What docs/settled.md says in words of the crossing."""
    ring, grid = said("gan-crossed", "ring8"), said("gan-crossed", "grid25")
    pacgans, pacgans_faster, veegans_slower, veegans, metzs_slower, metzs = CROSSED
    assert median(ring.values(veegans, "modes")) == 1
    assert set(said("gan-crossed", "ring8", "genbench1").values(veegans, "modes")) == {0}
    for of in (ring, grid):
        for before, after in ((pacgans, veegans_slower), (pacgans_faster, veegans)):
            assert of.gained("modes", [before], [after]).value < -3
        for before, after in ((veegans_slower, metzs_slower), (veegans, metzs)):
            assert of.gained("modes", [before], [after]).low > 0
        slower = of.gained("modes", [veegans_slower], [veegans])
        assert slower.low < 0 < slower.high
    assert ring.gained("modes", [pacgans], [pacgans_faster]).high < 0 < grid.gained(
        "modes", [pacgans], [pacgans_faster]
    ).low  # fmt: skip


def test_r1_alone_covers_the_grid_and_costs_modes_of_a_hundred(said):
    """What docs/settled.md says in words of the penalties."""
    grid, many = said("rpgan-ablation", "grid25"), said("rpgan-ablation", "grid100")
    plain, gan_r1, gan_both, paired, rpgan_r1, rpgan_both = ABLATION
    for label in (gan_r1, gan_both, rpgan_r1, rpgan_both):
        assert grid.having(label, "modes", 25) >= 9
    assert told(grid, "modes", plain, paired) is None
    assert many.gained("modes", [plain, paired], [gan_r1, rpgan_r1]).high < 0


@pytest.fixture
def search(script, monkeypatch):
    """The search's script."""
    monkeypatch.syspath_prepend(str(ROOT / "results" / "search"))
    return script("toy2d")


def test_cards_and_their_page_are_what_records_and_search_say(script):
    written = script("cards")
    measured = written.measured()
    assert list(cards().values()) == measured
    assert written.DOCUMENT.read_text(encoding="utf-8") == written.document(measured)


def test_a_card_says_why_modes_of_the_ring_are_missed():
    assert [name for name, card in cards().items() if card.on("ring8").covered_share < OFTEN and card.why is None] == []


def test_the_answer_on_the_first_page_is_what_the_cards_say(script):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    written = script("cards")
    assert written.answer(list(cards().values())) in text
    assert written.answered(text, list(cards().values())) == text


def test_defaults_are_the_best_that_the_search_found(search):
    rows = pd.read_csv(search.TABLE)
    assert search.missing(rows) == []
    ranked = [Reference.parse(text) for text in search.summarise(rows).trainer]
    best = {tried.name: tried.parameters for tried in reversed(ranked)}
    assert best.keys() == set(toys.EVERY)
    for name, parameters in best.items():
        defaults, found = (trainers[name].resolve(given) for given in ({}, parameters))
        assert defaults == found
