"""What `genbench run` shows while it runs: a line a running trial in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from genbench.cli.streams import is_live
from genbench.executors import task
from genbench.executors.task import Outcome
from genbench.records.record import Record

PLAIN_EVERY_SECONDS = 30.0


class Display(Protocol):
    """Hears of tasks as they go."""

    def notify(self, word: task.Progress) -> None:
        """A task is running."""

    def finish(self, outcome: Outcome) -> None:
        """A trial has ended."""


@contextmanager
def display(console: Console, total: int) -> Iterator[Display]:
    """The display that suits the console, for `total` trials."""
    if not is_live(console):
        yield PlainDisplay(console, total)
        return
    bars = Progress(
        TextColumn("{task.description:<30}"),
        BarColumn(bar_width=10),
        TextColumn("{task.percentage:>3.0f}% {task.fields[note]}"),
        console=console,
    )
    with bars:
        yield LiveDisplay(bars, total)


class PlainDisplay:
    """A line a finished trial, and now and then one for a running trial."""

    def __init__(self, console: Console, total: int) -> None:
        self.console = console
        self.pace = Pace(total)
        self.said: dict[str, float] = {}

    def notify(self, word: task.Progress) -> None:
        self.pace.hear(word)
        now = time.monotonic()
        if now - self.said.setdefault(word.name, now) >= PLAIN_EVERY_SECONDS:
            self.said[word.name] = now
            self._print(f"  {word.name}: {word.share:.0%}, {rate(word)}")

    def finish(self, outcome: Outcome) -> None:
        self.pace.tick(outcome)
        for record in outcome.records:
            self._print(f"[{self.pace.finished}/{self.pace.total}] {describe(record)}; {self.pace.left()}")

    def _print(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)


class LiveDisplay:
    """A bar for the whole and one for each running task; only failures leave a line behind."""

    def __init__(self, bars: Progress, total: int) -> None:
        self.bars = bars
        self.pace = Pace(total)
        self.whole = bars.add_task("trials", total=total, note=f"0/{total}")
        self.lines: dict[str, TaskID] = {}
        self.ended: set[str] = set()

    def notify(self, word: task.Progress) -> None:
        if word.name in self.ended:  # a last word that came after the outcome
            return
        self.pace.hear(word)
        if word.name not in self.lines:
            self.lines[word.name] = self.bars.add_task(escape(word.name), total=1.0, note="")
        self.bars.update(self.lines[word.name], completed=word.share, note=rate(word))

    def finish(self, outcome: Outcome) -> None:
        self.ended.add(outcome.task.name)
        if (line := self.lines.pop(outcome.task.name, None)) is not None:
            self.bars.remove_task(line)
        if not outcome.records:
            return
        for record in outcome.records:
            if record.status != "done":
                self.bars.console.print(describe(record), markup=False, soft_wrap=True)
        self.pace.tick(outcome)
        note = f"{self.pace.finished}/{self.pace.total}, {self.pace.left()}"
        self.bars.update(self.whole, completed=self.pace.finished, note=note)


class Pace:
    """How much of the trials is done, and how long the rest will take at this pace."""

    def __init__(self, total: int) -> None:
        self.total, self.finished = total, 0
        self.ended: set[str] = set()
        self.shares: dict[str, float] = {}
        self.opened = time.monotonic()
        self.started: float | None = None

    def hear(self, word: task.Progress) -> None:
        """A running trial is so far; controls, which take no steps, don't set the pace."""
        if word.steps and word.name not in self.ended:
            self.started = self.started or time.monotonic()
            self.shares[word.name] = word.share * word.trials

    def tick(self, outcome: Outcome) -> None:
        """A task has ended, and with it some trials."""
        self.finished += len(outcome.records)
        self.ended.add(outcome.task.name)
        self.shares.pop(outcome.task.name, None)

    def left(self) -> str:
        """The time left, in words; none before anything was heard of it."""
        now = time.monotonic()
        if self.finished == self.total:
            return f"{duration(now - self.opened)} in all"
        done = self.finished + sum(self.shares.values())
        if not done:
            return ""
        return f"about {duration((now - (self.started or self.opened)) / done * (self.total - done))} left"


def describe(record: Record) -> str:
    """A finished trial in a line."""
    reason = f" ({record.reason})" if record.reason else ""
    used = f"{record.cost.steps} steps in {record.cost.train_seconds:.1f} s"
    return f"{record.trial}, {record.trial.budget}: {record.status}{reason}, {used}"


def rate(word: task.Progress) -> str:
    """A running task's steps in a second of each trial, and the time that it still needs for all; or its own note."""
    if not (word.seconds and word.share):
        return word.note
    left = word.trials * word.seconds / word.share * (1 - word.share)
    return f"{word.steps / word.seconds:.0f} steps/s, {duration(left)} left"


def duration(seconds: float) -> str:
    """`8 s`, `2 min 5 s`, `1 h 12 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
