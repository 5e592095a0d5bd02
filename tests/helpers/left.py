"""What a trial has left behind, as far as it is the same each time."""

import made_up
import pandas as pd
from safetensors.torch import load_file

from genbench.records import layout
from genbench.records.store import Store

TIMES = ["seconds"]
"""What two runs of the same trial don't share."""


def left(task):
    """All that a report reads of a trial, but for the times that it took."""
    folder = made_up.place(task)
    (found,) = [each for each in Store(folder.parents[3]).trials(task.context.suite) if each.folder == folder]
    tensors = load_file(folder / layout.SAMPLES) | load_file(folder / layout.WEIGHTS)
    tables = [
        pd.read_parquet(folder / name).drop(columns=TIMES, errors="ignore")
        for name in (layout.CURVE, layout.LOSSES)
        if (folder / name).exists()
    ]
    return (
        found.record.weights_sha256,
        found.record.cost.steps,
        {name: tensor.numpy().tobytes() for name, tensor in tensors.items()},
        [table.to_csv() for table in tables],
        [score.model_dump() for score in found.scores.scores],
        sorted(path.name for path in folder.iterdir()),
    )
