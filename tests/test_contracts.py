"""Whatever is in a registry passes the contract's checks; what is genbench's own keeps to a little more."""

import re

import pictures
import pytest

from genbench.contract import entries
from genbench.contract import trainers as of_trainers
from genbench.contract.controls import CHECKS as OF_CONTROLS
from genbench.contract.controls import ControlCase
from genbench.contract.datasets import CHECKS as OF_DATASETS
from genbench.contract.datasets import DatasetCase
from genbench.contract.findings import examine
from genbench.contract.metric_case import PLACES, MetricCase, on_few, truth_about
from genbench.contract.metrics import CHECKS as OF_METRICS
from genbench.contract.plans import PROTOCOL_CHECKS, SUITE_CHECKS, ProtocolCase, SuiteCase
from genbench.contract.trained import TrainerCase
from genbench.errors import Skip
from genbench.metrics import models
from genbench.references import Reference
from genbench.registry import REGISTRIES, controls, datasets, metrics, protocols, suites, trainers

ENTRIES = {f"{entry.kind} {entry.name}": entry for registry in REGISTRIES for entry in registry}
DATASETS = [entry.name for entry in datasets]
TRAINERS = [
    Reference(entry.name, {"recipe": recipe} if recipe else {}) for entry in trainers for recipe in ("", *entry.recipes)
]


def applies(metric, place):
    try:
        return metrics[metric].build(truth_about(place), **on_few(metrics[metric], {})) is not None
    except Skip:
        return False


OF_SAMPLES = [entry for entry in metrics if entry.origin != models.__name__]
APPLYING = [(entry.name, place) for entry in OF_SAMPLES for place in PLACES if applies(entry.name, place)]


def each(checks):
    """A test for each check, by its name."""
    return pytest.mark.parametrize("check", checks, ids=lambda check: check.__name__)


def keeps(check, case):
    found = examine(check, case)
    assert not found.failed, found


@pytest.fixture(scope="module")
def made():
    """`made(kind, name)`: one case for all of its checks; skips what can't be had here."""
    cases = {}

    def case(kind, *given):
        if (kind, given) not in cases:
            try:
                cases[kind, given] = kind(*given)
            except Skip as skip:
                cases[kind, given] = skip
        if isinstance(found := cases[kind, given], Skip):
            pytest.skip(str(found))
        return found

    return case


@pytest.fixture(scope="module")
def dataset(made, tmp_path_factory):
    """`dataset(name)`: the case of that dataset with its defaults, or with an example of what has none."""
    folder = tmp_path_factory.mktemp("contracts")
    (folder / "centres.csv").write_text("0,0\n1,0\n0.5,2\n")
    images = pictures.zipped(folder / "images.zip", pictures.many(60))
    needed = {"mixture": {"path": str(folder / "centres.csv"), "std": 0.1}, "images": {"path": str(images)}}
    return lambda name: made(DatasetCase, str(Reference(name, needed.get(name, {}))))


@each(entries.CHECKS)
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_entry(entry, check):
    keeps(check, entry)


@each(OF_DATASETS)
@pytest.mark.parametrize("name", DATASETS)
def test_dataset(name, check, dataset):
    keeps(check, dataset(name))


@each(of_trainers.QUICK)
@pytest.mark.parametrize("reference", TRAINERS, ids=str)
def test_trainer(reference, check, made):
    keeps(check, made(TrainerCase, str(Reference(reference.name, {**reference.parameters, **small(reference)}))))


@pytest.mark.parametrize("reference", TRAINERS, ids=str)
def test_trainer_steps_at_full_size(reference, made):
    """A network of the write-up's size takes minutes for a whole batch."""
    few = {"batch": 4} if takes_images(reference) else {}
    keeps(of_trainers.steps, made(TrainerCase, str(Reference(reference.name, {**reference.parameters, **few}))))


def takes_images(reference):
    return str(trainers[reference.name].resolve(reference.parameters).get("networks")).startswith("dcgan")


def small(reference):
    few = {"steps": 2} if "steps" in trainers[reference.name].annotations else {}
    return few | {"width": 8, "batch": 4 if takes_images(reference) else 16}


def test_recipes_give_parameters_that_their_trainer_has_and_differ_from_the_defaults():
    for entry in trainers:
        for recipe in entry.recipes:
            chosen = entry.resolve({"recipe": recipe})
            assert chosen.items() >= entry.recipes[recipe].items()
            assert chosen != entry.resolve({})


def test_every_recipe_says_where_it_comes_from_and_where_it_departs_from_there():
    for entry in trainers:
        assert entry.notes.keys() == entry.recipes.keys()
        for note in entry.notes.values():
            assert re.fullmatch(r"Source: \S.{10,}\. Departs: \S.{10,}\.", note)


@each(OF_METRICS)
@pytest.mark.parametrize(("name", "place"), APPLYING)
def test_metric(name, place, check, made):
    keeps(check, made(MetricCase, name, place))


@pytest.mark.parametrize("name", [entry.name for entry in OF_SAMPLES])
def test_metric_applies_somewhere_and_says_why_not_elsewhere(name):
    places = [place for metric, place in APPLYING if metric == name]
    assert places
    for place in set(PLACES) - set(places):
        with pytest.raises(Skip, match=r"^the dataset('s)? "):
            metrics[name].build(truth_about(place), **on_few(metrics[name], {}))


@each(PROTOCOL_CHECKS)
@pytest.mark.parametrize("name", [entry.name for entry in protocols])
def test_protocol(name, check, made):
    keeps(check, made(ProtocolCase, name))


@each(OF_CONTROLS)
@pytest.mark.parametrize("name", [entry.name for entry in controls])
@pytest.mark.parametrize("target", DATASETS)
def test_control(name, target, check, dataset, made):
    keeps(check, made(ControlCase, name, dataset(target).dataset))


@each(SUITE_CHECKS)
@pytest.mark.parametrize("name", [entry.name for entry in suites])
def test_suite(name, check, made):
    keeps(check, made(SuiteCase, name))
