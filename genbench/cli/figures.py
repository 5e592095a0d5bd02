"""`genbench figures`: one trial's pictures, made anew from its stored weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genbench.cli.options import DataFolder, Device, Plugins, load, use_data
from genbench.cli.stored import tell_unreadable

if TYPE_CHECKING:
    from torch import Tensor

    from genbench.records.record import Record
    from genbench.registry import Registry
    from genbench.spec import Component, Trial


def figures(
    trial: Annotated[Path, typer.Argument(help="A trial's folder, results/SUITE/DATASET/TRAINER/seed-N-ID.")],
    out: Annotated[Path | None, typer.Option(help="Where pictures go; TRIAL/figures by default.")] = None,
    noise_seed: Annotated[
        int | None,
        typer.Option(min=0, help="Draws other samples and latents; the trial's seed by default."),
    ] = None,
    device: Device = "auto",
    data: DataFolder = None,
    plugin: Plugins = None,
) -> None:
    """Draw a trial's samples, ways through its latent space and nearest training images, from its stored weights.

    Unlike a report, these show training images of private datasets too: mind whom you pass them on to.
    """
    load(plugin)
    use_data(data)
    from genbench import devices
    from genbench.records.store import Store
    from genbench.report.figures import stored
    from genbench.report.figures.catalogue import draw_trial

    devices.check(device)
    store = Store(trial.parent)
    stored_trial = store.trial(trial)
    _check_here(stored_trial.record)
    seed = stored_trial.record.trial.seed if noise_seed is None else noise_seed
    made = _made(stored_trial.record.trial, trial, seed, device)
    kept = stored.samples(store, stored_trial) or {}
    tensors = stored.as_images({**kept, **{name: tensor.numpy() for name, tensor in made.items()}})
    for drawn in draw_trial(stored_trial.record.trial, tensors, out or trial / "figures"):
        typer.echo(drawn.path)
    tell_unreadable(store)


def _check_here(record: Record) -> None:
    """Raises GenbenchError where a trial's trainer or dataset is a plugin's that the user hasn't named.

    A results folder may come from anyone, so that no file is loaded because a record says so.
    """
    from genbench.errors import GenbenchError
    from genbench.registry import datasets, trainers

    of: dict[Registry[Any], Component] = {trainers: record.trial.trainer, datasets: record.trial.dataset}
    plugins = record.provenance.get("plugins")
    for held, part in of.items():
        if plugins and not _is_here(held, part):
            given = " ".join(f"--plugin {plugin}" for plugin in plugins)
            raise GenbenchError(f"{part.label} was run with {given}. Say where that is now: --plugin FILE")


def _is_here(held: Registry[Any], part: Component) -> bool:
    """Whether there is a thing of that name, and all that its parameters name."""
    from genbench.errors import GenbenchError

    try:
        held[part.name].resolve(part.parameters)
    except GenbenchError:
        return False
    return True


def _made(trial: Trial, folder: Path, seed: int, device: str) -> dict[str, Tensor]:
    """Samples and what else its pictures show, from a trial's weights; raises GenbenchError where it kept none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from genbench import devices, seeding
    from genbench.datasets.images import stored
    from genbench.engine.paths import check_versions, revive
    from genbench.errors import GenbenchError
    from genbench.executors.process import run_conditions
    from genbench.records.layout import WEIGHTS
    from genbench.trials import latents
    from genbench.trials.resources import build_dataset

    try:
        weights = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise GenbenchError(
            f"{folder} holds no weights ({error}). Run the trial again without --no-weights: --rerun all"
        ) from None
    check_versions(trial)
    dataset = build_dataset(trial.dataset)
    with run_conditions():
        device = devices.resolve(device)
        stack = revive(trial, dataset, weights, device)
        rng = seeding.stream(seed, seeding.EVALUATION_NOISE, device)
        samples = stored(stack.sample(latents.REAL_POINTS, [rng])[0]).cpu()
        return {"final": samples} | latents.for_pictures(stack, 0, dataset, samples, seed, everything=True)
