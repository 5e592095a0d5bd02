"""Pages that scripts write are what those write of the committed records."""

import importlib
from itertools import combinations, product
from pathlib import Path
from statistics import median

import pandas as pd
import pytest

from genbench.references import Reference
from genbench.registry import trainers
from genbench.report.literature import held
from genbench.report.method_cards import OFTEN, cards
from genbench.stats import LEVEL
from genbench.suites import toys
from genbench.suites.literature import ABLATION, CROSSED, OTHERWISE, PACGAN, VEEGAN, stacked_mnist_meg

ROOT = Path(__file__).parent.parent


@pytest.fixture
def script(monkeypatch):
    """`script(name)`: a script of results/, or of its search, as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "results" / "search"))
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


def test_of_veegans_table_counts_come_out_and_samples_do_not(said):
    """What docs/settled.md says in words of VEEGAN's rows, by the column that holds them against the paper's."""
    gan, _, veegan = VEEGAN
    verdicts = {}
    for dataset in ("ring8", "grid25"):
        for each in held(said("veegan2017-table1", dataset).table):
            if each.printed.metric == "modes":
                verdicts[each.printed.method, dataset] = each.agrees
    assert verdicts["Unrolled GAN", "ring8"] == verdicts["GAN", "ring8"] == verdicts["GAN", "grid25"] == "may agree"
    assert (
        verdicts["Unrolled GAN", "grid25"] == verdicts["VEEGAN", "ring8"] == verdicts["VEEGAN", "grid25"] == "ours less"
    )
    ring, ours = said("veegan2017-table1", "ring8"), said("veegan2017-table1", "ring8", "genbench1")
    for label in (gan, veegan):
        assert median(ring.values(label, "hq")) < median(ring.values("noise", "hq"))
    assert median(ours.values(gan, "w2")) > median(ours.values("noise", "w2"))


def test_first_weights_and_a_layer_move_veegans_rows(said):
    """The same networks otherwise: what they move is more than what the methods differ by."""
    for dataset in ("ring8", "grid25"):
        of = said("veegan2017-table1", dataset)
        gan, _, veegan = VEEGAN
        apart = of.gained("modes", [gan], [veegan]).value
        for label, other in zip((gan, veegan), OTHERWISE, strict=True):
            moved = of.gained("modes", [label], [other])
            assert moved.low > 0 and moved.value > apart


def test_networks_and_noise_part_the_rows_of_two_papers(said):
    """What docs/settled.md says in words of the crossing."""
    ring, grid = said("gan-crossed", "ring8"), said("gan-crossed", "grid25")
    pacgans, pacgans_faster, veegans_slower, veegans, metzs_slower, metzs = CROSSED
    for dataset in ("ring8", "grid25"):
        theirs, other = said("pacgan2018-table1", dataset), said("veegan2017-table1", dataset)
        assert theirs.gained("modes", [veegans], [pacgans], other).low > 0
    assert set(said("gan-crossed", "ring8", "genbench1").values(veegans, "modes")) == {0}
    assert ring.having(veegans, "modes", 8) == 1
    for of in (ring, grid):
        assert of.gained("modes", [pacgans], [veegans_slower]).high < 0
        for before, after in ((veegans_slower, metzs_slower), (veegans, metzs)):
            assert of.gained("modes", [before], [after]).low > 0
    assert ring.gained("modes", [pacgans], [pacgans_faster]).high < 0
    assert grid.gained("modes", [pacgans], [pacgans_faster]).low > 0
    assert ring.gained("modes", [metzs_slower], [metzs]).low > 0
    assert median(ring.values(veegans, "hq")) < median(ring.values("noise", "hq"))


def test_r1_alone_covers_the_grid_and_costs_modes_of_a_hundred(said):
    """What docs/settled.md says in words of the penalties."""
    grid, many = said("rpgan-ablation", "grid25"), said("rpgan-ablation", "grid100")
    plain, gan_r1, gan_both, paired, rpgan_r1, rpgan_both = ABLATION
    for label in (gan_r1, gan_both, rpgan_r1, rpgan_both):
        assert grid.having(label, "modes", 25) >= 9
    assert told(grid, "modes", plain, paired) is None
    assert many.gained("modes", [plain, paired], [gan_r1, rpgan_r1]).high < 0
    assert many.gained("modes_any", [plain, paired], [gan_r1, rpgan_r1]).low > 0
    assert many.gained("w2", [plain, paired], [gan_r1, rpgan_r1]).high < 0


def test_a_wgan_gp_has_more_modes_of_stacked_digits_than_are_printed(said):
    of = said("stacked-mnist-meg", "stacked-mnist-fixed")
    (ours,) = stacked_mnist_meg().trainers
    assert min(of.values(ours, "modes")) > float(of.printed("WGAN-GP", "modes"))
    assert max(of.values(ours, "reverse_kl")) < float(of.printed("WGAN-GP", "reverse_kl"))


def test_packing_spreads_samples_out(said):
    gan, *packs = PACGAN
    for dataset in ("ring8", "grid25"):
        of = said("pacgan2018-table1", dataset, "genbench1")
        assert all(told(of, "w2", gan, pack) == gan for pack in packs)


def test_penalties_help_on_25_gaussians_and_not_on_a_hundred_or_the_roll(said):
    """What docs/methods.md says in words of all methods."""
    grid, many, roll = (said("toy2d-extended", dataset) for dataset in ("grid25", "grid100", "swissroll"))
    for penalised in ("wgan-gp", "r1", "rpgan"):
        assert told(grid, "modes", "gan", penalised) == penalised
        assert told(roll, "reverse_kl", "gan", penalised) == penalised
    for penalised, plain in product(("r1", "rpgan", "dragan"), ("gan", "lsgan", "hinge")):
        assert told(many, "modes", plain, penalised) is None
    widths = {row.label: row.cell("std_ratio").values for row in grid.table.trainers}
    ring = {row.label: row.cell("std_ratio").values for row in said("toy2d-extended", "ring8").table.trainers}
    assert [name for name in widths if name in ring and covers(widths[name]) and covers(ring[name])] == ["nsf"]


def covers(ratios):
    """Whether modes are as wide as the truth's in every seed, to a twentieth."""
    return len(ratios) == 10 and all(0.95 <= ratio <= 1.05 for ratio in ratios)


@pytest.mark.parametrize(
    ("name", "group"),
    [("wgan-gp", "all"), ("nsf", "all"), ("sngan", "half"), ("gan", "collapses"), ("hinge", "collapses"),
     ("unrolled", "collapses"), ("wgan", "may collapse"), ("ali", "may collapse"), ("vae", "blurs"), ("ddpm", "blurs")],
)  # fmt: skip
def test_the_answer_groups_trainers_by_how_their_seeds_end(name, group, script, said):
    written = script("cards")
    assert written.group(cards()[name]) == group
    grid = said("toy2d-extended", "grid25")
    empty = sum(modes < 25 for modes in grid.values(name, "modes_any"))
    assert {"collapses": empty > 5, "may collapse": 0 < empty <= 5}.get(group, empty == 0)


@pytest.fixture
def search(script):
    """The search's script."""
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
