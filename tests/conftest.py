"""What every test needs."""

import pytest

from genbench.executors.process import run_conditions


@pytest.fixture(autouse=True, scope="session")
def as_in_a_run():
    """Results and timings are those of a run: torch on one thread, freed memory kept."""
    with run_conditions():
        yield
