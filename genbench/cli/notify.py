"""A person's command that is run when a run ends, so that nobody has to wait beside it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import typer

from genbench.cli.options import command_line
from genbench.records.reading import text

MOST_SECONDS = 60.0
"""How long the command may take."""

STANDARD_ERROR = 2

Ended = Literal["done", "failed", "interrupted"]


@contextmanager
def notifying(
    command: str | None, suite: str, root: Path, statuses: Mapping[str, int], notes: Sequence[str]
) -> Iterator[None]:
    """Within, a run goes on; however it ends, the shell then runs `command`, and the run's end is as without it.

    The command finds in its environment how the run ended, and a line that counts the `statuses` of its trials and has
    the `notes`; both are read at the end. The command's text may hold a secret, and no message has it.
    """
    ended: Ended = "failed"
    reason = ""
    try:
        yield
        ended = "done"
    except KeyboardInterrupt:
        ended = reason = "interrupted"
        raise
    except typer.Exit:
        raise
    except BaseException as error:
        reason = str(error) or type(error).__name__
        raise
    finally:
        if command is not None:
            counted = [f"{count} {status}" for status, count in statuses.items()]
            said = ", ".join(part for part in (*counted, *notes, reason) if part) or "nothing was left to run"
            _run(command, _environment(ended, suite, root, text(" ".join(f"{suite}: {said}".split()))))


def _environment(ended: Ended, suite: str, root: Path, summary: str) -> dict[str, str]:
    return {
        "GENBENCH_STATUS": ended,
        "GENBENCH_SUITE": suite,
        "GENBENCH_RESULTS": str(root.absolute()),
        "GENBENCH_COMMAND": command_line(),
        "GENBENCH_SUMMARY": summary,
    }


def _run(command: str, environment: Mapping[str, str]) -> None:
    """Runs a command in a group of processes of its own, which ends with its time; tells how it failed."""
    try:
        child = subprocess.Popen(
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=STANDARD_ERROR,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        _warn(f"can't be run: {error.strerror if isinstance(error, OSError) else error}")
        return
    try:
        if code := child.wait(MOST_SECONDS):
            _warn(f"failed with exit code {code}" if code > 0 else f"was killed by {_named(-code)}")
    except subprocess.TimeoutExpired:
        _warn(f"took more than {MOST_SECONDS:g} s and was killed")
    finally:
        if child.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _named(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _warn(what: str) -> None:
    with suppress(OSError):
        typer.secho(f"genbench: the command of --notify {what}.", fg="yellow", err=True)
