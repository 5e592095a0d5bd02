"""Networks, feature extractors, protocols and panels of a plugin: used by their names, and known by their source."""

import json
import re

import pytest

from genbench.records.store import Store

RUN = ("--dataset", "ring8", "--budget", "steps=6", "--checkpoints", "1", "--device", "cpu", "--jobs", "1")
PLUGIN = '''
from genbench import api


@api.networks("narrow")
def narrow() -> api.Pair:
    """A line each."""
    from torch import nn

    def generator(latent, event_shape, width, depth, rng):
        return nn.Linear(latent, *event_shape)

    def critic(event_shape, width, depth, rng):
        return nn.Linear(*event_shape, 1)

    return api.Pair(generator, critic)


@api.extractor("edges")
def edges():
    """Sums over rows and columns."""
    import torch

    return lambda images: torch.cat([images.mean((1, 2)), images.mean((1, 3))], 1)


@api.protocol("quick")
def quick() -> api.Protocol:
    """Few samples, few columns."""
    return api.Protocol(n=300, columns={"hq": "hq", "kl": "reverse_kl"}, headline=("hq", "kl"), deciding=("kl",))


@api.suite("mine")
def mine() -> api.Suite:
    """My networks, scored my way."""
    return api.Suite(
        name="mine", version=1, datasets=("ring8",), trainers=("gan[networks=narrow]",), seeds=(0,),
        budgets=(api.Budget(kind="steps", amount=6),), protocols=("quick",), checkpoints=1, control_draws=2,
    )


@api.panel("greeting", title="A greeting")
def greeting(content) -> str:
    """Says which suite it stands in."""
    return f"<p>Hello, {content.suite}!</p>"


@api.panel("sorry", title="Sorry")
def sorry(content) -> str:
    """Breaks."""
    raise ValueError("no <luck>")


@api.panel("nothing", title="Nothing")
def nothing(content) -> str:
    """Gives no HTML."""
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def forget():
    """Makes this process load plugins as a new one would."""
    from genbench import plugins, registry

    def everything():
        plugins._loaded.difference_update({name for name in plugins._loaded if name.endswith(".py")})
        for held in registry.REGISTRIES:
            for entry in [entry for entry in held if entry.origin.startswith("genbench_plugin_mine")]:
                held._entries.pop(entry.name)

    yield everything
    everything()


@pytest.fixture
def mine(plugin, forget, genbench):
    """`mine()` runs the plugin's suite, scored by its protocol."""

    def run(*options):
        forget()
        return genbench("run", "--suite", "mine", "--device", "cpu", "--jobs", "1", "--plugin", plugin, *options)

    return run


def edit(path):
    path.write_text(path.read_text() + "\n# Another thought.\n")


def test_trials_with_networks_of_an_edited_plugin_are_stale(plugin, mine, genbench, tmp_path):
    assert mine().code == 0
    (found,) = Store(tmp_path / "results").trials("mine")
    assert found.record.trial.trainer.source.keys() == {"networks sha256"}
    assert "0 trials to run, 1 done already" in mine().out
    edit(plugin)
    assert "1 stale, of another version, source or data" in mine().out
    assert mine("--seeds", "1").code == 0
    out = genbench("report", "results", "--no-figures", "--format", "md", "--plugin", plugin).out
    assert len(set(re.findall(r"networks source [0-9a-f]{8}…", out))) == 2


def test_figures_of_a_trial_take_the_plugin_of_its_networks(plugin, mine, forget, genbench, tmp_path):
    assert mine().code == 0
    (folder,) = tmp_path.glob("results/mine/ring8/gan*/seed-0-*")
    forget()
    assert genbench("figures", folder, "--plugin", plugin).code == 0
    forget()
    edit(plugin)
    ran = genbench("figures", folder, "--plugin", plugin)
    assert (ran.code, "Run it again: --rerun stale" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "The networks 'narrow' gave None. Let them return an api.Pair"),
        ("raise ValueError('oops')", "oops"),
    ],
)
def test_networks_that_are_none_are_refused_before_anything_is_trained(body, message, tmp_path, genbench, forget):
    path = tmp_path / "mine.py"
    path.write_text(f"from genbench import api\n@api.networks('narrow')\ndef narrow():\n    '''None.'''\n    {body}\n")
    ran = genbench("run", *RUN, "--trainer", "gan[networks=narrow]", "--plugin", path)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not list(tmp_path.glob("results/**/record.json"))


def test_edited_protocol_of_finished_trials_is_told_with_what_renews_them(mine, plugin, forget, genbench):
    plugin.write_text(PLUGIN.replace("gan[networks=narrow]", "gan"))
    assert mine().code == 0
    forget()
    edit(plugin)
    ran = mine()
    again = f"genbench rescore results --suite mine --protocol quick --plugin {plugin}"
    assert f"1 of those done aren't scored by quick as it is now; to renew that: {again}" in ran.out
    assert genbench(*again.split()[1:]).code == 0
    assert "aren't scored" not in mine().out


def contents(root, *names):
    return {path: path.read_bytes() for name in names for path in root.rglob(name)}


def tables(genbench, plugin):
    return json.loads(genbench("report", "results", "--plugin", plugin, "--no-figures", "--format", "json").out)


def test_edited_protocol_costs_trials_with_few_samples_no_score(mine, plugin, forget, genbench, tmp_path):
    """Whatever is run as printed, and rescored all the same."""
    plugin.write_text(PLUGIN.replace("gan[networks=narrow]", "gan"))
    assert mine("--keep-samples", "100").code == 0
    stored = contents(tmp_path, "scores.json", "controls.json")
    (before,) = tables(genbench, plugin)
    forget()
    edit(plugin)
    ran = mine()
    assert (
        "1 of those done keep too few samples for hq, kl of quick as it is now; to train all again: --rerun all"
        in ran.out
    )
    assert "rescore" not in ran.out
    assert "Controls to measure anew, since something of them has changed: ring8" in ran.out
    assert contents(tmp_path, "scores.json").items() <= stored.items()
    assert [row["cells"] for row in tables(genbench, plugin)[0]["rows"]] == [row["cells"] for row in before["rows"]]
    ran = genbench("rescore", "results", "--suite", "mine", "--protocol", "quick", "--plugin", plugin)
    assert "Scores of more samples than are stored stayed in 1 trial" in ran.out
    assert (
        "Those of 1 trial are of another version, source or setting than now. To train again, give the run's" in ran.out
    )
    assert contents(tmp_path, "scores.json").items() <= stored.items()
    assert [row["cells"] for row in tables(genbench, plugin)[0]["rows"]] == [row["cells"] for row in before["rows"]]


def test_protocol_of_a_plugin_scores_and_is_reported(mine, plugin, forget, genbench, tmp_path):
    assert mine().code == 0
    (found,) = Store(tmp_path / "results").trials("mine")
    assert [score.name for score in found.scores.scores] == ["hq", "kl"]
    assert {score.identity.protocol for score in found.scores.scores} == {"quick"}
    assert all(score.identity.protocol_source["sha256"] for score in found.scores.scores)
    assert {score.null_low is None for score in found.scores.scores} == {False}
    (table,) = json.loads(genbench("report", "results", "--plugin", plugin, "--no-figures", "--format", "json").out)
    assert [column["name"] for column in table["columns"]] == ["hq", "kl"]
    forget()
    ran = genbench("report", "results", "--no-figures")
    assert ran.code == 2
    assert "No protocol is named 'quick'" in ran.err


def test_scores_of_an_edited_protocol_share_no_column(mine, plugin, genbench, tmp_path):
    mine()
    edit(plugin)
    assert mine("--trainer", "gan", "--seeds", "1").code == 0
    (table,) = json.loads(genbench("report", "results", "--plugin", plugin, "--no-figures", "--format", "json").out)
    (gap,) = [note for note in table["notes"] if note.startswith("Finished and without")]
    assert "hq, kl, which genbench rescore --protocol" in gap
    assert "seed 0" in gap
    assert "seed 1" not in gap


def test_panels_of_a_plugin_follow_ours_and_a_broken_one_costs_itself_alone(mine, plugin, genbench, tmp_path):
    mine()
    ran = genbench("report", "results", "--plugin", plugin, "--out", tmp_path / "page", "--no-figures")
    assert ran.code == 0
    html = (tmp_path / "page" / "index.html").read_text()
    assert "<p>Hello, mine!</p>" in html
    assert html.index("Where it comes from") < html.index("A greeting")
    assert "This section can’t be made: ValueError: no &lt;luck&gt; (from genbench_plugin_mine" in html
    assert "This section can’t be made: it gave None, and a panel gives HTML" in html


def test_extractor_of_a_plugin_is_looked_through(plugin, forget, tmp_path):
    from genbench import seeding
    from genbench.contract.digits import digits
    from genbench.plugins import load_plugin
    from genbench.scoring.protocols import protocol
    from genbench.scoring.scorer import Scorer

    def scored():
        forget()
        load_plugin(str(plugin))
        names = ["fd[extractor=edges,n=300]", "class_score[extractor=edges,n=300]", "confident[extractor=edges]"]
        way = protocol("mnist-smoke").adding(names)
        samples = digits().held_out.distinct(500, seeding.stream(0, "test"))
        return {score.name: score for score in Scorer(digits(), way.only(way.added))(samples)}

    found = scored()
    distance = found["fd[extractor=edges,n=300]"]
    assert distance.value > 0
    assert re.fullmatch(r"edges-1 [0-9a-f]{64}", distance.identity.extractor)
    assert distance.identity.source.keys() == {"extractor sha256"}
    assert found["class_score[extractor=edges,n=300]"].reason == "the extractor tells no classes apart"
    assert found["confident[extractor=edges]"].reason == "the dataset's classes aren't those that edges tells apart"
    edit(plugin)
    again = scored()["fd[extractor=edges,n=300]"]
    assert again.value == distance.value
    assert again.identity.extractor != distance.identity.extractor
    assert again.identity != distance.identity


def test_name_that_no_extractor_has_is_refused(genbench, mine):
    ran = genbench("run", *RUN, "--trainer", "gan", "--metric", "fd[extractor=mnist-cn]")
    assert ran.code == 2
    assert "parameter extractor can't be mnist-cn (no extractor is named 'mnist-cn'. Did you mean mnist-cnn" in ran.err
