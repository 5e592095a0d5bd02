"""`genbench score`: what a protocol says of samples that came from elsewhere."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.data import decode_first
from genbench.cli.options import (
    DataFolder,
    Device,
    Dinov2Weights,
    InceptionWeights,
    Metrics,
    Plugins,
    command_line,
    load,
    metrics_given,
    no_garbage,
    own_protocol,
    use_data,
    use_weights,
)
from genbench.cli.streams import document
from genbench.errors import GenbenchError
from genbench.references import printable

if TYPE_CHECKING:
    from genbench.records.record import ControlScores, External, Score
    from genbench.scoring.external import Samples
    from genbench.scoring.external.scale import Range
    from genbench.scoring.protocols import Protocol
    from genbench.spec import Component
    from genbench.trials.controls import Null

CONTROL_DRAWS = 2
LONGEST_NAME = 60


def score(
    samples: Annotated[
        Path,
        typer.Argument(help="A .npy, .npz, .csv, .parquet or .safetensors file, or a folder or a zip of images."),
    ],
    dataset: Annotated[str, typer.Option(help="What they are samples of, say ring8 or mnist.")],
    protocol: Annotated[str | None, typer.Option(help="The way of scoring; the dataset's own by default.")] = None,
    metric: Metrics = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="Which array of a file that holds several.")] = None,
    drop_nonfinite: Annotated[
        bool, typer.Option("--drop-nonfinite", help="Leave out samples that hold NaN or infinity.")
    ] = False,
    range_: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="BLACK,WHITE",
            help="What black and white are in the images, 0,1 say; else 0,255 of uint8 and -1,1 of floats.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the scores alone, as JSON, and measure no controls.")
    ] = False,
    all_metrics: Annotated[bool, typer.Option("--all-metrics", help="Every column, not the main ones alone.")] = False,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the scores under this name, for genbench report.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The results folder that --save writes to.")] = Path("results"),
    device: Device = "auto",
    data: DataFolder = None,
    inception_weights: InceptionWeights = None,
    dinov2_weights: Dinov2Weights = None,
    plugin: Plugins = None,
) -> None:
    """Score samples that any program made, beside the dataset's controls.

    Arrays hold points (n, features) of floats, or images with channels first or last, uint8 or floats in [−1, 1].

    Which samples there are decides their scores, not in which order they lie.

    Exit code: 0 all well, also where some metrics were skipped; 2 for samples that can't be scored.
    """
    with no_garbage():
        _keep_pot_light()
        load(plugin)
        use_data(data)
        use_weights(inception=inception_weights, dinov2=dinov2_weights)
        _score(samples, dataset, protocol, metric, key, drop_nonfinite, range_, as_json, all_metrics, save, out, device)


def _score(
    path: Path,
    dataset: str,
    protocol: str | None,
    metric: list[str] | None,
    key: str | None,
    drop_nonfinite: bool,
    range_: str | None,
    as_json: bool,
    all_metrics: bool,
    save: str | None,
    out: Path,
    device: str,
) -> None:
    from genbench import cores, devices
    from genbench.records.store import Store
    from genbench.references import Reference
    from genbench.registry import datasets
    from genbench.scoring.external import find
    from genbench.scoring.external.scale import Range
    from genbench.scoring.protocols import protocol as protocol_named
    from genbench.spec import Component

    # All that can be refused before torch is imported, but for a device that is asked for.
    devices.check(device)
    way = protocol_named(protocol or own_protocol(Reference.parse(dataset).name)).adding(metrics_given(metric))
    label = printable(path.name or str(path)) if save is None else _checked(save)
    find(path, key)
    black_and_white = Range.parse(range_) if range_ is not None else None
    component = Component.resolve(datasets, dataset)
    store = Store(out) if save is not None else None
    if store is not None:
        store.check_writable()
    if datasets[component.name].stock is not None:
        from rich.console import Console

        decode_first(Console(stderr=True, highlight=False), [component])
    from genbench.executors.process import run_conditions

    with run_conditions(), cores.spared(cores.available() - 1):
        device = devices.resolve(device)
        read, null, scores = _scored(path, component, way, key, drop_nonfinite, black_and_white, device)
        if as_json:
            document(_json(component, way, len(read.values), scores))
            if read.left_out:
                typer.echo(f"Left out: {read.left_out}.", err=True)
        if as_json and store is None:
            return
        entry = _entry(label, path, component, read, scores, device)
        if not as_json:
            if len(read.values.shape) > 2:
                typer.echo("Measuring the controls, which takes a while; --json does without.", err=True)
            _print(entry, way, _controls(component, null, device), read, all_metrics)
    if store is not None:
        replaced = store.write_external(entry)
        instead = f", in place of scores of {replaced}" if replaced else ""
        folder = shlex.quote(printable(str(out)))
        typer.echo(f"Kept as {label!r}{instead}; genbench report {folder} shows it beside what was trained.", err=True)


def _keep_pot_light() -> None:
    """Has POT, which finds W2, import no other library to compute with from here on: it is given numpy's arrays."""
    for library in ("JAX", "TENSORFLOW", "CUPY"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{library}", "1")


def _scored(
    path: Path,
    component: Component,
    way: Protocol,
    key: str | None,
    drop_nonfinite: bool,
    black_and_white: Range | None,
    device: str,
) -> tuple[Samples, Null, tuple[Score, ...]]:
    """The samples, the dataset's null bands, and the samples' scores."""
    from genbench.scoring.bands import bands, unshipped
    from genbench.scoring.external import read
    from genbench.trials.preflight import try_metrics
    from genbench.trials.resources import build_dataset, scorer

    dataset = build_dataset(component)
    samples = read(path, dataset.event_shape, key, drop_nonfinite, black_and_white)
    try_metrics([component], way, device)
    judge = scorer(component, way, device)
    _check_count(path, len(samples.values), way, judge.blanks)
    lacking = unshipped(component, judge)
    if len(lacking) == len(way.columns):
        typer.echo(f"Measuring null bands: none of {component.label} under {way.name} ship with genbench.", err=True)
    elif lacking:
        typer.echo(f"Measuring null bands of {', '.join(lacking)} on {component.label}: none ship.", err=True)
    null = bands(component, dataset, judge)
    scores = judge(samples.values, null)
    if all(score.state == "skipped" for score in scores):
        raise _nothing_scored(path, way, scores)
    return samples, {way: null}, scores


def _check_count(path: Path, given: int, way: Protocol, blanks: Sequence[Score]) -> None:
    """Says which protocols take fewer samples where some column needs more than are given.

    Raises GenbenchError where none can be scored.
    """
    applied = [blank for blank in blanks if blank.reason is None]
    wanting = [blank for blank in applied if blank.identity.n > given]
    if not wanting and applied:
        return
    if not applied:
        raise _nothing_scored(path, way, blanks)
    fewer = _protocols_for(given, way, [blank.name for blank in applied])
    offered = f" These take fewer: {', '.join(fewer)} (--protocol NAME)." if fewer else ""
    least, most = (f"{of(blank.identity.n for blank in wanting):,}" for of in (min, max))
    needed = most if least == most else f"{least} to {most}"
    said = f"{path} holds {given:,} samples, and {', '.join(b.name for b in wanting)} under {way.name} need {needed}."
    if len(wanting) == len(applied):
        raise GenbenchError(f"{said} Give more.{offered}")
    typer.echo(f"{said} They are left out.{offered}", err=True)


def _protocols_for(given: int, way: Protocol, columns: Sequence[str]) -> list[str]:
    """The other protocols that score by what decides this one, of these columns, on so many samples, with their n."""
    from genbench.registry import protocols
    from genbench.scoring.protocols import protocol as protocol_named

    deciding = [name for name in way.deciding if name in columns] or columns
    wanted = {_looked_through(way.columns[name]) for name in deciding}
    others = [protocol_named(entry.name) for entry in protocols if entry.name != way.name]
    return [
        f"{other.name} ({other.n:,})"
        for other in sorted(others, key=lambda other: -other.n)
        if other.n <= given and wanted & set(map(_looked_through, other.columns.values()))
    ]


def _looked_through(metric: str) -> tuple[str, str | None]:
    """A metric's name and that of the extractor it looks through, if any."""
    from genbench.references import Reference

    reference = Reference.parse(metric)
    through = reference.parameters.get("extractor")
    return reference.name, None if through is None else str(through)


def _nothing_scored(path: Path, way: Protocol, scores: Sequence[Score]) -> GenbenchError:
    reasons = "; ".join(dict.fromkeys(str(score.reason) for score in scores))
    return GenbenchError(f"Nothing of {path} can be scored under {way.name}: {reasons}.")


def _entry(
    name: str, path: Path, component: Component, samples: Samples, scores: tuple[Score, ...], device: str
) -> External:
    from genbench.records import provenance
    from genbench.records.record import External

    return External(
        name=name,
        dataset=component,
        source=printable(path.name),
        n=len(samples.values),
        samples_sha256=samples.sha256,
        scores=scores,
        provenance=provenance.gather(device, command_line()),
    )


def _controls(component: Component, null: Null, device: str) -> ControlScores:
    """A few draws of every control that applies, as `genbench run` measures them."""
    from genbench.records.record import ControlScores
    from genbench.trials.controls import all_draws

    drawn = all_draws(component, null, CONTROL_DRAWS, device)
    bands = tuple(band for of in null.values() for band in of.values())
    return ControlScores(dataset=component.label, key="", draws=drawn, bands=bands)


def _print(entry: External, way: Protocol, controls: ControlScores, samples: Samples, all_metrics: bool) -> None:
    from dataclasses import replace

    from genbench.report import formats
    from genbench.report.table import external_table

    table = external_table(entry, way, controls)
    notes = [*table.notes]
    if entry.n > way.n:
        notes.append(f"Of the {entry.n} samples, {way.n} are scored, drawn from them as if by lot.")
    if samples.dropped:
        notes.append(f"{samples.dropped} samples that hold NaN or infinity were left out.")
    if samples.left_out:
        notes.append(f"Left out: {samples.left_out}.")
    table = replace(table, notes=tuple(notes))
    formats.terminal([table if all_metrics else table.headline()])


def _json(component: Component, way: Protocol, n: int, scores: Sequence[Score]) -> str:
    fields = ("value", "unit", "higher_is_better", "null_low", "null_high", "state", "reason")
    payload = {
        "dataset": component.label,
        "protocol": way.name,
        "given": n,
        "n": min(n, way.n),
        "scores": {
            score.name: {field: getattr(score, field) for field in fields} | {"n": score.identity.n} for score in scores
        },
    }
    return json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False)


def _checked(name: str) -> str:
    """A name that a table can show; raises GenbenchError for any other."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise GenbenchError(f"--save {name!r} is no name. Give 1 to {LONGEST_NAME} printable characters.")
    return name.strip()
