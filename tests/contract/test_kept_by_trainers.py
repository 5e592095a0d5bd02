"""Every trainer passes the contract's quick checks, with its defaults and with each recipe."""

import re

import pytest
from keeping import each, keeps

from genbench.contract import trainers as of_trainers
from genbench.contract.trained import TrainerCase
from genbench.references import Reference
from genbench.registry import trainers

TRAINERS = [
    Reference(entry.name, {"recipe": recipe} if recipe else {}) for entry in trainers for recipe in ("", *entry.recipes)
]


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
    return str(trainers[reference.name].resolve(reference.parameters).get("networks")).startswith(("dcgan", "meg"))


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
