import os

import pytest


@pytest.fixture(scope="session")
def needs_data():
    if "GENBENCH_DATA" not in os.environ:
        pytest.skip("GENBENCH_DATA is not set")
