"""The page: one file, complete, escaped, the same every time, and asking nothing of any host."""

import re

import made_up
import numpy as np
import pandas as pd
import pytest
import torch

from genbench.records.store import Store
from genbench.registry import panels
from genbench.report.content import Content
from genbench.report.page import page
from genbench.report.page.render import anchor, prose
from genbench.scoring import power_cards
from genbench.scoring.power_cards import Card, Effect

ODD = 'gan[note=<script>alert("x")</script>&amp;]'
PANELS = ["verdict", "tables", "scores", "curves", "budgets", "pictures", "metrics", "trials", "provenance"]


def curve(seed, last=0.1):
    return pd.DataFrame(
        {
            "protocol": "genbench1",
            "steps": [10, 20, 40],
            "updates": [20, 40, 80],
            "samples": [100, 200, 400],
            "seconds": [0.1, 0.2, 0.4],
            "modes": [1.0, 4.0, 8.0],
            "reverse_kl": [2.0, 1.0 + seed / 10, last + seed / 100],
        }
    )


def samples(seed):
    rng = np.random.default_rng(seed)
    shapes = {"final": (50, 2), "strip": (3, 20, 2), "real": (50, 2)}
    return {name: torch.tensor(rng.normal(size=shape), dtype=torch.float32) for name, shape in shapes.items()}


@pytest.fixture
def root(tmp_path):
    """Two trainers with five seeds each, one of them with a failure and a name that is markup, and controls."""
    made_up_plan = made_up.suite(trainers=(ODD, "wgan"), seeds=(0, 1, 2, 3, 4))
    Store(tmp_path).write_plan(made_up_plan)
    for trainer, value in ((ODD, 0.9), ("wgan", 0.1)):
        for seed in range(5):
            scores = made_up.scores({"modes": 8.0, "reverse_kl": value + seed / 100, "hq": 0.9})
            trial = made_up.trial(made_up.component("gan", label=trainer) if trainer == ODD else trainer, seed=seed)
            if trainer == ODD and seed == 4:
                made_up.put(tmp_path, trial, status="diverged", reason="<b>nan</b>")
            else:
                made_up.put(tmp_path, trial, scores, curve=curve(seed, value), samples=samples(seed))
    drawn = {"oracle": [made_up.scores({"modes": 8.0, "reverse_kl": 0.001, "hq": 0.98})] * 3}
    band = [made_up.score("reverse_kl", None, (0.0005, 0.002))]
    along = [[made_up.score("modes", modes)] for modes in (8.0, 7.0, 8.0)]
    made_up.put_controls(tmp_path, made_up.component("ring8"), drawn, band, {"oracle": along})
    return tmp_path


@pytest.fixture
def html(root):
    return page([Content(Store(root), "made-up")])


def test_every_panel_has_its_section_and_its_link(html):
    assert [entry.name for entry in panels] == ["verdict", "overall", "tables", "literature", *PANELS[2:]]
    assert "made-up-overall" not in html, "there is one dataset"
    assert "made-up-literature" not in html, "nobody published anything of it"
    for name in PANELS:
        assert f'id="made-up-{name}"' in html
        assert f'href="#made-up-{name}"' in html


def test_published_numbers_stand_beside_ours(tmp_path):
    for seed in range(3):
        scores = made_up.scores({"modes": 6.0 + seed % 2}, protocol="pacgan2018", n=2_500)
        made_up.put(tmp_path, made_up.trial("gan[recipe=pacgan2018]", seed=seed), scores)
    html = page([Content(Store(tmp_path), "made-up", "pacgan2018")])
    section = html.partition('id="made-up-literature"')[2].partition("</section>")[0]
    cells = re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", section)
    assert cells[8:11] == ["GAN, arXiv:1712.04086, table 1", "modes", "6.3 ±0.5 SE"]
    assert cells[15] == "may agree"


def test_permalinks_lead_somewhere_and_ids_are_unique(html):
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_page_of_several_budgets_says_of_which_one_everything_is_and_repeats_no_id(root):
    for seed in range(5):
        scores = made_up.scores({"modes": 8.0, "reverse_kl": 0.2 + seed / 100, "hq": 0.9})
        made_up.put(root, made_up.trial("wgan", seed=seed, budget="updates=80"), scores, curve=curve(seed, 0.2))
    both = page([Content(Store(root), "made-up")])
    ids = re.findall(r'\bid="([^"]+)"', both)
    assert len(ids) == len(set(ids))
    captions = re.findall(r"<figcaption>(.*?)<a ", both, re.DOTALL)
    assert len(captions) == len(set(captions))
    for budget in ("steps=40", "updates=80"):
        assert sum(f"ring8, {budget}: every seed" in caption for caption in captions) == 1
        assert f"ring8, {budget}: from seed to seed" in both
    assert all("Of the budget steps=40." in caption for caption in captions if "along training" in caption)


def test_what_came_from_a_record_is_escaped(html):
    assert "<script>alert" not in html
    assert "<b>nan</b>" not in html
    assert "&lt;b&gt;nan&lt;/b&gt;" in html


def test_it_loads_nothing(html):
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html)
    assert "@import" not in html
    assert re.search(r"Content-Security-Policy[^>]*default-src 'none'", html)


def test_equal_results_make_equal_pages(root, html):
    assert page([Content(Store(root), "made-up")]) == html


def test_tables_hold_values_letters_failures_and_controls(html):
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "wgan has the best reverse_kl, median 0.12" in text
    assert "4/5, 1 failed" in text
    assert "0.0005 to 0.002" in text
    assert "0.12 [0.1, 0.14] a" in text
    assert "0.92 [0.9, failed] b" in text


def test_trainers_are_ranked_at_equal_amounts_and_targets_timed(html):
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "40 generator steps reverse_kl n = 10,000" in text
    # Five runs each: wgan's have the ranks 1 to 5, the other's four 6 to 9, and its failure 10.
    assert "n = 10,000 0.92 rank 8 0.12 rank 3" in text
    assert (
        "ring8 is not ranked at equal network updates, real samples or seconds: that takes runs whose budget counts "
        "them, on one device where it is seconds, since before its end a run whose learning rate falls is half-way."
        in text
    )
    assert "wgan under steps=40: 5 of 5 seeds captured 7 modes, in the middle after 40 steps." in text
    assert "so it ranks nobody" in text
    assert "7 modes are what each draw of the truth itself captures at n = 10,000" in text


def test_units_that_a_budget_counts_are_ranked_by_the_ends_of_those_runs(root):
    for trainer, value in ((ODD, 0.05), ("wgan", 0.5)):
        for seed in range(5):
            of = made_up.component("gan", label=trainer) if trainer == ODD else trainer
            made_up.put(
                root, made_up.trial(of, seed=seed, budget="samples=400"), made_up.scores({"reverse_kl": value + seed})
            )
    text = " ".join(re.sub(r"<[^>]+>", " ", page([Content(Store(root), "made-up")])).split())
    # They take turns: one has the odd ranks of ten, the other the even ones.
    assert "400 real samples reverse_kl n = 10,000 2.05 rank 5 2.5 rank 6" in text
    assert "is not ranked at equal network updates or seconds:" in text


def test_trainers_of_constant_rates_are_ranked_on_their_way_each_in_its_column(tmp_path):
    """Averaged weights have scores at the end and no curve of their own."""
    for trainer, last in (("gan", 0.1), ("wgan", 0.5)):
        for seed in (0, 1):
            of = made_up.trial(made_up.component(trainer, parameters={"schedule": "constant"}), seed=seed)
            scores = made_up.scores({"reverse_kl": last + seed / 100})
            averaged = made_up.scores({"reverse_kl": 0.05 + seed / 100}, ema=0.999) if trainer == "gan" else ()
            made_up.put(tmp_path, of, (*scores, *averaged), curve=curve(seed, last))
    text = " ".join(re.sub(r"<[^>]+>", " ", page([Content(Store(tmp_path), "made-up")])).split())
    assert "after metric gan gan, EMA 0.999 wgan 40 generator steps" in text
    assert "40 generator steps reverse_kl n = 10,000 0.105 rank 3.5 0.055 rank 1.5 0.505 rank 5.5" in text
    way = "reverse_kl n = 10,000, on the way at a constant rate 0.105 rank 1.5 – 0.505 rank 3.5"
    assert f"80 network updates {way} 400 real samples {way}" in text
    assert "ring8 is not ranked at equal seconds:" in text


def test_trials_that_share_no_row_share_nothing_on_the_page(tmp_path):
    """Ranks, times to a target, costs and pictures are of the rows that the tables have."""
    for version, last in ((1, 0.1), (2, 0.5)):
        for seed in (0, 1):
            trainer = made_up.component("gan", parameters={"schedule": "constant"}, version=version)
            scores = made_up.scores({"reverse_kl": last, "modes": 8.0})
            of = made_up.trial(trainer, seed=seed)
            made_up.put(tmp_path, of, scores, curve=curve(seed, last), samples=samples(seed))
    failed = made_up.component("gan", parameters={"schedule": "constant"}, version=3)
    made_up.put(tmp_path, made_up.trial(failed), status="diverged", reason="nan")
    drawn = {"oracle": [made_up.scores({"modes": 8.0, "reverse_kl": 0.001})] * 3}
    made_up.put_controls(tmp_path, made_up.component("ring8"), drawn, (), {"oracle": [[made_up.score("modes", 8.0)]]})
    content = Content(Store(tmp_path), "made-up")
    text = " ".join(re.sub(r"<[^>]+>", " ", page([content])).split())
    assert "after metric gan (version 1) gan (version 2) gan (version 3)" in text
    way = "on the way at a constant rate 0.105 rank 1.5 0.505 rank 3.5 failed rank 5"
    assert f"80 network updates reverse_kl n = 10,000, {way}" in text
    for version in (1, 2):
        assert f"gan (version {version}) under steps=40: 2 of 2 seeds captured 8 modes" in text
        assert f"ring8 gan (version {version}) steps=40" in text, "what it took"
    assert "gan (version 3) under steps=40: no seed of 1 ever captured 8 modes" in text
    drawn_of = [picture.art for picture in content.pictures if picture.kind == "curves"]
    (labels,) = [[entry.get_text() for entry in figure.legends[0].get_texts()] for figure in drawn_of]
    assert labels == ["gan (version 1)", "gan (version 2)"]


def test_a_trainers_colour_is_the_same_in_every_picture(tmp_path):
    """Whichever trainers failed, and whichever have averaged weights, which have a colour of their own."""
    for trainer in ("gan", "wgan"):
        scores = made_up.scores({"reverse_kl": 0.1}) + made_up.scores({"reverse_kl": 0.2}, ema=0.999)
        made_up.put(tmp_path, made_up.trial(trainer), scores, curve=curve(0, 0.1), samples=samples(0))
    made_up.put(tmp_path, made_up.trial("a-gan"), status="diverged", reason="nan")
    content = Content(Store(tmp_path), "made-up")
    (drawn,) = (picture.art for picture in content.pictures if picture.kind == "curves")
    (legend,) = drawn.legends
    lines = zip(legend.get_texts(), legend.get_lines(), strict=True)
    colours = {text.get_text(): line.get_color() for text, line in lines}
    assert colours == {trainer: content.colours[trainer] for trainer in ("gan", "wgan")}
    assert len(set(content.colours.values())) == len(content.colours) == 5


def test_failures_are_called_so_and_sorted_with_what_has_no_value(root):
    for seed in range(3):
        made_up.put(root, made_up.trial("lost", seed=seed), status="crashed", reason="no luck")
    made_up.put(root, made_up.trial("lost", seed=3), made_up.scores({"reverse_kl": 0.25}))
    html = page([Content(Store(root), "made-up")])
    (row,) = re.findall(r'<tr class="trainer">\s*<th scope="row">lost</th>(.*?)</tr>', html, re.DOTALL)
    assert '<td title="0.25">failed <span class="half">[0.25, failed]' in row
    assert row.count("data-value") == 1, "that of its seeds"


def test_files_that_cannot_be_read_are_named(root):
    (next(root.glob("made-up/*/wgan/*/record.json"))).write_text("{")
    found = page([Content(Store(root), "made-up")])
    assert "These files and folders count for nothing" in found
    assert "not JSON" in found


def test_page_of_a_suite_where_all_failed_says_so(tmp_path):
    made_up.put(tmp_path, made_up.trial(), status="crashed", reason="no reason")
    found = page([Content(Store(tmp_path), "made-up")])
    assert "no reason" in found
    assert 'id="made-up-pictures"' not in found


def test_toys_reference_fits_into_five_megabytes(reference_page):
    assert len(reference_page.encode()) < 5e6


def test_card_of_a_metric_says_what_it_tells_from_the_truth(root, monkeypatch):
    effects = (Effect(change="widened", unit="the spread", least=1.25, mildest=1.1, strongest=9),)
    identity = made_up.score("reverse_kl", 0.1).identity
    made = Card(dataset="ring8", dataset_key="{}", column="reverse_kl", identity=identity, draws=40, effects=effects)
    monkeypatch.setattr(power_cards, "all_cards", lambda: (made,))
    found = page([Content(Store(root), "made-up")])
    assert "ring8: with 10000 samples it tells from the truth widened: 1.25 × the spread." in found


def test_anchor_is_made_of_letters_digits_and_hyphens():
    assert anchor("toy2d", "fd[mnist-cnn-1]", "Ünïcode  x") == "toy2d-fd-mnist-cnn-1-n-code-x"


def test_backticks_are_code_and_the_rest_is_escaped():
    assert prose("`k` < 3 & `<b>`") == "<code>k</code> &lt; 3 &amp; <code>&lt;b&gt;</code>"
