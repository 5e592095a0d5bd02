"""`genbench run`: train and score what a suite plans and the results don't hold yet."""

from __future__ import annotations

import shlex
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genbench.cli.announce import announce, announce_arithmetic
from genbench.cli.data import decode_first
from genbench.cli.execution import execute, jobs_for, most_at_once, stack_size, try_first
from genbench.cli.notify import notifying
from genbench.cli.options import (
    NOTIFY,
    DataFolder,
    Device,
    Dinov2Weights,
    InceptionWeights,
    Metrics,
    Plugins,
    command_line,
    load,
    metrics_given,
    use_data,
    use_weights,
)
from genbench.cli.planned import planned
from genbench.engine import Engine, Precision
from genbench.limits import MOST_CHECKPOINTS

if TYPE_CHECKING:
    from genbench.executors.task import Task


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
    portable: Annotated[
        bool,
        typer.Option("--portable", help="Compute as Intel's and AMD's processors do alike, at a price; CPU alone."),
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
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write event files for TensorBoard into its folder in the results.")
    ] = False,
    notify: Annotated[
        str | None,
        typer.Option(
            NOTIFY,
            metavar="CMD",
            help="Have the shell run this when the run ends; GENBENCH_STATUS and GENBENCH_SUMMARY say how it did.",
        ),
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
    from genbench.portable import is_pinned, pin

    if portable:
        pin()  # before anything is imported that chooses its code by the processor
    from genbench.records.store import Store

    store = Store(out.absolute())  # before anything of a stranger's may change the folder
    load(plugin)
    use_data(data)
    use_weights(inception=inception_weights, dinov2=dinov2_weights)
    # Every name and parameter is checked here, and every file where the plan is made, before torch is imported.
    chosen = planned(suite, trainer, dataset, seeds, budget, ema, checkpoints)
    chosen = chosen.model_copy(update={"metrics": (*chosen.metrics, *metrics_given(metric))}).canonical()
    from genbench import devices
    from genbench.errors import GenbenchError

    if executor is Where.local:  # the machines of a cluster have their own
        devices.check(device)
    if engine == "graph" and not devices.resolve(device).startswith("cuda"):
        raise GenbenchError("CUDA graphs need a CUDA device. Give --device cuda, or another --engine.")
    if portable and devices.resolve(device) != "cpu":
        raise GenbenchError(
            "--portable holds processors to the same bits, not CUDA devices. Give --device cpu as well."
        )
    from rich.console import Console

    from genbench.executors.chosen import executor_for
    from genbench.executors.ray_ import RayExecutor, Resources
    from genbench.executors.task import Context, Keep
    from genbench.records.sweep import sweep
    from genbench.registry import controls
    from genbench.report.frame import arithmetic
    from genbench.scoring.protocols import are_ours
    from genbench.trials.board import check_installed
    from genbench.trials.plan import make_plan
    from genbench.trials.preflight import preflight
    from genbench.trials.shards import Shard

    if tensorboard:
        check_installed()
    console = Console(highlight=False)
    part = Shard.parse(shard).of(chosen.trials(), stack or most_at_once(chosen, device)) if shard is not None else None
    plan = make_plan(chosen, store, rerun or (), part)
    if not dry_run:
        store.check_writable()
        plan.check_places(store)
        sweep(store.root)
    plugins = [part for given in plugin or () for part in ("--plugin", given)]
    announce(console, plan, store, str(out), plugins)
    announce_arithmetic(console, plan, store, arithmetic(precision, channels_last, is_pinned()))
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
        is_ours=are_ours(chosen.protocols, chosen.metrics) and not any(control.source for control in controls),
        tensorboard=tensorboard,
    )
    statuses: Counter[str] = Counter()
    decode_first(console, dict.fromkeys([*plan.controls, *(trial.dataset for trial in plan.run)]))
    tasks: list[Task] = []
    cluster: RayExecutor | None = None
    if not plan.run and not plan.controls:
        console.print("Nothing is left to run.")
    elif dry_run:
        from genbench.cli.estimate import estimate

        estimate(console, plan, jobs_for(jobs, device, plan), device)
        return
    else:
        if executor is Where.ray:
            gpus = gpus_per_task if gpus_per_task is not None else float(device.startswith("cuda"))
            cluster = RayExecutor(address, context.plugins, timeout, Resources(cpus_per_task, gpus))
        jobs = 1 if cluster else jobs_for(jobs, device, plan)
        try_first(preflight(plan, context), context, timeout)
        store.write_plan(chosen)
        if (stack or 1) > 1 and any(trial.budget.kind == "seconds" for trial in plan.run):
            console.print("Seconds are each seed's own: trials of such a budget are trained one at a time.")
        tasks = plan.tasks(context, Keep(weights, keep_samples), stack or stack_size(plan, device, jobs))
    notes = [f"{len(plan.failed)} failed before"] if plan.failed else []
    with notifying(None if dry_run else notify, chosen.name, store.root, statuses, notes):
        at_work = cluster or executor_for(tasks, jobs or 1, context.plugins, timeout)
        errors = execute(console, plan, tasks, at_work, store, statuses) if tasks else []
        report = shlex.join(["genbench", "report", str(out), "--suite", chosen.name, *plugins])
        console.print(f"To see the results: {report}", markup=False, soft_wrap=True)
        if plan.failed or set(statuses) - {"done"}:
            console.print("To try the failed ones again: --rerun failed")
        if errors and not statuses:
            raise GenbenchError("\n".join(errors))
        for error in errors:
            typer.secho(f"genbench: {error}", fg="red", err=True)
        notes += errors
        if errors or plan.failed or set(statuses) - {"done"}:
            raise typer.Exit(1)
