"""What every test needs."""

import os
import tempfile

import pytest

from genbench.executors.process import run_conditions

# Set before any test is collected: some build what they are parametrised over, and none may leave files with the user.
CACHE = tempfile.TemporaryDirectory(prefix="genbench-cache-")
os.environ["GENBENCH_CACHE"] = CACHE.name


@pytest.fixture(autouse=True, scope="session")
def as_in_a_run():
    """Results and timings are those of a run: torch on one thread, freed memory kept."""
    with run_conditions():
        yield
