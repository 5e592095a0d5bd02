"""genbench's contract in anyone's tests, which ask for it: `pytest_plugins = ["genbench.contract.pytest_plugin"]`.

It is no entry point of pytest's, so nobody's test run becomes slower by having genbench installed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from genbench.contract.timing import Timing

Plugin = str | Path | None


@pytest.fixture(scope="session")
def contract() -> Callable[..., None]:
    """`contract("my-gan", plugin="my_gan.py")` fails with what `genbench check` says is broken."""

    def keeps(
        reference: str,
        *,
        plugin: Plugin = None,
        kind: str | None = None,
        dataset: str | None = None,
        patience: float | None = None,
    ) -> None:
        __tracebackhide__ = True
        from genbench.contract.checks import PATIENCE, check, loaded, named

        findings = [loaded(str(plugin))] if plugin else []
        for entry in named(reference, kind):
            findings += check(entry, reference, dataset, patience or PATIENCE)
        if broken := [f"{each.check}: {each.told}" for each in findings if each.failed]:
            pytest.fail("\n".join([f"{reference} breaks genbench's contract.", *broken]), pytrace=False)

    return keeps


@pytest.fixture(scope="session")
def updates_per_second() -> Callable[..., list[Timing]]:
    """`updates_per_second("my-gan", plugin="my_gan.py")` gives the rows that `genbench time` prints."""

    def timed(reference: str, *, plugin: Plugin = None, dataset: str = "ring8", device: str = "cpu") -> list[Timing]:
        from genbench.contract.timing import time_trainer
        from genbench.plugins import load_plugin

        if plugin:
            load_plugin(str(plugin))
        return list(time_trainer(reference, dataset, device))

    return timed
