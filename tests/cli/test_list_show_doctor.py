"""`genbench list`, `show` and `doctor`, with plugins of one's own and of others."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from genbench import plugins, registry
from genbench.cli.show import _look_up
from genbench.records import provenance
from genbench.records.store import Store
from genbench.report.frame import frame
from genbench.report.table import tables
from genbench.scoring import bands, power_cards
from genbench.scoring.columns import uses
from genbench.scoring.power_cards import Card, Effect
from genbench.scoring.protocols import protocol
from genbench.scoring.shipped import bands_of

PLUGIN = Path(__file__).parent.parent / "plugin"
REFERENCE = Store(Path(__file__).parent.parent.parent / "results" / "reference")
KINDS = [held.plural for held in registry.REGISTRIES]
NAMES = [entry.name for held in registry.REGISTRIES for entry in held]


def listed(ran):
    assert ran.code == 0
    found = json.loads(ran.out)
    return {kind: {entry["name"]: entry for entry in found[kind]} for kind in KINDS if kind in found}


def install(folder, module, code=None):
    """What installing a distribution with one entry point leaves in `folder`."""
    info = folder / f"{module}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.ENTRY_POINT_GROUP}]\nmine = {module}\n")
    if code is None:
        shutil.copy(PLUGIN / f"{module}.py", folder)
    else:
        (folder / f"{module}.py").write_text(code)


def with_installed(folder, *arguments):
    code = "import sys; from genbench.cli.main import main; sys.argv[0] = 'genbench'; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_list_names_everything_that_is_registered(genbench):
    ran = genbench("list")
    assert ran.code == 0
    for held in registry.REGISTRIES:
        assert f"\n{held.plural}\n" in "\n" + ran.out
        for entry in held:
            assert f"\n{entry.name} " in ran.out


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_one_kind_holds_that_kind_alone(kind, genbench):
    assert listed(genbench("list", kind, "--json")).keys() == {kind}
    headings = {line for line in genbench("list", kind).out.splitlines() if line in KINDS}
    assert headings == {kind}


def test_list_as_json_says_where_things_come_from(genbench):
    found = listed(genbench("list", "--json"))
    assert found["trainers"]["wgan-gp"]["origin"] == "genbench.baselines.wgan_gp"
    assert "1704.00028" in found["trainers"]["wgan-gp"]["citation"]
    assert {kind: set(entries) for kind, entries in found.items()} == {
        held.plural: {entry.name for entry in held} for held in registry.REGISTRIES
    }


def test_doctor_says_where_weights_are_or_what_gives_them(genbench, monkeypatch, tmp_path):
    def weights():
        return json.loads(genbench("doctor", "--json").out)["weights"]["dinov2-1"]

    monkeypatch.delenv("GENBENCH_DINOV2", raising=False)
    assert "--dinov2-weights FILE" in weights()
    (tmp_path / "mine.pth").touch()
    monkeypatch.setenv("GENBENCH_DINOV2", str(tmp_path / "mine.pth"))
    assert weights() == f"dinov2-1: {tmp_path / 'mine.pth'}"
    monkeypatch.setenv("GENBENCH_DINOV2", "none.pth")
    ran = genbench("doctor")
    assert ran.code == 1
    assert "problem: dinov2-1 needs its weights and GENBENCH_DINOV2 names none.pth, which is no file" in ran.out


@pytest.mark.parametrize("command", [["list"], ["doctor"], *(["show", name] for name in sorted(set(NAMES)))], ids=str)
def test_lines_fit_a_terminal_of_80_columns(command, genbench):
    ran = genbench(*command)
    assert ran.code == 0
    assert all(cell_len(line) <= 80 or Path(line.strip()).is_absolute() for line in ran.out.splitlines())


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_show_as_json_tells_all_there_is(name, genbench):
    ran = genbench("show", name, "--json")
    assert ran.code == 0
    (shown, *_) = json.loads(ran.out)
    (entry, *_) = [held[name] for held in registry.REGISTRIES if name in held]
    assert (shown["kind"], shown["name"], shown["version"], shown["doc"]) == (
        entry.kind,
        name,
        entry.version,
        entry.doc,
    )
    assert shown["parameters"].keys() == entry.annotations.keys()
    assert {key: p["default"] for key, p in shown["parameters"].items() if "default" in p} == entry.defaults


def test_show_of_a_metric_says_where_the_truth_lies(genbench):
    out = " ".join(genbench("show", "reverse_kl").out.split())
    assert "where 95 % of the truth's own values lie" in out
    assert "ring8, genbench1, reverse_kl, n = 10000" in out
    assert "where 95 %" not in genbench("show", "wgan-gp").out


def test_show_of_a_suite_spells_its_budgets_out(genbench):
    out = " ".join(genbench("show", "toy2d-equal").out.split())
    assert "budgets updates=18000, samples=3072000, seconds=10 protocols" in out


def test_show_of_a_metric_has_its_power_cards(genbench, monkeypatch):
    """Whatever they are: here, of a column that sees half a std and no noise at all."""
    effects = (
        Effect(change="shift", unit="stds", least=0.5, mildest=0.1, strongest=9),
        Effect(change="noise", unit="of the samples", least=None, mildest=0.1, strongest=1),
    )
    (band, *_) = (band for band in bands_of("reverse_kl") if band.dataset == "ring8")
    made = Card(
        dataset="ring8", dataset_key="{}", column="mine", identity=band.score.identity, draws=40, effects=effects
    )
    monkeypatch.setattr(power_cards, "all_cards", lambda: (made,))
    out = " ".join(genbench("show", "reverse_kl").out.split())
    assert "what it tells from the truth: ring8, genbench1, mine shift 0.5 stds noise not even 100 % of the" in out
    (shown, *_) = json.loads(genbench("show", "reverse_kl", "--json").out)
    assert shown["power"] == [made.model_dump(mode="json")]
    assert [each["dataset"] for each in shown["bands"]] == [each.dataset for each in bands_of("reverse_kl")]
    assert power_cards.card("ring8", "genbench1", "mine") == made
    assert "what it tells" not in genbench("show", "hq").out


@pytest.mark.parametrize(
    ("metric", "text", "bounds", "whole"),
    [
        ("modes", "whole numbers of 0 or more", [0, None], True),
        ("hq", "numbers from 0 to 1", [0, 1], False),
        ("mmd", "numbers without bounds", [None, None], False),
    ],
)
def test_show_of_a_metric_says_its_range(metric, text, bounds, whole, genbench):
    assert f"values {text}" in " ".join(genbench("show", metric).out.split())
    (shown, *_) = json.loads(genbench("show", metric, "--json").out)
    assert (shown["bounds"], shown["whole"]) == (bounds, whole)


def test_show_prints_parameters_with_their_bounds_and_recipes(genbench):
    out = genbench("show", "wgan-gp").out
    entry = registry.trainers["wgan-gp"]
    assert out.startswith("wgan-gp, a trainer, version ")
    for key in entry.defaults:
        assert f"\n  {key} " in out
    assert "(int ≥ 1)" in out
    for recipe in entry.recipes:
        assert f"\n  {recipe} " in out
        assert entry.notes[recipe] in " ".join(out.split())
    assert "To use one: wgan-gp[recipe=" in out


def test_every_column_of_every_protocol_is_shown_with_the_metric_behind_it():
    for use in uses():
        found = _look_up(use.column)
        assert use.metric_name in {entry.name for entry, _ in found.entries if entry.kind == "metric"}, use
        assert any(use.protocol in line for line in found.lines), use


@pytest.mark.parametrize("suite", REFERENCE.suites())
def test_every_name_in_the_tables_of_the_reference_is_shown(suite):
    for way in REFERENCE.plan(suite).protocols:
        for table in tables(frame(REFERENCE, suite), protocol(way)):
            names = [table.dataset, way, *(c.name for c in table.columns), *(row.label for row in table.rows)]
            for name in dict.fromkeys(names):
                found = _look_up(name)
                assert found.entries or found.lines, name


def test_show_of_recall_names_both_and_says_which_dataset_has_which(genbench):
    out = " ".join(genbench("show", "recall").out.split())
    assert re.search(r"recall, a column, is the metric recall under genbench1, [^;]*; so ring8, grid25,", out)
    assert re.search(r"recall, a column, is the metric image_recall under mnist1, [^;]*; so mnist, fashion-mnist,", out)
    assert "recall, a metric, version 1" in out
    assert "image_recall, a metric, version 1" in out
    kinds = [(e["kind"], e["name"]) for e in json.loads(genbench("show", "recall", "--json").out)]
    assert kinds == [("metric", "recall"), ("metric", "image_recall")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fd[mnist-cnn-1]", "fd, a metric"),
        ("mnist-cnn-1", "mnist-cnn, an extractor"),
        ("dcgan-gp", "dcgan-gp, a pair of networks"),
        (
            "wgan-gp[recipe=small-images]",
            "networks dcgan-gp the pair of generator and critic; dcgan-gp for critics",
        ),
        ("recall[k=3]", "k 3 (int ≥ 1)"),
        ("nll", "bound none (int | none)"),
        ("gan, EMA 0.999", "gan, a trainer"),
        ("null band", "where 95 % of the truth's own values lie"),
        ("PacGAN2", "PacGAN2, published: modes 7.9 on ring8, arXiv:1712.04086"),
        ("pacgan2018", "columns modes modes[rule=any] hq hq reverse_kl reverse_kl[junk=false]"),
        ("mnist", "protocol mnist1"),
    ],
)
def test_show_knows_what_tables_print(name, said, genbench):
    ran = genbench("show", name)
    assert ran.code == 0
    assert said in " ".join(ran.out.split())


@pytest.mark.parametrize("name", ["recall", "fid", "fd[mnist-cnn-1]", "modes", "null band", "PacGAN2"])
def test_what_show_says_of_columns_fits_a_terminal_of_80_columns(name, genbench):
    assert max(map(cell_len, genbench("show", name).out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "wgan-gp[lr=0]"], "parameter lr can't be 0"),
        (["show", "fd[nothing-1]"], "'nothing-1' in 'fd[nothing-1]' is not a parameter. Write fd[key=value], a value"),
        (["show", "modes_an"], "No thing, column or row is named 'modes_an'. Did you mean modes_any"),
        (["show", "wgan_gp"], "is named 'wgan_gp'. Did you mean wgan-gp"),
        (["show"], "Missing argument"),
        (["list", "nothing"], "nothing"),
        (["list", "--plugin", "none.py"], "none.py is not a file"),
        (["lits"], "No such command 'lits'"),
    ],
    ids=str,
)
def test_refuses_what_it_does_not_know(arguments, message, genbench):
    ran = genbench(*arguments)
    assert ran.code == 2
    assert message in ran.err


def test_doctor_finds_nothing_wrong(genbench):
    ran = genbench("doctor")
    assert ran.code == 0
    assert ran.out.endswith("All well.\n")
    report = json.loads(genbench("doctor", "--json").out)
    assert report["problems"] == []
    assert report["registered"] == {held.plural: len(list(held)) for held in registry.REGISTRIES}
    assert report["devices"][0].startswith("cpu (")
    assert report["packages"].keys() == set(provenance.PACKAGES)


def test_doctor_tells_of_a_package_that_is_missing(genbench, monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", (*provenance.PACKAGES, "no-such-package"))
    ran = genbench("doctor")
    assert ran.code == 1
    assert "problem: package no-such-package is not installed" in ran.out
    assert "All well" not in ran.out


def test_plugin_of_a_file_is_listed_shown_and_run(genbench, monkeypatch):
    monkeypatch.setattr(bands, "MEASURED_DRAWS", 20)
    path = PLUGIN / "genbench_crescent.py"
    assert "crescent" in listed(genbench("list", "--json", "--plugin", path))["datasets"]
    ran = genbench("show", "moments", "--plugin", path)
    assert ran.code == 0
    assert ran.out.startswith("moments, a trainer, version 1, from genbench_plugin_genbench_crescent")
    ran = genbench("run", "--suite", "toy2d-smoke", "--trainer", "moments", "--dataset", "crescent", "--seeds", "0",
                   "--plugin", path)  # fmt: skip
    assert (ran.code, "1 done" in ran.out) == (0, True)


def test_plugin_that_is_installed_is_listed(tmp_path):
    install(tmp_path / "site", "genbench_crescent")
    found = with_installed(tmp_path / "site", "list", "--json")
    assert (found.returncode, found.stderr) == (0, "")
    names = {
        kind: [entry["name"] for entry in entries if entry.get("origin") == "genbench_crescent"]
        for kind, entries in json.loads(found.stdout).items()
    }
    assert (names["datasets"], names["trainers"], names["metrics"]) == (["crescent"], ["moments"], ["mean_gap"])


@pytest.mark.parametrize(("command", "code"), [("list", 0), ("doctor", 1)])
def test_plugin_that_is_broken_is_told_and_not_fatal(command, code, tmp_path):
    install(tmp_path / "site", "sorry", "raise RuntimeError('no such luck')")
    ran = with_installed(tmp_path / "site", command)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert "plugin mine" in ran.stdout
    assert "RuntimeError: no such luck" in ran.stdout
    as_json = json.loads(with_installed(tmp_path / "site", command, "--json").stdout)
    told = as_json["broken_plugins"] if command == "list" else as_json["problems"]
    assert len(told) == 1
    assert "no such luck" in str(told)


def test_broken_plugin_is_named_where_a_name_is_missing(tmp_path):
    install(tmp_path / "site", "sorry", "raise RuntimeError('no such luck')")
    ran = with_installed(tmp_path / "site", "run", "--suite", "theirs")
    assert ran.returncode == 2
    assert "These plugins failed to load: mine; see genbench doctor." in ran.stderr


def test_show_of_a_reference_gives_a_value_to_what_has_no_default(genbench):
    out = genbench("show", "fd[extractor=mnist-cnn]").out
    assert re.search(r"extractor +mnist-cnn ", out)
