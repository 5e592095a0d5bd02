"""The pictures of a report: which are drawn of a suite's results, under which names, with which captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genbench.records.layout import CURVE, LOSSES, SAMPLES, slug
from genbench.records.store import Found, Store
from genbench.report.content import Content
from genbench.report.figures import curves, films, galleries, points, stored
from genbench.report.figures.sheet import Sheet
from genbench.report.figures.stored import Tensors
from genbench.report.figures.style import ABREAST, Colours, Picture, PictureFile, colours, in_style, write
from genbench.report.guard import may_fail
from genbench.report.model import Table
from genbench.report.table import budgets_in_order
from genbench.scoring.protocols import Protocol, protocol
from genbench.spec import Suite, Trial


def draw(content: Content, folder: Path) -> Iterator[PictureFile]:
    """Draws a suite's pictures into `folder` and yields each as it is written."""
    for picture in pictures(content):
        with may_fail(content.store, content.store.home(content.suite), picture.name):
            yield write(picture, folder)


def pictures(content: Content) -> Iterator[Picture]:
    """A suite's pictures, each made when it is asked for; of several budgets, those of the plan's first one."""
    tables, plan = content.main, content.frame.plan
    done = [table for table in tables if table.finished]
    budgets = budgets_in_order((table.budget for table in done if table.budget is not None), plan)
    which = f" Of the budget {budgets[0]}." if len(budgets) > 1 else ""
    of_trainers = colours(label for table in tables for label in table.trials)
    first = [table for table in done if table.budget in budgets[:1]]
    for picture in _pictures(content, first, of_trainers, plan):
        yield picture._replace(caption=picture.caption + which)


def _pictures(content: Content, tables: Sequence[Table], of_trainers: Colours, plan: Suite | None) -> Iterator[Picture]:
    """The pictures of finished trials of one budget, of trainers in the order of their colours."""
    store, home = content.store, content.store.home(content.suite)
    done = {table.dataset: table.finished for table in tables}
    way = protocol(plan.protocols[0]) if plan else None
    drawn = [name for name in of_trainers if any(name in rows for rows in done.values())]
    with in_style():
        cells: dict[tuple[str, str], Tensors] = {}
        for dataset, trainer, trials in ((dataset, *each) for dataset, of in done.items() for each in of.items()):
            first = min(trials, key=lambda trial: trial.record.trial.seed)
            with may_fail(store, first.folder / SAMPLES, "a picture"):
                if tensors := stored.samples(store, first):
                    cells[dataset, trainer] = tensors
        yield from _made(store, home, "landscapes", _landscapes(cells, list(done), drawn, of_trainers, tables))
        for dataset in done:
            row = {trainer: cells[dataset, trainer] for trainer in drawn if (dataset, trainer) in cells}
            place = home / slug(dataset)
            yield from _made(store, place, "a strip", _planar(dataset, row, of_trainers))
            yield from _made(store, place, "galleries", _images(dataset, row, of_trainers))
            yield from _made(store, place, "curves", _curves(store, dataset, done[dataset], of_trainers, way))


def _made(store: Store, path: Path, what: str, made: Iterator[Picture]) -> Iterator[Picture]:
    """What can be made of some pictures, up to the first that can't."""
    pictures: list[Picture] = []
    with may_fail(store, path, what):
        pictures.extend(made)
    yield from pictures


def _landscapes(
    cells: Mapping[tuple[str, str], Tensors],
    datasets: Sequence[str],
    drawn: Sequence[str],
    of_trainers: Colours,
    tables: Sequence[Table],
) -> Iterator[Picture]:
    planar = {cell: tensors for cell, tensors in cells.items() if not _are_images(tensors)}
    if not any("landscape" in tensors for tensors in planar.values()):
        return
    shown = [dataset for dataset in datasets if any(dataset == cell[0] for cell in planar)]
    how = (
        f"generated samples in colour over real ones in grey, on the level sets of the critic or discriminator "
        f"(darker is higher), after {tables[0].budget}; the first seed of each."
    )
    if len(drawn) <= ABREAST:
        panorama = points.landscapes(planar, shown, drawn, of_trainers)
        yield Picture("landscapes", None, "landscapes.png", f"G{how[1:]}", panorama)
        return
    for dataset in shown:
        panorama = points.landscapes(planar, [dataset], drawn, of_trainers)
        yield Picture("landscapes", dataset, f"landscapes-{slug(dataset)}.png", f"{dataset}: {how}", panorama)


def draw_trial(trial: Trial, tensors: Tensors, folder: Path) -> Iterator[PictureFile]:
    """Draws one trial's samples and what belongs to them into `folder`."""
    trainer, dataset = trial.trainer.label, trial.dataset.label
    row, of_trainers = {trainer: tensors}, colours([trainer])
    with in_style():
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
    store: Store, dataset: str, trials: Mapping[str, Sequence[Found]], of_trainers: Colours, way: Protocol | None
) -> Iterator[Picture]:
    along = stored.curves(store, trials, CURVE)
    shown = "the median of finished seeds"
    if not curves.medians_alone(of_trainers):
        shown = "a thin line a finished seed, the thick one their median"
    on = f" on {way.along().n:,} samples".replace(",", " ") if way else ""
    if metrics := curves.metrics_of(along, way):
        yield Picture(
            "curves",
            dataset,
            f"curves-{slug(dataset)}.png",
            f"{dataset}: metrics along training{on}, {shown}.",
            curves.metrics(along, metrics, of_trainers),
        )
    losses = curves.losses(stored.curves(store, trials, LOSSES, optional=True), of_trainers)
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
