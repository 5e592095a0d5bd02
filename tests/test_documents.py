"""Pages that scripts write are what those write of the committed records."""

import importlib
from pathlib import Path

import pandas as pd
import pytest

from genbench.references import Reference
from genbench.registry import trainers
from genbench.report.method_cards import OFTEN, cards
from genbench.suites import toys

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
    assert [question.title for question in settled.QUESTIONS if question.suite in there and not question.answer] == []


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
