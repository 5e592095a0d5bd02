"""What `--fail-on` takes, and what it refuses with an example."""

import made_up
import pytest

from genbench.compare.margins import Margin
from genbench.errors import BadParameter
from genbench.report.model import Column


def column(name):
    score = made_up.score(name, 1.0)
    return Column(name, score.unit, score.higher_is_better, score.identity)


@pytest.mark.parametrize(
    ("text", "metric", "sign", "amount", "relative"),
    [
        ("reverse_kl", "reverse_kl", None, 0.0, False),
        ("reverse_kl:+10%", "reverse_kl", 1, 0.1, True),
        ("hq:-0.05", "hq", -1, 0.05, False),
        ("fd[mnist-cnn-1]:+2", "fd[mnist-cnn-1]", 1, 2.0, False),
        ("w2:+1e-3", "w2", 1, 0.001, False),
        ("modes:-0", "modes", -1, 0.0, False),
    ],
)
def test_reads_a_metric_a_sign_and_an_amount(text, metric, sign, amount, relative):
    margin = Margin.parse(text)
    assert (margin.metric, margin.sign, margin.amount, margin.relative) == (metric, sign, amount, relative)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":+10%",
        "hq:",
        "hq:10%",
        "hq:+",
        "hq:+-1",
        "hq:+nan",
        "hq:+inf",
        "hq:+10 %",
        "hq +10%",
        "hq+10%",
        "10%",
        "hq:+10%%",
    ],
)
def test_refuses_nonsense_with_an_example(text):
    with pytest.raises(BadParameter, match=r"--fail-on reverse_kl:\+10%"):
        Margin.parse(text)


@pytest.mark.parametrize(
    ("text", "instead"), [("hq:+0.1", r"--fail-on hq:-0\.1"), ("reverse_kl:-10%", r"--fail-on reverse_kl:\+10%")]
)
def test_refuses_the_sign_of_an_improvement(text, instead):
    margin = Margin.parse(text)
    with pytest.raises(BadParameter, match=instead):
        margin.check(column(margin.metric))


@pytest.mark.parametrize("text", ["hq", "hq:-0.1", "reverse_kl:+10%", "std_ratio:+0.1", "std_ratio:-0.1"])
def test_takes_the_way_that_is_worse_and_either_where_none_is(text):
    margin = Margin.parse(text)
    margin.check(column(margin.metric))


@pytest.mark.parametrize(
    ("text", "before", "allowed"),
    [("hq", 0.9, 0.0), ("hq:-0.05", 0.9, 0.05), ("hq:-10%", 0.9, 0.09), ("hq:-10%", -2.0, 0.2), ("hq:-10%", 0.0, 0.0)],
)
def test_a_percentage_is_of_the_first_sides_median(text, before, allowed):
    assert Margin.parse(text).allowed(before) == pytest.approx(allowed)
