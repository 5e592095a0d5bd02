"""Cases for the contract's checks, each made once for all checks of a file."""

import pictures
import pytest

from genbench.contract.datasets import DatasetCase
from genbench.errors import Skip
from genbench.references import Reference


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
