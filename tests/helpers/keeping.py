"""A test for each of a contract's checks, held against whatever is registered."""

import pytest

from genbench.contract.findings import examine
from genbench.registry import datasets

DATASETS = [entry.name for entry in datasets]


def each(checks):
    """A test for each check, by its name."""
    return pytest.mark.parametrize("check", checks, ids=lambda check: check.__name__)


def keeps(check, case):
    found = examine(check, case)
    assert not found.failed, found
