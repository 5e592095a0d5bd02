"""Options that several commands share."""

from __future__ import annotations

import atexit
import gc
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from genbench.references import printable

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE", help="A .py file or module that registers more; may be given again."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
DataFolder = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The folder of data sets; GENBENCH_DATA by default."),
]

InceptionWeights = Annotated[
    Path | None,
    typer.Option(
        "--inception-weights",
        metavar="FILE",
        help="FID's InceptionV3; without it, scores through it are skipped. GENBENCH_INCEPTION by default.",
    ),
]

Dinov2Weights = Annotated[
    Path | None,
    typer.Option(
        "--dinov2-weights",
        metavar="FILE",
        help="DINOv2's file, as its authors publish it. GENBENCH_DINOV2 by default.",
    ),
]

Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="NAME[PARAMETERS]",
        help="A metric to score beside the protocol's own; may be repeated.",
    ),
]


Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N: where to compute; auto takes CUDA if it can.")]


NOTIFY = "--notify"
"""The option whose value may be a secret, as the address is that a message is sent to."""


def command_line() -> str:
    """The running command as a person would type it, without the path of the program and without `--notify`."""
    return shlex.join([Path(sys.argv[0]).name, *map(printable, _without_secrets(sys.argv[1:]))])


def _without_secrets(arguments: Sequence[str]) -> Iterator[str]:
    left = iter(arguments)
    for argument in left:
        if argument == NOTIFY:
            next(left, None)
        elif not argument.startswith(f"{NOTIFY}="):
            yield argument


def use_data(folder: Path | None) -> None:
    """Reads data from `folder` from here on, in this process and in those that it starts."""
    from genbench.datasets.files.roots import DATA

    if folder is not None:
        os.environ[DATA] = str(folder.absolute())


def use_weights(*, inception: Path | None, dinov2: Path | None) -> None:
    """Looks through these networks with the named weights from here on, in this process and in those that it starts."""
    from genbench.errors import GenbenchError
    from genbench.features import DINOV2_WEIGHTS, INCEPTION_WEIGHTS

    for option, variable, file in (
        ("--inception-weights", INCEPTION_WEIGHTS, inception),
        ("--dinov2-weights", DINOV2_WEIGHTS, dinov2),
    ):
        if file is None:
            continue
        if not file.is_file():
            raise GenbenchError(f"{option} {printable(str(file))} is not a file.")
        os.environ[variable] = str(file.absolute())


@contextmanager
def no_garbage() -> Iterator[None]:
    """Looks for no garbage within, nor as Python ends.

    A command that ends soon keeps nearly all that it makes and imports, and looking takes a fifth of its time.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # all that was made counts as old, and the first look is for what is new
        gc.enable()


def load(plugins: list[str] | None) -> None:
    """Loads the plugins that the user named."""
    from genbench.plugins import load_plugin

    for plugin in plugins or ():
        load_plugin(plugin)


def metrics_given(options: list[str] | None) -> tuple[str, ...]:
    """The metrics that the user named, each in its shortest form; raises UnknownName or BadParameter."""
    from genbench.references import split_references
    from genbench.registry import metrics

    return tuple(metrics.label(part) for text in options or () for part in split_references(text))


def own_protocol(dataset: str) -> str:
    """The protocol that the dataset of this name is scored under where nobody says so; raises UnknownName."""
    from genbench.registry import datasets

    return datasets[dataset].protocol
