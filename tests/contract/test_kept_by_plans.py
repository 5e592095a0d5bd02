"""Whatever is registered can be described and found again; protocols and suites hold what they promise."""

import pytest
from keeping import each, keeps

from genbench.contract import entries
from genbench.contract.plans import PROTOCOL_CHECKS, SUITE_CHECKS, ProtocolCase, SuiteCase
from genbench.registry import REGISTRIES, protocols, suites

ENTRIES = {f"{entry.kind} {entry.name}": entry for registry in REGISTRIES for entry in registry}


@each(entries.CHECKS)
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_entry(entry, check):
    keeps(check, entry)


@each(PROTOCOL_CHECKS)
@pytest.mark.parametrize("name", [entry.name for entry in protocols])
def test_protocol(name, check, made):
    keeps(check, made(ProtocolCase, name))


@each(SUITE_CHECKS)
@pytest.mark.parametrize("name", [entry.name for entry in suites])
def test_suite(name, check, made):
    keeps(check, made(SuiteCase, name))
