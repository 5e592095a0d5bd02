"""Every dataset and every control passes the contract's checks."""

import pytest
from keeping import DATASETS, each, keeps

from genbench.contract.controls import CHECKS as OF_CONTROLS
from genbench.contract.controls import ControlCase
from genbench.contract.datasets import CHECKS as OF_DATASETS
from genbench.registry import controls


@each(OF_DATASETS)
@pytest.mark.parametrize("name", DATASETS)
def test_dataset(name, check, dataset):
    keeps(check, dataset(name))


@each(OF_CONTROLS)
@pytest.mark.parametrize("name", [entry.name for entry in controls])
@pytest.mark.parametrize("target", DATASETS)
def test_control(name, target, check, dataset, made):
    keeps(check, made(ControlCase, name, dataset(target).dataset))
