"""Where everything lies in a results folder.

    <results>/<suite>/suite.json                                  the plan
    <results>/<suite>/<dataset>/controls.json                     the rows that need no training, and null bands
    <results>/<suite>/<dataset>/controls-<id>.json                those of other data that had the same label before
    <results>/<suite>/<dataset>/<trainer>/seed-<n>-<id>/
        record.json          written last: with it the trial is finished
        scores.json          can be computed again
        curve.parquet        metrics and losses at the checkpoints
        losses.parquet       losses every hundred generator steps; the oldest records have none
        samples.safetensors  the final samples and what the pictures need
        weights.safetensors
        traceback.txt        where an error that ended the trial came from
        checkpoint.safetensors   only while the trial is unfinished
    <results>/external/<dataset>/<name>.json    scores of samples from elsewhere, under every protocol they were scored
    <results>/tensorboard/<suite>/<dataset>/<trainer>/seed-<n>-<id>/    TensorBoard's event files; no suite, never read

A suite may be packed into `<results>/<suite>.zip` (`genbench.records.packed`); where it has a folder, that is read.
`<results>/reference/` is a results folder of its own and no part of `<results>`. What is found elsewhere than where it
belongs, and there as well, is a copy, and counts for nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genbench.spec import Trial, canonical_json

RECORD, SCORES, CURVE, CONTROLS, PLAN = "record.json", "scores.json", "curve.parquet", "controls.json", "suite.json"
LOSSES = "losses.parquet"
TRACEBACK = "traceback.txt"
SAMPLES, WEIGHTS, CHECKPOINT = "samples.safetensors", "weights.safetensors", "checkpoint.safetensors"
PARTS = frozenset((RECORD, SCORES, CURVE, LOSSES, TRACEBACK, SAMPLES, WEIGHTS))
"""The files of a trial that has ended."""

AVERAGED = "ema."
"""Begins the names of tensors of averaged weights, and of what those make."""

IMAGE_SHAPE = "image_shape"
"""Names the channels, height and width of stored samples that are rows of pixels."""

REFERENCE, EXTERNAL, BOARDS = "reference", "external", "tensorboard"
PLAIN_LABEL = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)(?:\[([A-Za-z0-9._=,-]+)\])?")


def trial_folder(home: Path, trial: Trial, number: str) -> Path:
    """Where a trial of that number lives in its suite's folder."""
    return home / slug(trial.dataset.label) / slug(trial.trainer.label) / f"seed-{trial.seed}-{number}"


def controls_aside(cell: Path, truth: Mapping[str, Any]) -> Path:
    """Where controls of other data than `controls.json` holds are kept."""
    return cell / CONTROLS.replace(".", f"-{hashlib.sha256(canonical_json(truth).encode()).hexdigest()[:8]}.")


def slug(label: str) -> str:
    """A label as a folder's name: `wgan-gp[penalty=1]` becomes `wgan-gp+penalty=1`.

    Names differ where labels do: one that is long, or has characters that folders had better not, ends in its hash.
    """
    plain = PLAIN_LABEL.fullmatch(label)
    if plain and len(label) <= 100:
        return "+".join(filter(None, plain.groups())).replace(",", "+")
    readable = re.sub(r"[^A-Za-z0-9._=-]+", "_", label)[:100].lstrip(".")
    return f"{readable}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"
