"""What a process shares is of the files that were planned with, whatever happens to them meanwhile."""

import pictures
import pytest

from genbench.errors import GenbenchError
from genbench.registry import datasets
from genbench.spec import Component
from genbench.trials.resources import build_dataset


def test_centres_that_changed_since_the_plan_are_told(tmp_path):
    path = tmp_path / "centres.csv"
    path.write_text("x,y\n0,0\n1,1\n")
    planned = Component.resolve(datasets, f"mixture[path={path},std=1]")
    path.write_text("x,y\n0,0\n2,2\n")
    with pytest.raises(
        GenbenchError, match=r"The files of mixture.* changed while it was read\. Give the command again"
    ):
        build_dataset(planned)
    path.write_text("x,y\n0,0\n1,1\n")
    assert build_dataset(planned).modes.centres.tolist() == [[0, 0], [1, 1]]


def test_images_that_changed_since_the_plan_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    path = pictures.folder(tmp_path / "own", pictures.many(60))
    planned = Component.resolve(datasets, f"images[path={path},size=16]")
    (path / "000007.jpg").write_bytes(pictures.encoded(99))
    with pytest.raises(GenbenchError, match="changed while it was read"):
        build_dataset(planned)
