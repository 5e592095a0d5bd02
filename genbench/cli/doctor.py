"""`genbench doctor`: does everything that genbench needs work here?"""

from __future__ import annotations

import json
import os
import platform
import shutil
import textwrap
from collections.abc import Iterable
from itertools import chain
from typing import Any

import typer

from genbench.cli.options import AsJson, Device, Plugins, load
from genbench.cli.streams import document
from genbench.errors import Skip

WIDTH = 66
"""Of what is listed beside its name, so that lines fit 80 columns."""


def doctor(device: Device = "auto", as_json: AsJson = False, plugin: Plugins = None) -> None:
    """Show versions, devices, plugins and what is broken, and try the device. Exit code 1 where something is."""
    load(plugin)
    report = examine(device)
    if as_json:
        document(json.dumps(report, indent=1, ensure_ascii=False))
    else:
        _print(report)
    if report["problems"]:
        raise typer.Exit(1)


def examine(device: str = "auto") -> dict[str, Any]:
    """What there is, and in `problems` what is wrong with it and with the device."""
    from genbench import __version__, plugins, registry
    from genbench.datasets.files.roots import cache_root, data_root
    from genbench.records import provenance

    counts = {r.plural: len(list(r)) for r in registry.REGISTRIES}
    problems = [f"plugin {plugin.name} failed to load: {plugin.error}" for plugin in plugins.broken_plugins]
    problems += [f"{kind}: none is registered; install genbench again" for kind, count in counts.items() if not count]
    packages = provenance.packages()
    devices = _devices(problems)
    tried = _tried(device, problems) if devices else ""
    problems += [f"package {name} is not installed" for name, version in packages.items() if version is None]
    return {
        "genbench": __version__,
        "python": platform.python_version(),
        "packages": packages,
        "cores": os.cpu_count(),
        "devices": devices,
        "tried": tried,
        "compiler": shutil.which("c++") or shutil.which("g++") or shutil.which("clang++"),
        "data": str(data_root()),
        "cache": str(cache_root()),
        "weights": _weights(problems) if devices else {},
        "registered": counts,
        "problems": problems,
    }


def _devices(problems: list[str]) -> list[str]:
    try:
        import torch

        from genbench.records.provenance import device_name

        accelerators = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        return [f"{device} ({device_name(device)})" for device in ["cpu", *accelerators]]
    except Exception as error:
        problems.append(f"torch doesn't work: {type(error).__name__}: {error}")
        return []


def _tried(device: str, problems: list[str]) -> str:
    """What a device computes and captures, as far as it does."""
    import torch

    from genbench import devices

    try:
        devices.check(device)
        place = torch.device(devices.resolve(device))
        numbers = torch.arange(64.0, device=place).reshape(8, 8)
        if float((numbers @ numbers).sum()) != float((numbers.cpu() @ numbers.cpu()).sum()):
            problems.append(f"{place} computes a product wrongly")
        if place.type == "cpu":
            return f"{place} computes"
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            twice = numbers + numbers
        graph.replay()
        if float(twice[7, 7]) != 126:
            problems.append(f"{place} replays a CUDA graph wrongly")
        return f"{place} computes and captures CUDA graphs; {devices.free_bytes(place) / 2**30:.1f} GiB are free"
    except Exception as error:  # drivers raise anything
        problems.append(f"{device} can't be used: {type(error).__name__}: {' '.join(str(error).split())}")
        return ""


def _weights(problems: list[str]) -> dict[str, str]:
    """Where the weights are that don't come with genbench, or what gives them; a file that is named must be there."""
    from genbench.features import dinov2, efficientnet, inception, named_weights

    found, named = {}, dict(zip((inception, dinov2), named_weights(), strict=True))
    for extractor in (inception, efficientnet, dinov2):
        try:
            found[extractor.NAME] = f"{extractor.NAME}: {extractor.weights()}"
        except Skip as lacking:
            found[extractor.NAME] = str(lacking)
            if named.get(extractor) not in (None, "", inception.DOWNLOAD):
                problems.append(str(lacking))
    return found


def _print(report: dict[str, Any]) -> None:
    from rich.console import Console

    console = Console(highlight=False)

    def line(key: str, value: object) -> None:
        console.print(f"[bold]{key:<13}[/]", end="")
        console.print(str(value), markup=False, soft_wrap=True)

    def wrapped(key: str, texts: Iterable[str]) -> None:
        """Lines that fit, but for a path that doesn't."""
        parts = [textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False) for text in texts]
        for i, part in enumerate(chain.from_iterable(parts)):
            line("" if i else key, part)

    line("genbench", report["genbench"])
    line("python", report["python"])
    for name, version in report["packages"].items():
        if name != "genbench":
            line(name, version)
    line("devices", ", ".join(report["devices"]))
    line("tried", report["tried"] or "nothing that works")
    line("cores", report["cores"])
    line("compiler", report["compiler"] or "none")
    line("data", f"{report['data']}; what is there: genbench data list")
    line("cache", report["cache"])
    wrapped("weights", report["weights"].values())
    wrapped("registered", [", ".join(f"{count} {kind}" for kind, count in report["registered"].items())])
    for problem in report["problems"]:
        console.print(f"problem: {problem}", markup=False, soft_wrap=True, style="red")
    if not report["problems"]:
        console.print("All well.")
