"""Made-up trials of points and of images, and their pictures."""

from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
import torch

from genbench.records.store import Store
from genbench.report.content import Content
from genbench.report.figures import catalogue as figures
from genbench.report.page import page

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
FRAMES = 3
STEPS = np.array([1, 10, 40])


@pytest.fixture(scope="session")
def reference_page():
    """The page of toy2d's committed records."""
    return page([Content(Store(REFERENCE), "toy2d")])


@pytest.fixture
def put(tmp_path):
    """`put("gan", …)`: a trial with a curve, and with all samples that the pictures need but those named `without`."""

    def trial(trainer="gan", dataset="ring8", seed=0, *, without=(), dimensions=2, metrics=("modes", "hq"), **samples):
        rng = torch.Generator().manual_seed(seed)
        tensors = {
            "final": torch.randn(60, dimensions, generator=rng),
            "strip": torch.randn(FRAMES, 40, dimensions, generator=rng).half(),
            "real": torch.randn(50, dimensions, generator=rng).half(),
            "landscape": torch.randn(8, 8, generator=rng),
            "extent": torch.tensor([[-2.0, -2.0], [2.0, 2.0]]),
            **samples,
        }
        return store_trial(tmp_path, (trainer, dataset, seed), tensors, without, metrics)

    return trial


@pytest.fixture
def put_images(tmp_path):
    """`put_images("gan", …)`: a trial of images, with all that it may store but what is named `without`."""

    def trial(trainer="gan", dataset="mnist", seed=0, *, without=(), event=(1, 8, 8), metrics=("modes",), **samples):
        rng = torch.Generator().manual_seed(seed + len(trainer))

        def images(*leading):
            return torch.randint(256, (*leading, *event), generator=rng, dtype=torch.uint8)

        tensors = {
            "final": images(80),
            "strip": images(FRAMES, 16),
            "linear": images(2, 11),
            "spherical": images(2, 11),
            "sweep": images(4, 11),
            "neighbours": images(3, 5),
            "neighbour_distances": torch.rand(3, 5, generator=rng),
            "real": images(64),
            "ema.final": images(80),
            "ema.strip": images(FRAMES, 16),
            **samples,
        }
        return store_trial(tmp_path, (trainer, dataset, seed), tensors, without, metrics)

    return trial


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


@pytest.fixture
def draw(tmp_path, store):
    """Draws everything and gives the pictures by their names inside the folder."""

    def everything(folder="report"):
        drawn = list(figures.draw(Content(store, "made-up"), tmp_path / folder))
        assert all(picture.caption and picture.path.is_file() for picture in drawn)
        return {picture.path.relative_to(tmp_path / folder).as_posix(): picture.path for picture in drawn}

    return everything


def store_trial(tmp_path, named, tensors, without, metrics):
    _, _, seed = named
    curve = {"steps": STEPS, "updates": 3 * STEPS, **dict.fromkeys(metrics, STEPS / 40 + seed)}
    return made_up.put(
        tmp_path / "results",
        made_up.trial(*named),
        made_up.scores({"modes": 8.0}),
        curve=pd.DataFrame(curve),
        samples={name: tensor for name, tensor in tensors.items() if name not in without},
    )
