"""`genbench run`: train and score what a suite plans and the results don't hold yet."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.announce import announce, announce_arithmetic
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
    own_protocol,
    use_data,
    use_weights,
)
from genbench.engine import Engine, Precision
from genbench.spec import MOST_CHECKPOINTS

if TYPE_CHECKING:
    from rich.console import Console

    from genbench.executors.chosen import Executor
    from genbench.executors.task import Context, Task
    from genbench.records.store import Store
    from genbench.spec import Suite
    from genbench.trials.plan import Plan

CUSTOM_BUDGET = "steps=6000"
CUSTOM_SEEDS = "0-4"
PROCESSOR_STACK = 5
"""More seeds at once than this gain nothing on a processor."""

STACKS_A_JOB = 2
"""So many stacks a process, or some processes would wait for the last ones."""


class Rerun(StrEnum):
    """Which trials to run although there is a record of them."""

    failed = "failed"
    stale = "stale"
    all = "all"


class Where(StrEnum):
    """What runs the tasks."""

    local = "local"
    ray = "ray"


def run(
    suite: Annotated[str | None, typer.Option(help="The plan to run, say toy2d; see genbench list suites.")] = None,
    trainer: Annotated[
        list[str] | None,
        typer.Option(help="Trainers instead of the suite's, as name[parameter=value]; may be repeated."),
    ] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Datasets instead of the suite's; may be repeated.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds instead of the suite's, say 0-4 or 0,7.")] = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(help="steps=N, updates=N, samples=N or seconds=S instead of the suite's; may be repeated."),
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Average the generator's weights with this decay, and score that one as well.")
    ] = None,
    metric: Metrics = None,
    checkpoints: Annotated[
        int | None, typer.Option(min=1, max=MOST_CHECKPOINTS, help="How often to measure, log-spaced.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The results folder.")] = Path("results"),
    device: Device = "auto",
    engine: Annotated[Engine, typer.Option(help="How updates are run; auto compiles where it pays.")] = "auto",
    precision: Annotated[
        Precision,
        typer.Option(
            help="Of products and convolutions; high allows TF32, medium bfloat16 inside; bf16 casts whole layers."
        ),
    ] = "highest",
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="Hold images' channels last, which some devices convolve faster.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes at once; by default one a core, on CUDA one.")
    ] = None,
    executor: Annotated[Where, typer.Option(help="Run on this machine, or on a Ray cluster.")] = Where.local,
    address: Annotated[
        str | None, typer.Option(help="With ray: the cluster's address, say auto or ray://host:10001.")
    ] = None,
    cpus_per_task: Annotated[float, typer.Option(min=0.0, help="With ray: cores that a task takes.")] = 1.0,
    gpus_per_task: Annotated[
        float | None, typer.Option(min=0.0, help="With ray: GPUs that a task takes, or a share of one, say 0.25.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=1.0, help="Seconds without a step or a score after which a trial is ended as hung."),
    ] = None,
    stack: Annotated[
        int | None, typer.Option(min=1, help="Seeds trained as one batched update; by default up to 5, on CUDA all.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="Run one part of the suite, say 2/8, where other machines run the others.")
    ] = None,
    rerun: Annotated[
        list[Rerun] | None, typer.Option(help="Run failed, stale or all trials again; may be repeated.")
    ] = None,
    weights: Annotated[bool, typer.Option(help="Keep each trial's final weights.")] = True,
    keep_samples: Annotated[
        int | None,
        typer.Option(min=1, help="Keep so many final samples of each trial; by default all."),
    ] = None,
    data: DataFolder = None,
    inception_weights: InceptionWeights = None,
    dinov2_weights: Dinov2Weights = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and an estimate, and stop.")] = False,
    plugin: Plugins = None,
) -> None:
    """Train and score what the suite plans and the results folder doesn't hold yet.

    Finished trials are skipped, cut-off ones resume from their last checkpoint to the same bits.

    Exit code: 0 all well, 1 some trials failed, 2 bad usage, 130 interrupted.
    """
    from genbench.records.store import Store

    store = Store(out.absolute())  # before anything of a stranger's may change the folder
    load(plugin)
    use_data(data)
    use_weights(inception=inception_weights, dinov2=dinov2_weights)
    # Every name and parameter is checked here, and every file where the plan is made, before torch is imported.
    chosen = _suite(suite, trainer, dataset, seeds, budget, ema, checkpoints)
    chosen = chosen.model_copy(update={"metrics": (*chosen.metrics, *metrics_given(metric))}).canonical()
    from genbench import devices
    from genbench.errors import GenbenchError

    if executor is Where.local:  # the machines of a cluster have their own
        devices.check(device)
    if engine == "graph" and not devices.resolve(device).startswith("cuda"):
        raise GenbenchError("CUDA graphs need a CUDA device. Give --device cuda, or another --engine.")
    from rich.console import Console

    from genbench.executors.chosen import executor_for
    from genbench.executors.ray_ import RayExecutor, Resources
    from genbench.executors.task import Context, Keep
    from genbench.records.sweep import sweep
    from genbench.registry import controls
    from genbench.scoring.protocols import are_ours
    from genbench.trials.plan import make_plan
    from genbench.trials.preflight import preflight
    from genbench.trials.shards import Shard

    console = Console(highlight=False)
    part = Shard.parse(shard).of(chosen.trials(), stack or _most_at_once(chosen, device)) if shard else None
    plan = make_plan(chosen, store, rerun or (), part)
    if not dry_run:
        store.check_writable()
        plan.check_places(store)
        sweep(store.root)
    plugins = [part for given in plugin or () for part in ("--plugin", given)]
    announce(console, plan, store, plugins)
    announce_arithmetic(console, plan, store, precision, channels_last)
    context = Context(
        str(store.root),
        chosen.name,
        chosen.protocols,
        device,
        command_line(),
        engine,
        precision,
        channels_last,
        tuple(plugin or ()),
        chosen.metrics,
        are_ours(chosen.protocols, chosen.metrics) and not any(control.source for control in controls),
    )
    statuses: Counter[str] = Counter()
    errors: list[str] = []
    decode_first(console, dict.fromkeys([*plan.controls, *(trial.dataset for trial in plan.run)]))
    if not plan.run and not plan.controls:
        console.print("Nothing is left to run.")
    elif dry_run:
        from genbench.cli.estimate import estimate

        estimate(console, plan, _jobs(jobs, device, plan), device)
        return
    else:
        cluster = None
        if executor is Where.ray:
            gpus = gpus_per_task if gpus_per_task is not None else float(device.startswith("cuda"))
            cluster = RayExecutor(address, context.plugins, timeout, Resources(cpus_per_task, gpus))
        jobs = 1 if cluster else _jobs(jobs, device, plan)
        _try_first(preflight(plan, context), context, timeout)
        store.write_plan(chosen)
        if (stack or 1) > 1 and any(trial.budget.kind == "seconds" for trial in plan.run):
            console.print("Seconds are each seed's own: trials of such a budget are trained one at a time.")
        tasks = plan.tasks(context, Keep(weights, keep_samples), stack or _stack_size(plan, device, jobs))
        chosen_executor = cluster or executor_for(tasks, jobs, context.plugins, timeout)
        statuses, errors = _execute(console, plan, tasks, chosen_executor, store)
    report = shlex.join(["genbench", "report", str(out), "--suite", chosen.name, *plugins])
    console.print(f"To see the results: {report}", markup=False, soft_wrap=True)
    if plan.failed or set(statuses) - {"done"}:
        console.print("To try the failed ones again: --rerun failed")
    if errors and not statuses:
        raise GenbenchError("\n".join(errors))
    for error in errors:
        typer.secho(f"genbench: {error}", fg="red", err=True)
    if errors or plan.failed or set(statuses) - {"done"}:
        raise typer.Exit(1)


def _try_first(tried: Task | None, context: Context, timeout: float | None) -> None:
    """Does a task on whose success all others depend; raises GenbenchError where it has none."""
    from genbench.errors import GenbenchError
    from genbench.executors.chosen import executor_for

    tasks = [tried] if tried else []
    for outcome in executor_for(tasks, 1, context.plugins, timeout).run(tasks, lambda word: None):
        if outcome.error is not None:
            raise GenbenchError(outcome.error)


def _execute(
    console: Console, plan: Plan, tasks: list[Task], executor: Executor, store: Store
) -> tuple[Counter[str], list[str]]:
    """Runs the plan's tasks; returns how many trials ended in which way, and what could not be done."""
    from genbench.cli.display import display
    from genbench.cli.heartbeat import beating
    from genbench.records.store import RECORD

    statuses: Counter[str] = Counter()
    errors: dict[str, None] = {}
    fallen: dict[str, str] = {}
    places: list[Path] = []
    try:
        with (
            display(console, len(plan.run)) as on_console,
            beating(on_console, store.root, plan.suite.name, command_line(), len(plan.run)) as shown,
        ):
            for outcome in executor.run(tasks, shown.notify):
                if outcome.error is not None:
                    errors.setdefault(outcome.error)
                shown.finish(outcome)
                for record in outcome.records:
                    statuses[record.status] += 1
                    if record.status == "done":
                        places.append(store.folder(record.suite, record.trial) / RECORD)
                    plan.remove_stale(record)
                    engine = record.provenance.get("engine", {})
                    if engine.get("fell_back"):
                        fallen.setdefault(record.trial.trainer.label, f"trained plainly: {engine['reason']}")
                    if engine.get("lowered_from"):
                        least = f"{engine['stack']} at once, as {engine['lowered_from']} didn't fit into memory"
                        fallen[record.trial.trainer.label] = f"trained its seeds {least}"
    except KeyboardInterrupt:
        console.print("Interrupted. Finished trials and checkpoints are kept; to go on:")
        console.print(f"  {command_line()}", markup=False, soft_wrap=True)
        raise
    for trainer, reason in fallen.items():
        console.print(f"{trainer} {reason}", markup=False, soft_wrap=True, style="yellow")
    if statuses:
        console.print(", ".join(f"{count} {status}" for status, count in statuses.most_common()))
    if gone := sum(not place.exists() for place in places):
        errors.setdefault(f"{gone} of {len(places)} records are gone from {store.root}. To make them: {command_line()}")
    return statuses, list(errors)


def _jobs(asked: int | None, device: str, plan: Plan) -> int:
    """How many processes to run: on a processor one a core, on a device one, which trains all seeds together."""
    from genbench import cores, devices

    processes = asked or (1 if devices.resolve(device).startswith("cuda") else cores.available())
    return min(processes, max(len(plan.run), len(plan.controls), 1))


def _stack_size(plan: Plan, device: str, jobs: int) -> int:
    """How many seeds to train together: on CUDA all, on a processor as many as leave every process enough to do.

    That is two at the least, since a lone one is computed beside its double.
    """
    from genbench import devices
    from genbench.engine.paths import ALIKE

    most = _most_at_once(plan.suite, device)
    if devices.resolve(device).startswith("cuda"):
        return most
    return max(ALIKE, min(most, len(plan.run) // (STACKS_A_JOB * jobs)))


def _most_at_once(suite: Suite, device: str) -> int:
    """More seeds than so many gain nothing by being trained together."""
    from genbench import devices

    return len(suite.seeds) if devices.resolve(device).startswith("cuda") else PROCESSOR_STACK


def _suite(
    suite: str | None,
    trainer: list[str] | None,
    dataset: list[str] | None,
    seeds: str | None,
    budgets: list[str] | None,
    ema: float | None,
    checkpoints: int | None,
) -> Suite:
    """The suite with the options in the place of its own values."""
    from genbench.errors import GenbenchError
    from genbench.registry import suites
    from genbench.spec import Budget, Suite, parse_seeds

    if ema is not None and not 0 < ema < 1:
        raise GenbenchError(f"An average can't have the decay {ema:g}. Give one between 0 and 1, say --ema 0.999")
    read = {
        "trainers": None if trainer is None else _references("--trainer", trainer),
        "datasets": None if dataset is None else _references("--dataset", dataset),
        "seeds": None if seeds is None else parse_seeds(seeds),
        "budgets": None if budgets is None else tuple(map(Budget.parse, budgets)),
        "ema": ema,
        "checkpoints": checkpoints,
    }
    given = {key: value for key, value in read.items() if value is not None}
    if suite is not None:
        registered: Suite = suites[suite].build()
        return registered.model_copy(update=given)
    if "trainers" not in given or "datasets" not in given:
        known = ", ".join(entry.name for entry in suites)
        raise GenbenchError(f"Nothing to run. Give --suite ({known}), or both --trainer and --dataset.")
    defaults = {
        "seeds": parse_seeds(CUSTOM_SEEDS),
        "budgets": (Budget.parse(CUSTOM_BUDGET),),
        "protocols": _protocols(given["datasets"]),  # type: ignore[arg-type]
    }
    return Suite(name="custom", version=1, **{**defaults, **given})  # type: ignore[arg-type]


def _references(option: str, texts: Sequence[str]) -> tuple[str, ...]:
    """The references that an option lists; raises GenbenchError where it lists none."""
    from genbench.errors import GenbenchError
    from genbench.references import split_references

    found = tuple(part for text in texts for part in split_references(text))
    if not found:
        raise GenbenchError(f"{option} {' '.join(map(repr, texts))} names nothing. Give a name, or leave it out.")
    return found


def _protocols(references: Sequence[str]) -> tuple[str, ...]:
    """The protocols that datasets are scored under where no suite says so."""
    from genbench.references import Reference

    return tuple(dict.fromkeys(own_protocol(Reference.parse(reference).name) for reference in references))
