"""Each check refuses what breaks its promise, in plain words, and nothing else that keeps it."""

from pathlib import Path

import made_up
import pytest

from genbench.contract import checks
from genbench.contract.findings import examine
from genbench.contract.likelihoods import likelihood_is_a_density
from genbench.contract.trained import TrainerCase
from genbench.contract.trainers import QUICK, learns_a_gaussian, stacks_and_compiles
from genbench.plugins import load_plugin

CHEATS = Path(__file__).parent.parent / "helpers" / "cheats.py"


@pytest.fixture(scope="module", autouse=True)
def cheats():
    with made_up.forgetful_registries():
        load_plugin(str(CHEATS))
        yield


def failures(kind, name):
    """What the checks of a thing find, by the name of the check, but for those of a trainer that take long."""
    if kind == "trainer":
        case = TrainerCase(name)
        found = [examine(check, case) for check in QUICK]
    else:
        (entry,) = checks.named(name, kind)
        found = list(checks.check(entry, name))
    return {finding.check: finding.told for finding in found if finding.failed}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("trainer", "honest"), ("trainer", "draws-in-its-loss"), ("trainer", "shift"), ("dataset", "pair"),
     ("metric", "meangap")],
)  # fmt: skip
def test_what_keeps_its_promises_passes(kind, name):
    assert failures(kind, name) == {}


@pytest.mark.parametrize(
    ("name", "check", "told"),
    [
        ("tells-the-time", "losses are pure", "for the same networks and the same batch"),
        ("tells-the-time", "two runs are equal", "such as the time"),
        ("own-generator", "losses are pure", "draws from a generator of its own"),
        ("own-generator", "resumes", "Cut off half-way and resumed, it ends with others in the weights"),
        ("generator-of-the-module", "two runs are equal", "what an earlier run left in the module"),
        ("counts-its-calls", "losses are pure", "counts its calls"),
        ("changes-later", "resumes", "must be in the checkpoint, and not in a variable beside it"),
        ("seeds-torch", "leaves global state alone", "seeds the global random stream of torch while it trains"),
        ("seeds-numpy", "leaves global state alone", "seeds the global random stream of numpy"),
        ("seeds-python", "leaves global state alone", "seeds the global random stream of python"),
        ("seedswhenrestored", "leaves global state alone", "global random stream of the process: that of torch"),
        ("learnswhensampled", "looking disturbs nothing", "Sampled at 20 checkpoints instead of none"),
        ("forgetsitssteps", "resumes", "must be in the checkpoint"),
        ("takesmanysteps", "respects its budget", "said to be 1 update, and one optimizer takes 50 steps"),
        ("trainsatonce", "respects its budget", "let all steps cost about the same"),
        ("needsnodata", "respects its budget", "draws no real samples"),
        ("needsnodata", "two runs are equal", "nothing depends on the seed"),
        ("ignoresitsstream", "samples fit the data", "gives the same for another stream"),
        ("makesnan", "samples fit the data", "Samples are not all finite"),
        ("makesdoubles", "samples fit the data", "torch.float64: make them torch.float32"),
        ("says-too-much", "likelihood is a density", "log_prob is too large, by some 4.99 nats"),
        ("says-too-high-a-bound", "likelihood is a density", "log_prob is too large, by some 0.9"),
        ("says-too-little", "likelihood is a density", "log_prob is too small, or of other samples"),
        ("says-half-too-little", "likelihood is a density", "a mass of 0.54"),
        ("samples-a-quarter", "likelihood is a density", "its mean lies"),
        ("says-it-of-others", "likelihood is a density", "log_prob is of other samples: its entropy is 4."),
        ("becomes-nan", "steps", "The loss generator is nan after the first step"),
    ],
)
def test_trainer_that_breaks_a_promise_is_refused(name, check, told):
    assert told in failures("trainer", name)[check]


@pytest.mark.parametrize(
    ("name", "check", "told"),
    [
        ("ignoresrng", "samples come from the given stream", "it ignores rng"),
        ("drawsfromelsewhere", "samples come from the given stream", "draws from, or seeds, a global random stream"),
        ("goesonbyitself", "samples come from the given stream", "draw from rng alone"),
        ("beginsalike", "samples come from the given stream", "1 of 50 samples are the same whatever the stream"),
        ("beginsalike", "stream goes on", "only 7 differ"),
        ("offbyafactor", "density is that of the samples", "sums to 2 and not to 1: log_prob is off by 0.693 nats"),
        ("ofothersamples", "density is that of the samples", "log_prob is of other samples"),
        ("givesnan", "samples have its shape", "some are not finite"),
        ("givesdoubles", "samples have its shape", "make them torch.float32"),
        ("missesitsmodes", "modes lie apart", "Only 0 % of the samples lie at the modes"),
        ("weighswrongly", "modes lie apart", "not the shares of samples"),
        ("knowsnocontrols", "truth is the default", "gives the truth: controls are made by it"),
        ("rarelynan", "samples have its shape", "Of 50000 samples 4 are not finite"),
        ("collapsesinnumbers", "samples have its shape", "how many are drawn must not matter"),
        ("tires", "samples come from the given stream", "gives other samples the second time"),
        ("lacksaclass", "labels are those of the samples", "none is of a class that it names: neither"),
        ("anotherelsewhere", "moves to a device", "it gives other samples"),
    ],
)
def test_dataset_that_breaks_a_promise_is_refused(name, check, told):
    assert told in failures("dataset", name)[check]


@pytest.mark.parametrize(
    ("name", "check", "told"),
    [
        ("ofthefirst", "order does not matter", "with the same samples in another order"),
        ("ofthelastbatch", "pieces are the whole", "in three of the same samples"),
        ("remembersall", "forgets at reset", "use add_state"),
        ("movesitssamples", "leaves samples alone", "work on a copy"),
        ("clampsitssamples", "leaves samples alone", "work on a copy"),
        ("halves-what-others-look-at", "leaves samples alone", "work on a copy"),
        ("constant", "tells worse from the truth", "Nothing moves it: it is 1 on the truth"),
        ("noisy", "is one number", "draws from, or seeds, a global random stream"),
        ("staysbehind", "runs on the samples device", "Let tensors that it holds be constants of"),
        ("several", "is one number", "a tensor of shape (2,): return a tensor of one number"),
        ("meangap-bounds", "stays within its bounds", "It declares values from 0 to 0.5"),
        ("meangap-whole", "stays within its bounds", "It declares whole numbers"),
        ("meangap-higher_is_better", "tells worse from the truth", "It declares that higher is better"),
        ("no-metric", "is one number", "Let it return a torchmetrics.Metric"),
    ],
)
def test_metric_that_breaks_a_promise_is_refused(name, check, told):
    assert told in failures("metric", name)[check]


@pytest.mark.parametrize(
    ("kind", "name", "check", "told"),
    [
        ("control", "ignores-rng", "samples are like the datasets", "it ignores rng"),
        ("suite", "called-otherwise", "suite is named as registered", "calls itself something-else"),
        ("suite", "names-twice", "names resolve", "Of its trainers write gan, not gan, gan[batch=256]"),
        ("suite", "unheard-of", "names resolve", "No trainer is named 'gam'"),
        ("suite", "too-few-seeds", "seeds are enough", "no table can tell"),
    ],
)
def test_plan_or_control_that_breaks_a_promise_is_refused(kind, name, check, told):
    assert told in failures(kind, name)[check]


def test_trainer_that_learns_nothing_is_refused_when_its_time_is_up():
    found = examine(learns_a_gaussian, TrainerCase("learns-nothing", patience=0.5))
    assert found.failed
    assert "its mean is off by" in found.told


@pytest.mark.parametrize("name", ["says-its-density", "says-a-bound", "says-a-loose-bound", "two-widths"])
def test_likelihood_that_is_one_is_taken(name):
    assert examine(likelihood_is_a_density, TrainerCase(name)).outcome == "passed"


def test_what_is_fixed_when_it_is_compiled_is_seen():
    found = examine(stacks_and_compiles, TrainerCase("counts-its-calls"))
    assert found.failed
    assert "was fixed when it was compiled" in found.told


def test_trainer_that_is_no_list_of_phases_says_why_it_is_not_compiled():
    found = examine(stacks_and_compiles, TrainerCase("shift"))
    assert found.outcome == "not applicable"
    assert found.told == "It trains plainly, one seed at a time: the trainer is no list of phases."


def test_plugin_that_seeds_when_it_is_imported_is_refused(tmp_path):
    path = tmp_path / "seeds.py"
    path.write_text("import torch\ntorch.manual_seed(0)\n")
    found = checks.loaded(str(path))
    assert found.failed
    assert "seeds, a global random stream of the process: that of torch" in found.told


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("trainer", ["gan", "wgan", "wgan-gp"])
def test_baselines_learn_a_gaussian_early(trainer, seed):
    found = examine(learns_a_gaussian, TrainerCase(trainer, patience=600, seed=seed))
    assert not found.failed, found


@pytest.mark.parametrize(
    ("name", "check", "outcome", "told"),
    [
        ("wide[half=100]", "density is that of the samples", "passed", "sums to 0.99"),
        ("wide[half=10]", "density is that of the samples", "failed", "or the box leaves out some of it"),
        (
            "wide[half=1000]",
            "density is that of the samples",
            "not applicable",
            "too coarse to sum so narrow a density",
        ),
        ("rare", "truth is the default", "passed", "keep and spread change the truth"),
        ("rare", "modes lie apart", "passed", "share the samples as their weights say"),
    ],
)
def test_what_is_rare_or_far_is_no_cheat(name, check, outcome, told):
    (entry,) = checks.named(name, "dataset")
    (found,) = (each for each in checks.check(entry, name) if each.check == check)
    assert found.outcome == outcome
    assert told in found.told
