"""Killed at any instant, again and again, trials leave the weights, curves, losses and scores of undisturbed ones.

`pytest -m slow tests/trials/test_random_kills.py -s` kills 250 times and says how often in how many runs.
"""

import killing
import pytest


@pytest.mark.parametrize("path", killing.PATHS)
def test_a_few_kills_change_nothing(path, tmp_path):
    killing.in_a_new_process(killing.killed_at_instants, path, 2, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", killing.PATHS)
def test_fifty_kills_change_nothing(path, tmp_path):
    print(killing.in_a_new_process(killing.killed_at_instants, path, 50, tmp_path))
