"""The literature's numbers: those of the papers, where they belong, and nowhere in our statistics."""

import made_up
import pytest

from genbench.records.store import Store
from genbench.registry import datasets
from genbench.report import published
from genbench.report.frame import frame
from genbench.report.sentence import sentence
from genbench.report.table import tables
from genbench.scoring.protocols import protocol as protocol_named

PLACES = sorted({(entry.dataset, entry.protocol) for entry in published.printed()})


def value(method, dataset, protocol, metric):
    (row,) = [row for row in published.rows(dataset, protocol, [metric]) if row.label == method]
    return tuple(row.cells[metric].published), row.finished, row.source


@pytest.mark.parametrize(
    ("place", "number"),
    [
        (("PacGAN2", "grid25", "pacgan2018", "hq"),
         ((0.913, 0.008, "standard error"), 10, "arXiv:1712.04086, table 1")),
        (("GAN", "ring8", "pacgan2018", "reverse_kl"),
         ((0.45, 0.09, "standard error"), 10, "arXiv:1712.04086, table 1")),
        (("GAN", "ring8", "veegan2017", "modes"), ((1.0, None, None), 5, "arXiv:1705.07761, table 1")),
        (("VEEGAN", "grid25", "veegan2017", "hq"), ((0.4, None, None), 5, "arXiv:1705.07761, table 1")),
        (("PacDCGAN2", "stacked-mnist", "stacked-mnist1", "reverse_kl"),
         ((0.06, 0.003, "standard error"), 10, "arXiv:1712.04086, table 2")),
        (("WGAN-GP", "stacked-mnist-fixed", "meg2019", "modes"), ((959.0, None, None), 0, "arXiv:1901.08508")),
        (("EnGAN (MEG)", "stacked-mnist-fixed", "meg2019", "reverse_kl"),
         ((0.0313, None, None), 0, "arXiv:1901.08508")),
        (("WGAN-GP", "mnist", "mnist1", "fid"), ((20.3, 5.0, "standard deviation"), 50, "arXiv:1711.10337")),
        (("WGAN-GP", "celeba", "celeba1", "fid"), ((30.0, 1.0, "standard deviation"), 50, "arXiv:1711.10337")),
    ],
    ids=str,
)  # fmt: skip
def test_numbers_are_the_papers(place, number):
    assert value(*place) == number


def test_a_method_of_two_papers_has_a_row_of_each():
    rows = published.rows("stacked-mnist", "stacked-mnist1", ["modes_any"])
    assert [(row.source, row.cells["modes_any"].published.value) for row in rows if row.label == "DCGAN"] == [
        ("arXiv:1705.07761, table 2", 99.0),
        ("arXiv:1712.04086, table 2", 78.9),
    ]


@pytest.mark.parametrize(("dataset", "protocol"), PLACES)
def test_every_number_belongs_to_a_dataset_and_a_column_that_there_are(dataset, protocol):
    assert datasets.label(dataset) == dataset
    columns = protocol_named(protocol).columns
    entries = [entry for entry in published.printed() if (entry.dataset, entry.protocol) == (dataset, protocol)]
    assert {entry.metric for entry in entries} <= set(columns)


def test_shares_are_fractions_and_spreads_have_a_kind():
    entries = published.printed()
    assert all(0 <= entry.value <= 1 for entry in entries if entry.metric == "hq")
    assert all((entry.spread is None) is (entry.spread_kind == "none") for entry in entries)
    keys = [(entry.method, entry.dataset, entry.protocol, entry.metric, entry.source) for entry in entries]
    assert len(set(keys)) == len(keys)


@pytest.fixture
def read(tmp_path):
    """The only table under a protocol of a trainer with five seeds on ring8, scored under three."""
    for seed in range(5):
        found = [
            score
            for protocol, n in (("genbench1", 10_000), ("pacgan2018", 2_500), ("veegan2017", 2_500))
            for score in made_up.scores({"modes": 8.0, "reverse_kl": 0.1 + seed / 100}, protocol=protocol, n=n)
        ]
        made_up.put(tmp_path, made_up.trial(seed=seed), found)
        made_up.put(tmp_path, made_up.trial("wgan", seed=seed), found)
    return lambda protocol: tables(frame(Store(tmp_path), "made-up"), protocol)[0]


@pytest.mark.parametrize(
    ("protocol", "methods"),
    [
        (protocol_named("pacgan2018"), ["GAN", "ALI", "PacGAN2", "PacGAN3", "PacGAN4"]),
        (protocol_named("veegan2017"), ["GAN", "ALI", "Unrolled GAN", "VEEGAN"]),
        (protocol_named("genbench1"), []),
    ],
    ids=lambda of: getattr(of, "name", ""),
)
def test_they_follow_the_rows_of_ours_under_their_own_protocol(protocol, methods, read):
    table = read(protocol)
    kinds = [row.kind for row in table.rows]
    assert kinds == ["trainer", "trainer", *["published"] * len(methods)]
    assert [row.label for row in table.rows[2:]] == methods
    assert all(row.cells.keys() <= {column.name for column in table.columns} for row in table.rows)


def test_they_take_no_part_in_statistics(read):
    table = read(protocol_named("pacgan2018"))
    printed = [row for row in table.rows if row.kind == "published"]
    assert all(not cell.letters and cell.interval is None and not cell.values for row in printed
               for cell in row.cells.values())  # fmt: skip
    assert set(table.findings["reverse_kl"]) == {frozenset(("gan", "wgan"))}
    assert "PacGAN" not in sentence(table)


def test_headline_leaves_out_a_published_row_that_has_no_number_in_it(tmp_path):
    of = made_up.trial(dataset="mnist")
    made_up.put(tmp_path, of, made_up.scores({"fid": 5.0, "modes": 10.0}, protocol="mnist1"))
    (table,) = tables(frame(Store(tmp_path), "made-up"), protocol_named("mnist1"))
    assert [row.label for row in table.rows] == ["gan", "NS-GAN", "WGAN", "WGAN-GP"]
    assert [row.label for row in table.headline().rows] == ["gan"]


def test_no_column_no_row(tmp_path):
    of = made_up.trial(dataset="mnist")
    made_up.put(tmp_path, of, made_up.scores({"modes": 10.0}, protocol="mnist1"))
    (table,) = tables(frame(Store(tmp_path), "made-up"), protocol_named("mnist1"))
    assert [row.label for row in table.rows] == ["gan"]


@pytest.mark.parametrize("dataset", ["celeba[size=32]", "mnist[size=64]"])
def test_other_data_is_not_held_against_them(dataset):
    for protocol in ("celeba1", "celeba1-small", "mnist1"):
        assert published.rows(dataset, protocol, ["fid"]) == ()
