"""Plugins from the command line: what their edits make stale, what is refused, and how a trial's figures find them."""

import json
import re
import shutil

import pytest

RUN = ("--suite", "toy2d-smoke", "--dataset", "ring8", "--budget", "steps=6", "--checkpoints", "1", "--device", "cpu",
       "--jobs", "1")  # fmt: skip
CELL = "results/toy2d-smoke/ring8"

SHIFT = '''
import torch
from torch import nn
from genbench import api

RATE = {rate}


@api.trainer("shift")
def shift(problem: api.Problem) -> api.Method:
    """A generator that learns the mean."""
    noise = api.Normal((2,))

    def distance(nets, batch):
        return (nets.generator(batch.noise).mean(0) - batch.real.mean(0)).square().sum()

    return api.Method(
        networks={{"generator": problem.initialised("generator", lambda rng: nn.Linear(2, 2))}},
        phases=[api.Phase("generator", distance, {{"real": api.Real(), "noise": noise}})],
        optimizers={{"generator": api.Optimizer("sgd", RATE)}},
        prior=noise,
        batch=8,
    )
'''


@pytest.fixture
def plugin(tmp_path):
    """`plugin(rate)` writes the trainer's file anew and gives its path."""

    def write(rate):
        path = tmp_path / "shift.py"
        path.write_text(SHIFT.format(rate=rate))
        return path

    return write


@pytest.fixture
def measured(once, tmp_path):
    """The controls are there already."""
    (tmp_path / CELL).mkdir(parents=True)
    shutil.copy(once[0] / "toy2d-smoke" / "ring8" / "controls.json", tmp_path / CELL)


@pytest.fixture
def run(genbench, forget, measured):
    def command(path, *arguments):
        forget()
        return genbench("run", *RUN, "--trainer", "shift", "--plugin", path, *arguments)

    return command


@pytest.fixture
def forget():
    """Makes this process load plugins as a new one would."""
    from genbench import plugins, registry

    def everything():
        plugins._loaded.difference_update({name for name in plugins._loaded if name.endswith(".py")})
        for held in registry.REGISTRIES:
            held._entries.pop("shift", None)

    return everything


def records(tmp_path):
    return [json.loads(path.read_text()) for path in sorted(tmp_path.glob(f"{CELL}/*/*/record.json"))]


def test_results_of_an_edited_plugin_are_stale_and_said_to_be(run, plugin, tmp_path):
    assert run(plugin(0.1), "--seeds", "0-1").code == 0
    before = records(tmp_path)
    assert "0 trials to run, 2 done already" in run(plugin(0.1), "--seeds", "0-1").out
    ran = run(plugin(0.2), "--seeds", "0-1")
    assert "0 trials to run, 0 done already" in ran.out
    assert "2 stale, of another version, source or data; to renew them: --rerun stale" in ran.out
    assert records(tmp_path) == before
    assert run(plugin(0.2), "--seeds", "0-1", "--rerun", "stale").code == 0
    after = records(tmp_path)
    assert len(after) == 2
    sources = [record["trial"]["trainer"]["source"] for record in (*before, *after)]
    assert sources[0] == sources[1] != sources[2] == sources[3]
    assert {record["weights_sha256"] for record in before}.isdisjoint(record["weights_sha256"] for record in after)


def test_two_sources_never_share_a_row(run, plugin, genbench):
    run(plugin(0.1), "--seeds", "0-1")
    run(plugin(0.2), "--seeds", "2-3")
    out = genbench("report", "results", "--no-figures", "--format", "md").out
    assert len(set(re.findall(r"shift \(source [0-9a-f]{8}…\)", out))) == 2


def test_record_says_which_plugins_it_was_run_with(run, plugin, tmp_path):
    path = plugin(0.1)
    run(path, "--seeds", "0")
    (record,) = records(tmp_path)
    assert record["provenance"]["plugins"] == [str(path)]


def test_own_things_have_no_source(once):
    for path in once[0].rglob("record.json"):
        trial = json.loads(path.read_text())["trial"]
        assert trial["trainer"]["source"] == trial["dataset"]["source"] == {}


class TestFigures:
    @pytest.fixture
    def trial(self, run, plugin, tmp_path, forget):
        run(plugin(0.1), "--seeds", "0")
        forget()
        (folder,) = tmp_path.glob(f"{CELL}/shift/seed-0-*")
        return folder

    def test_are_drawn_with_the_plugin_that_is_named_and_by_no_records_word(self, trial, tmp_path, genbench):
        path = str(tmp_path / "shift.py")
        ran = genbench("figures", trial)
        assert (ran.code, f"shift was run with --plugin {path}. Say where" in ran.err) == (2, True)
        assert genbench("figures", trial, "--plugin", path).code == 0

    def test_are_not_drawn_with_another_source_of_that_name(self, trial, plugin, genbench):
        ran = genbench("figures", trial, "--plugin", plugin(0.2))
        assert ran.code == 2
        assert "shift" in ran.err

    def test_run_nothing_that_a_results_folder_brings_by_way_of_a_link(self, trial, tmp_path, genbench):
        inside = shutil.move(tmp_path / "shift.py", tmp_path / "results" / "shift.py")
        deep = tmp_path / "results" / "a" / "b" / "c"
        deep.mkdir(parents=True)
        shutil.move(tmp_path / "results" / "toy2d-smoke", deep / "toy2d-smoke")
        (tmp_path / "results" / "toy2d-smoke").symlink_to(deep / "toy2d-smoke")
        path = trial / "record.json"
        record = json.loads(path.read_text())
        record["provenance"]["plugins"] = [str(inside)]
        path.write_text(json.dumps(record))
        assert genbench("figures", trial).code == 2

    def test_run_nothing_that_a_results_folder_brings(self, trial, tmp_path, genbench):
        inside = shutil.move(tmp_path / "shift.py", tmp_path / "results" / "shift.py")
        path = trial / "record.json"
        record = json.loads(path.read_text())
        record["provenance"]["plugins"] = [str(inside)]
        path.write_text(json.dumps(record))
        assert genbench("figures", trial).code == 2


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("problem, *, width=3", "its parameter width has no type. Write width: int, say."),
        (
            "problem, width: int = 3",
            r"its parameter width must come by name: \(problem, \*, width\). Put a \* before it.",
        ),
        ("*, width: int = 3", r"is given problem: let it begin with \(problem, \*, …\)."),
        ("problem, **more: int", r"takes \*\*more: int: name its parameters one by one."),
        ("problem, *more: int", r"takes \*more: int: name its parameters one by one."),
    ],
)
def test_parameters_that_cannot_be_told_by_name_are_one_line(signature, message, tmp_path, genbench):
    path = tmp_path / "mine.py"
    path.write_text(f"from genbench import api\n@api.trainer('mine')\ndef mine({signature}):\n    '''Mine.'''\n")
    ran = genbench("run", *RUN, "--trainer", "mine", "--plugin", path)
    assert ran.code == 2
    assert re.fullmatch(f"genbench: Plugin \\S+mine\\.py: The trainer 'mine'.*{message}\n", ran.err), ran.err


def test_parameter_whose_type_nobody_knows_is_one_line(tmp_path, genbench):
    path = tmp_path / "mine.py"
    head = "from __future__ import annotations\nfrom genbench import api\n"
    path.write_text(f"{head}@api.trainer('mine')\ndef mine(problem, *, width: Breadth = 3):\n    '''Mine.'''\n")
    ran = genbench("run", *RUN, "--trainer", "mine", "--plugin", path)
    assert ran.code == 2
    assert ran.err.splitlines() == [
        "genbench: The trainer 'mine': a parameter's type can't be found: name 'Breadth' is not defined."
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "The trainer mine gave None. Let it return an api.Method"),
        ("return api.Method({}, [], {}, api.Normal((2,)), 8)", "No network is named 'generator'"),
        ("return api.Optimizer('nadam', 1e-3)", "No optimizer is named 'nadam'. Did you mean adam"),
    ],
)
def test_method_that_is_none_is_refused_before_anything_is_trained(body, message, tmp_path, genbench):
    path = tmp_path / "mine.py"
    path.write_text(
        f"from genbench import api\n@api.trainer('mine')\ndef mine(problem):\n    '''Mine.'''\n    {body}\n"
    )
    ran = genbench("run", *RUN, "--trainer", "gan,mine", "--plugin", path)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.glob("results/**/record.json"))


METHOD = """
import torch
from torch import nn
from genbench import api

class Laplace:
    shape = (2,)
    def sample(self, lead, rng):
        return torch.distributions.Laplace(0.0, 1.0).sample((*lead, 2))

def method(problem, size=2, landscape=None, prior=api.Normal((2,))):
    net = problem.initialised("generator", lambda rng: nn.Linear(2, size))
    def loss(nets, batch):
        return nets.generator(batch.real).square().mean()
    phase = api.Phase("generator", loss, {"real": api.Real()})
    sgd = {"generator": api.Optimizer("sgd", 0.1)}
    return api.Method({"generator": net}, [phase], sgd, prior, 8, landscape=landscape)
"""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('oops')", r"mine can't be built for ring8: ValueError: oops \(mine\.py:\d+\)"),
        ("return api.Optimizer('adam', 1e-3, beta=0.5)", r"mine can't be built for ring8: TypeError: .*'beta'"),
        ("return method(problem, size=3)", r"have the shape \(8, 2\), and the generator made \(8, 3\)"),
        ("return method(problem, landscape='generator')", r"The landscape generator must give one score a sample"),
        ("return method(problem, prior=Laplace())", r"draws from elsewhere than the stream that it is given"),
    ],
)
def test_method_that_would_fail_in_training_is_refused_before_anything_is_trained(body, message, tmp_path, genbench):
    path = tmp_path / "mine.py"
    path.write_text(f"{METHOD}\n@api.trainer('mine')\ndef mine(problem):\n    '''Mine.'''\n    {body}\n")
    ran = genbench("run", *RUN, "--trainer", "gan,mine", "--plugin", path)
    assert ran.code == 2
    assert re.search(message, ran.err), ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.glob("results/**/record.json"))


def test_results_of_a_plugin_with_a_new_parameter_are_stale(run, plugin, tmp_path):
    path = plugin(0.1)
    assert run(path, "--seeds", "0").code == 0
    path.write_text(path.read_text().replace("problem: api.Problem)", "problem: api.Problem, *, width: int = 3)"))
    assert "1 stale, of another version, source or data" in run(path, "--seeds", "0").out
    assert run(path, "--seeds", "0", "--rerun", "stale").code == 0
    (record,) = records(tmp_path)
    assert record["trial"]["trainer"]["parameters"] == {"width": 3}


def test_engine_that_cannot_be_had_is_refused_before_anything_is_trained(genbench, tmp_path):
    ran = genbench("run", *RUN, "--trainer", "gan", "--engine", "compiled", "--channels-last")
    assert ran.code == 2
    assert "gan can't be trained with --engine compiled: only plainly can" in ran.err
    assert not list(tmp_path.glob("results/**/record.json"))


@pytest.mark.usefixtures("measured")
def test_method_that_trains_plainly_because_compiling_failed_says_so_in_a_line(genbench, monkeypatch):
    from genbench.engine import paths, stacked

    def refuse(update, arguments):
        raise RuntimeError("No working C++ compiler found.\nMore about it.")

    monkeypatch.setattr(stacked, "compiled", refuse)
    monkeypatch.setattr(paths, "_failures", {})
    monkeypatch.setattr(paths, "COMPILE_FROM", 1)
    ran = genbench("run", *RUN, "--trainer", "gan[width=9]", "--seeds", "0-1")
    assert ran.code == 0
    (line,) = [line for line in ran.out.splitlines() if "plainly" in line]
    assert line == "gan[width=9] trained plainly: compiled failed: RuntimeError: No working C++ compiler found."
