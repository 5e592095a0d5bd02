"""Words in pictures: what no font has the letters of is spelled, and nothing is drawn as an empty box."""

import warnings

import pytest
from matplotlib.figure import Figure

from genbench.report.figures import style


@pytest.fixture(autouse=True)
def no_other_fonts(monkeypatch):
    monkeypatch.setattr(style, "FALLBACKS", ())
    for cached in (style.fonts, style._letters):
        cached.cache_clear()
    yield
    for cached in (style.fonts, style._letters):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("ring8, x₁ ≤ 3 · 10⁻²", "ring8, x₁ ≤ 3 · 10⁻²"),
        ("images[path=数据]", "images[path=\\u6570\\u636e]"),
        ("caf\udce9\nand on", "caf\\udce9\nand on"),
    ],
)
def test_letters_that_no_font_has_are_spelled(words, shown):
    assert style.legible(words) == shown


@pytest.mark.parametrize("write", [style.png, lambda figure: style.svg(figure, "it")], ids=["png", "svg"])
def test_figure_is_drawn_without_a_warning(write):
    figure = Figure()
    axes = figure.subplots()
    axes.set_title("images[path=数据]")
    axes.plot([0, 1], label="数")
    axes.legend()
    with warnings.catch_warnings(action="error"):
        write(figure)
    assert axes.get_title() == "images[path=\\u6570\\u636e]"


@pytest.mark.parametrize(
    ("label", "most", "lines"),
    [
        ("gan", 2, ["gan"]),
        ("wgan-gp on swissroll", 28, ["wgan-gp on swissroll"]),
        ("wgan-gp[recipe=small-images]", 20, ["wgan-gp", "[recipe=small-images]"]),
        ("rpgan[r1=0,r2=0,relativistic=false]", 24, ["rpgan[r1=0,r2=0,", "relativistic=false]"]),
        ("gan[lr=0.1,width=8] on ring8", 12, ["gan[lr=0.1,", "width=8] on", "ring8"]),
    ],
)
def test_labels_are_broken_between_words_and_parameters_alone(label, most, lines):
    assert style.wrapped(label, most) == "\n".join(lines)


def test_eighteen_trainers_have_eighteen_colours():
    trainers = [f"t{i}" for i in range(18)]
    assert len(set(style.colours(trainers).values())) == len(trainers)
