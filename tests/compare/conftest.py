"""Two results folders whose scores a test writes down."""

from types import SimpleNamespace

import made_up
import pytest

from genbench.records.store import Store
from genbench.scoring.protocols import protocol


@pytest.fixture
def folders(tmp_path):
    """`folders.put("A", "gan", reverse_kl=[…], …)`: a seed's trial for each value; `folders.store("A")` reads them."""

    def put(side, trainer="gan", *, dataset="ring8", budget="steps=40", seeds=None, identity=None, **values):
        n = max(map(len, values.values()))
        for place in range(n):
            seed = seeds[place] if seeds else place
            of = made_up.trial(trainer, dataset, seed, budget)
            own = {name: series[place] for name, series in values.items()}
            made_up.put(tmp_path / side, of, made_up.scores(own, **(identity or {})))

    def fail(side, trainer="gan", *, seed, dataset="ring8", status="crashed", reason="no luck"):
        made_up.put(tmp_path / side, made_up.trial(trainer, dataset, seed), status=status, reason=reason)

    def oracle(side, **values):
        drawn = {"oracle": [made_up.scores(values), made_up.scores(values)]}
        made_up.put_controls(tmp_path / side, made_up.component("ring8"), drawn)

    return SimpleNamespace(
        put=put,
        fail=fail,
        oracle=oracle,
        store=lambda side: Store(tmp_path / side),
        path=lambda side: tmp_path / side,
        suites={"made-up": protocol("genbench1")},
    )
