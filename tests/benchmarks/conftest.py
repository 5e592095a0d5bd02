"""Prints each benchmark's ratio to its reference after the timings."""

import pytest

RATIOS = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[RATIOS] = []


@pytest.fixture(autouse=True)
def _ratio(request):
    yield
    benchmark = request.node.funcargs.get("benchmark")
    if benchmark is not None and "reference_ratio" in benchmark.extra_info:
        line = f"{request.node.name}: {benchmark.extra_info['reference_ratio']:.2f} × as fast as the reference"
        if "gemm_fraction" in benchmark.extra_info:
            line += f", {benchmark.extra_info['gemm_fraction']:.2f} of the rate of matrix products"
        request.config.stash[RATIOS].append(line)


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[RATIOS]:
        terminalreporter.section("ratios within this run")
        for line in config.stash[RATIOS]:
            terminalreporter.line(line)
