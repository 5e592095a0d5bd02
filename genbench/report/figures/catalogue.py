"""The pictures of a report: which are drawn of a suite's results, under which names, with which captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

from genbench.records.store import CURVE, LOSSES, Store, slug
from genbench.report.figures import curves, films, galleries, points, stored
from genbench.report.figures.sheet import Sheet
from genbench.report.figures.stored import Tensors
from genbench.report.figures.style import STYLE, Colours, Drawn, Picture, colours, write
from genbench.report.places import Rows, finished, in_order, placed, trainers
from genbench.scoring.protocols import protocol
from genbench.spec import Suite, Trial


def draw(store: Store, suite: str, folder: Path) -> Iterator[Drawn]:
    """Draws a suite's pictures into `folder` and yields each as it is written."""
    for picture in pictures(store, suite):
        yield write(picture, folder)


def pictures(store: Store, suite: str) -> Iterator[Picture]:
    """A suite's pictures, each made when it is asked for; of several budgets, those of the plan's first one."""
    plan = store.plan(suite)
    everywhere = placed(store.trials(suite), plan)
    places = {place: done for place, rows in everywhere.items() if (done := finished(rows))}
    budgets = dict.fromkeys(budget for _, budget in places)
    if not budgets:
        return
    budget = in_order(budgets, [str(budget) for budget in plan.budgets] if plan else ())[0]
    which = f" Of the budget {budget}." if len(budgets) > 1 else ""
    of_budget = {dataset: rows for (dataset, other), rows in places.items() if other == budget}
    for picture in _pictures(store, of_budget, colours(trainers(everywhere)), plan, budget):
        yield picture._replace(caption=picture.caption + which)


def _pictures(
    store: Store, done: Mapping[str, Rows], of_trainers: Colours, plan: Suite | None, budget: str
) -> Iterator[Picture]:
    """The pictures of finished trials of one budget, by dataset, of trainers in the order of their colours."""
    scored = plan.protocols if plan else ()
    drawn = [name for name in of_trainers if any(name in rows for rows in done.values())]
    with mpl.rc_context(STYLE):
        cells = {
            (dataset, trainer): tensors
            for dataset, of in done.items()
            for trainer, trials in of.items()
            if (tensors := stored.samples(store, min(trials, key=lambda trial: trial.record.trial.seed)))
        }
        planar = {cell: tensors for cell, tensors in cells.items() if not _are_images(tensors)}
        if any("landscape" in tensors for tensors in planar.values()):
            shown = [dataset for dataset in done if any(dataset == cell[0] for cell in planar)]
            yield Picture(
                "landscapes",
                None,
                "landscapes.png",
                f"Generated samples in colour over real ones in grey, on the level sets of the critic or discriminator "
                f"(darker is higher), after {budget}; the first seed of each.",
                points.landscapes(planar, shown, drawn, of_trainers),
            )
        for dataset in done:
            row = {trainer: cells[dataset, trainer] for trainer in drawn if (dataset, trainer) in cells}
            yield from _planar(dataset, row, of_trainers)
            yield from _images(dataset, row, of_trainers)
            yield from _curves(store, dataset, done[dataset], of_trainers, any(map(_are_images, row.values())), scored)


def draw_trial(trial: Trial, tensors: Tensors, folder: Path) -> Iterator[Drawn]:
    """Draws one trial's samples and what belongs to them into `folder`."""
    trainer, dataset = trial.trainer.label, trial.dataset.label
    row, of_trainers = {trainer: tensors}, colours([trainer])
    with mpl.rc_context(STYLE):
        for picture in (*_planar(dataset, row, of_trainers), *_images(dataset, row, of_trainers)):
            yield write(picture, folder)


def _planar(dataset: str, row: Mapping[str, Tensors], of_trainers: Colours) -> Iterator[Picture]:
    strips = {t: tensors for t, tensors in row.items() if "strip" in tensors and not _are_images(tensors)}
    if strips:
        yield Picture(
            "strip",
            dataset,
            f"strip-{slug(dataset)}.png",
            f"{dataset}: samples along training, always from the same noise; real in grey, first seed of each.",
            points.strip(strips, of_trainers),
        )


def _images(dataset: str, row: Mapping[str, Tensors], of_trainers: Colours) -> Iterator[Picture]:
    cells = {trainer: tensors for trainer, tensors in row.items() if _are_images(tensors)}
    if not cells:
        return
    real = " beside real images" if any("real" in tensors for tensors in cells.values()) else ""
    sheets: dict[str, tuple[Sheet | None, str]] = {
        "strip": (
            galleries.film_strip(cells, of_trainers),
            "samples along training, always from the same noise; the first seed of each.",
        ),
        "samples": (
            galleries.grids(cells, of_trainers),
            f"the first samples at the end of training{real}, none picked; the first seed of each.",
        ),
        "interpolation": (
            galleries.interpolations(cells, of_trainers),
            "samples between two latents, those of a pair of rows the same: in a straight line and along the sphere; "
            "the first seed of each.",
        ),
        "sweep": (
            galleries.sweeps(cells, of_trainers),
            "samples along single dimensions of the latent, all others fixed; the first seed of each.",
        ),
        "neighbours": (
            galleries.neighbourhoods(cells, of_trainers),
            "the first samples beside the training images nearest to them, with their distances in grey levels; "
            "the first seed of each.",
        ),
    }
    for kind, (sheet, caption) in sheets.items():
        if sheet is not None:
            yield Picture(kind, dataset, f"{kind}-{slug(dataset)}.png", f"{dataset}: {caption}", sheet)
    for trainer, generator in galleries.generators(cells, of_trainers):
        if generator.strip is not None:
            yield Picture(
                "film",
                dataset,
                f"film-{slug(dataset)}/{slug(trainer)}{'+ema' if generator.averaged else ''}.webp",
                f"{dataset}: {generator.title} along training, always from the same noise; the first seed.",
                films.Film(generator, generator.strip),
            )


def _curves(
    store: Store, dataset: str, rows: Rows, of_trainers: Colours, images: bool, protocols: Sequence[str]
) -> Iterator[Picture]:
    along = stored.tables(store, rows, CURVE)
    on = f" on {protocol(protocols[0]).along().n:,} samples".replace(",", " ") if protocols else ""
    if metrics := curves.metrics_of(along):
        yield Picture(
            "curves",
            dataset,
            f"curves-{slug(dataset)}.png",
            f"{dataset}: metrics along training{on}, a thin line a finished seed, the thick one their median.",
            curves.metrics(along, metrics, of_trainers, images),
        )
    losses = curves.losses(stored.tables(store, rows, LOSSES, optional=True), of_trainers)
    if losses is not None:
        yield Picture(
            "losses",
            dataset,
            f"losses-{slug(dataset)}.png",
            f"{dataset}: each network's loss along training, on a scale of its own that {curves.LOSS_SHOWN} % of the "
            f"values set; a thin line a finished seed, the thick one their median.",
            losses,
        )


def _are_images(tensors: Tensors) -> bool:
    final = tensors["final"]
    return bool(final.ndim == 4)
