"""What suites and protocols keep to: every name that they use is one."""

from __future__ import annotations

from genbench.contract.datasets import at_hand
from genbench.contract.findings import number, require
from genbench.contract.metric_case import MetricCase, N, value
from genbench.errors import GenbenchError, Skip
from genbench.references import Reference
from genbench.registry import datasets, suites
from genbench.scoring.protocols import protocol
from genbench.spec import Suite
from genbench.stats.closure import seeds_needed


class SuiteCase:
    """A suite's plan. Raises GenbenchError where it gives none."""

    def __init__(self, reference: str) -> None:
        self.entry = suites[Reference.parse(reference).name]
        plan = suites.build(reference)
        if not isinstance(plan, Suite):
            raise GenbenchError(f"The suite {self.entry.name} gave {plan!r}. Let it return an api.Suite.")
        self.plan = plan


def suite_is_named_as_registered(case: SuiteCase) -> str:
    """The plan has the name and the version that it is registered under."""
    given, registered = (case.plan.name, case.plan.version), (case.entry.name, case.entry.version)
    require(
        given == registered,
        f"The plan calls itself {given[0]}, version {given[1]}, and is registered as "
        f"{registered[0]}, version {registered[1]}.",
    )
    return f"It is {registered[0]}, version {registered[1]}."


def names_resolve(case: SuiteCase) -> str:
    """Datasets, trainers and protocols are all known, and named once, in their shortest form."""
    short = case.plan.canonical()
    for kind in ("datasets", "trainers", "budgets"):
        given, kept = getattr(case.plan, kind), getattr(short, kind)
        require(given == kept, f"Of its {kind} write {', '.join(map(str, kept))}, not {', '.join(map(str, given))}.")
    for name in case.plan.protocols:
        protocol(name)
    return f"{len(short.trainers)} trainers, {len(short.datasets)} datasets, {', '.join(short.protocols)}."


def trials_are_all_combinations(case: SuiteCase) -> str:
    """Every trainer meets every dataset under every budget with every seed, one trial each."""
    plan = case.plan
    for reference in plan.datasets:
        if not at_hand(datasets[Reference.parse(reference).name], reference):
            raise Skip(f"the data of {reference} is not at hand: genbench data list")
    trials = plan.trials()
    of_a_seed = len(plan.datasets) * len(plan.trainers) * len(plan.budgets)
    require(
        len({trial.id for trial in trials}) == len(trials) == of_a_seed * len(plan.seeds),
        f"It makes {len({trial.id for trial in trials})} different trials instead of {of_a_seed * len(plan.seeds)}: "
        "name nothing twice.",
    )
    require({trial.seed for trial in trials[:of_a_seed]} == {plan.seeds[0]}, "Its trials don't begin with one seed.")
    return f"It makes {len(trials)} trials."


def seeds_are_enough(case: SuiteCase) -> str:
    """With so many seeds one pair of trainers can be told apart, though nothing else differs."""
    plan = case.plan
    needed = seeds_needed(len(plan.trainers), len(plan.datasets) * len(plan.budgets))
    require(
        len(plan.seeds) >= needed,
        f"With {len(plan.seeds)} seeds no table can tell one pair of its trainers apart; with {needed} it could.",
    )
    return f"{len(plan.seeds)} seeds are enough to tell a pair of trainers apart."


SUITE_CHECKS = (suite_is_named_as_registered, names_resolve, trials_are_all_combinations, seeds_are_enough)


class ProtocolCase:
    """A protocol, by its name."""

    def __init__(self, reference: str) -> None:
        self.protocol = protocol(reference)


def columns_are_metrics(case: ProtocolCase) -> str:
    """Every column is a metric that looks at no more samples than there are, and what is shown is a column."""
    own = case.protocol
    require(bool(own.columns), "It has no columns.")
    for column in own.columns:
        n = own.wanted(column)
        require(n <= own.n, f"The column {column} looks at {n} samples and the protocol has {own.n}.")
    for part in ("headline", "deciding", "curve"):
        unknown = [name for name in getattr(own, part) if name not in own.columns]
        require(not unknown, f"{part} names {', '.join(unknown)}, which is no column.")
    return f"{len(own.columns)} columns on {own.n} samples, decided by {', '.join(own.deciding)}."


def scores_the_truth(case: ProtocolCase) -> str:
    """Its columns have values on the truth of some dataset; checked on few samples."""
    values, reasons = {}, {}
    for column, reference in case.protocol.columns.items():
        parsed = Reference.parse(reference)
        few = {key: min(N, int(given or N)) if key == "n" else given for key, given in parsed.parameters.items()}
        try:
            metric = MetricCase(str(Reference(parsed.name, few)))
            values[column] = value(metric.built(), metric.fresh(0))
        except (Skip, GenbenchError) as error:
            reasons[column] = str(error)
    require(bool(values), f"No column has a value on anything: {'; '.join(reasons.values())}")
    return f"On {N} samples of the truth: {', '.join(f'{name} {number(score)}' for name, score in values.items())}."


PROTOCOL_CHECKS = (columns_are_metrics, scores_the_truth)
