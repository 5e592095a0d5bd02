"""`genbench compare`: its exit codes, its table in 80 columns, the same numbers in JSON, and what it refuses."""

import json
import shutil

import made_up
import numpy as np
import pytest
from rich.cells import cell_len

from genbench.records.layout import RECORD, SCORES
from genbench.records.store import Store

GOOD, BAD = [0.010, 0.012, 0.011, 0.015, 0.013], [0.30, 0.25, 0.41, 0.33, 0.29]


@pytest.fixture
def put(tmp_path):
    """`put("A", "gan", reverse_kl=[…])`: a trial for each value, a seed each."""

    def trials(side, trainer="gan", dataset="ring8", budget="steps=40", identity=None, **values):
        for seed in range(max(map(len, values.values()))):
            own = {name: series[seed] for name, series in values.items()}
            of = made_up.trial(trainer, dataset, seed, budget)
            made_up.put(tmp_path / side, of, made_up.scores(own, **(identity or {})))

    return trials


@pytest.fixture
def worse(put):
    """B is worse than A by reverse KL and as good by HQ."""
    put("A", reverse_kl=GOOD, hq=GOOD)
    put("B", reverse_kl=BAD, hq=GOOD)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-on", "reverse_kl"], 3),
        (["--fail-on", "reverse_kl:+10%"], 3),
        (["--fail-on", "reverse_kl:+5"], 0),
        (["--fail-on", "hq"], 0),
        (["--fail-on", "hq", "--fail-on", "reverse_kl:+0.1"], 3),
        (["--fail-on", "reverse_kl", "--json"], 3),
    ],
    ids=str,
)
def test_exit_code_is_3_for_a_significant_regression_beyond_its_margin(options, code, worse, genbench):
    ran = genbench("compare", "A", "B", *options)
    assert (ran.code, ran.err) == (code, "")


def test_improvement_is_no_regression(worse, genbench):
    ran = genbench("compare", "B", "A", "--fail-on", "reverse_kl")
    assert ran.code == 0
    assert "B is worse in 0, better in 1" in " ".join(ran.out.split())


def test_table_of_80_columns_and_json_hold_the_same_numbers(worse, genbench):
    text = genbench("compare", "A", "B").out
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "…" not in text
    assert "ring8, steps=40, protocol genbench1 (suite made-up)" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("reverse_kl↓")]
    found = json.loads(genbench("compare", "A", "B", "--json").out)
    (of,) = [one for one in found["comparisons"] if one["metric"] == "reverse_kl"]
    shown = [f"{of['n'][0]}/{of['n'][1]}", *(f"{middle:.3g}" for middle in of["medians"]),
             f"{of['worse_by']['value']:.3g}", f"{of['p']:.2g}", f"{of['probability_of_improvement']:.2f}",
             f"{of['minimal_detectable_effect']:.2g}", of["verdict"]]  # fmt: skip
    assert row[1:] == shown
    assert of["values"] == [GOOD, BAD]
    assert of["p"] == pytest.approx(2 / 252)


def test_summary_says_what_broke_its_margin(worse, genbench):
    text = " ".join(genbench("compare", "A", "B", "--fail-on", "reverse_kl:+10%").out.split())
    assert "Of 1 comparison, B is worse in 1, better in 0, and can't be told from A in 0" in text
    assert (
        "reverse_kl of gan on ring8 is worse by 0.288, beyond --fail-on reverse_kl:+10%, which allows 0.0012." in text
    )


@pytest.mark.parametrize("options", [[], ["--json"]], ids=str)
def test_a_gate_that_could_find_nothing_exits_with_4_and_says_how_many_seeds_it_takes(options, put, genbench):
    put("A", reverse_kl=GOOD[:3])
    put("B", reverse_kl=BAD[:3])
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl", *options)
    assert ran.code == 4
    warning, refusal = ran.err.splitlines()
    assert warning == (
        "Warning: No verdict on 1 comparison: nothing could have been told with these seeds; it takes 4 of each side "
        "or more."
    )
    assert refusal == (
        "--fail-on reverse_kl could not have found a difference in 1 comparison with these seeds; it takes 4 of each "
        "side or more. To pass all the same: --allow-no-power"
    )
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl", "--allow-no-power", *options).code == 0
    assert genbench("compare", "A", "B", *options).code == 0


def test_a_gate_that_could_not_find_a_lone_regression_exits_with_4(put, genbench):
    trainers = [f"t{i}" for i in range(9)]
    for side in ("A", "B"):
        for trainer in trainers:
            put(side, trainer, reverse_kl=GOOD)
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert ran.code == 4
    assert (
        "no difference could have been told unless others differ too; that takes 6 seeds of each side or more"
        in ran.err
    )
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl", "--trainer", "t0").code == 0


def test_a_gate_that_found_something_everywhere_needed_no_more_power(put, genbench):
    """Four seeds can't tell a lone pair on two datasets, but both differ."""
    for dataset in ("ring8", "grid25"):
        put("A", dataset=dataset, reverse_kl=BAD[:4])
        put("B", dataset=dataset, reverse_kl=GOOD[:4])
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert "better in 2" in ran.out
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(("options", "code"), [([], 4), (["--allow-no-power"], 0), (["--trainer", "gan"], 0)], ids=str)
def test_a_gate_says_nothing_of_what_the_second_side_lacks(options, code, put, genbench):
    for trainer, sides in (("gan", "AB"), ("wgan", "A")):
        for side in sides:
            put(side, trainer, reverse_kl=GOOD)
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl", *options)
    assert ran.code == code
    assert ("--fail-on could say nothing of what B lacks: wgan on ring8, steps=40." in ran.err) == (code == 4)


@pytest.mark.parametrize("margin", ["", ":-0"], ids=["none", "nothing"])
def test_a_gate_finds_a_collapse_of_fewer_than_half_of_the_runs(margin, put, genbench, tmp_path):
    """They leave the median of all differences at zero. Runs that fail, at whatever seeds, are such a collapse."""
    put("A", modes=[8.0] * 20)
    put("B", modes=[8.0] * 12 + [5.0] * 8)
    ran = genbench("compare", "A", "B", "--fail-on", f"modes{margin}")
    assert (ran.code, ran.err) == (3, "")
    assert f"modes of gan on ring8 is worse with P(B) = 0.30, beyond --fail-on modes{margin}." in " ".join(
        ran.out.split()
    )
    assert genbench("compare", "A", "B", "--fail-on", "modes:-1").code == 0
    put("C", modes=[8.0] * 12)
    for seed in range(30, 38):
        made_up.put(tmp_path / "C", made_up.trial(seed=seed), status="diverged", reason="nan")
    assert genbench("compare", "A", "C", "--fail-on", "modes").code == 3


@pytest.mark.parametrize("gone", ["never run", "without scores", "unreadable"])
def test_a_gate_says_nothing_of_seeds_that_the_second_side_lacks(gone, put, genbench, tmp_path):
    """What is gone may have been the worst."""
    for side in "AB":
        put(side, reverse_kl=GOOD * 2)
        Store(tmp_path / side).write_plan(made_up.suite(seeds=tuple(range(10))))
    for seed in range(5, 10):
        (folder,) = (tmp_path / "B").glob(f"made-up/ring8/gan/seed-{seed}-*")
        if gone == "never run":
            shutil.rmtree(folder)
        elif gone == "without scores":
            (folder / SCORES).unlink()
        else:
            (folder / RECORD).write_text("{")
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert ran.code == 4
    what = "reverse_kl of 5 runs" if gone == "without scores" else "5 of 10 seeds"
    assert f"what B lacks: {what} of gan on ring8, steps=40." in ran.err
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl", "--allow-no-power").code == 0
    assert genbench("compare", "B", "A", "--fail-on", "reverse_kl").code == 0


def test_a_gate_asks_for_the_seeds_that_were_planned_not_for_as_many(put, genbench, tmp_path):
    put("A", reverse_kl=GOOD)
    for seed, value in zip((0, 1, 2, 7, 8), GOOD, strict=True):
        made_up.put(tmp_path / "B", made_up.trial(seed=seed), made_up.scores({"reverse_kl": value}))
    Store(tmp_path / "B").write_plan(made_up.suite(seeds=(0, 1, 2, 3, 4)))
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert (ran.code, "what B lacks: 2 of 5 seeds of gan on ring8, steps=40." in ran.err) == (4, True)


def test_a_folder_lacks_nothing_that_it_has_itself(put, genbench, tmp_path):
    """However it grew: seeds that one trainer never had, a trainer that was planned, an older version's leftovers."""
    put("A", "gan", reverse_kl=GOOD)
    put("A", "wgan", reverse_kl=GOOD[:4])
    for seed in range(2):
        older = made_up.component("gan", version=0)
        made_up.put(tmp_path / "A", made_up.trial(older, seed=seed), made_up.scores({"reverse_kl": 0.5}))
    Store(tmp_path / "A").write_plan(made_up.suite(trainers=("gan", "wgan", "wgan-gp"), seeds=tuple(range(7))))
    ran = genbench("compare", "A", "A", "--fail-on", "reverse_kl", "--trainer", "wgan")
    assert "lacks" not in ran.err + ran.out
    assert "lacks" not in genbench("compare", "A", "A", "--fail-on", "reverse_kl").err


def test_a_gate_says_nothing_of_a_suite_that_the_second_side_lacks(put, genbench, tmp_path):
    for side in "AB":
        put(side, reverse_kl=GOOD)
    made_up.put(tmp_path / "A", made_up.trial(), made_up.scores({"reverse_kl": 0.1}), into="other")
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert (ran.code, "what B lacks: suite other." in ran.err) == (4, True)
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl", "--suite", "made-up").code == 0
    made_up.put(tmp_path / "A", made_up.trial(dataset="grid25"), made_up.scores({"reverse_kl": 0.1}), into="other")
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl", "--trainer", "wgan-gp").code == 2


def test_a_gate_on_two_trainers_says_nothing_of_datasets_that_one_never_saw(put, genbench):
    put("A", "wgan", reverse_kl=GOOD)
    put("A", "wgan", "grid25", reverse_kl=GOOD)
    put("A", "gan", reverse_kl=GOOD)
    options = ("compare", "A", "--trainer", "gan", "--against", "wgan", "--fail-on", "reverse_kl")
    ran = genbench(*options)
    assert (ran.code, "what B lacks: gan on grid25, steps=40." in ran.err) == (4, True)
    assert genbench(*options, "--dataset", "ring8").code == 0


def test_a_run_that_fails_anew_is_found_in_a_row_of_other_arithmetic_too(put, genbench, tmp_path):
    high = {"flags": {"matmul_precision": "high"}}
    for side in "AB":
        put(side, reverse_kl=GOOD)
        for seed in range(5, 10):
            scores = made_up.scores({"reverse_kl": GOOD[seed - 5]})
            failing = side == "B" and seed > 8
            of = {"status": "crashed", "reason": "no"} if failing else {"found": scores}
            made_up.put(tmp_path / side, made_up.trial(seed=seed), provenance=high, **of)
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl")
    assert ran.code == 3
    assert "gan (precision high) on ring8, seed 9" in " ".join(ran.out.split())


def test_what_was_never_scored_is_no_want_of_seeds(put, genbench):
    put("A", reverse_kl=GOOD, hq=GOOD)
    put("B", reverse_kl=GOOD)
    ran = genbench("compare", "A", "B", "--fail-on", "hq")
    assert ran.code == 4
    assert "Warning: No verdict on hq of gan on ring8: one side has no scores." in ran.err
    assert "--fail-on hq could say nothing of hq of gan on ring8." in ran.err
    assert "seeds" not in ran.err


def test_a_collapse_far_out_is_no_reason_to_pass(put, genbench):
    """Welch's test is shaken by a score far out, so a gate passed although every run of B was worse."""
    near = [0.10, 0.11, 0.12, 0.13, 0.14, 0.145, 0.105, 0.115]
    put("A", reverse_kl=near)
    put("B", reverse_kl=[0.05 + value for value in near[:-1]] + [20.0])
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl").code == 3


def test_the_sides_order_turns_a_verdict_and_changes_no_p(put, genbench):
    rng = np.random.default_rng(3)
    put("A", reverse_kl=rng.lognormal(0, 0.5, 10).tolist())
    put("B", reverse_kl=rng.lognormal(0.6, 0.5, 10).tolist())
    ps = [json.loads(genbench("compare", *sides, "--json").out)["comparisons"][0]["p"] for sides in ("AB", "BA")]
    assert ps[0] == ps[1] < 1


def test_a_regression_counts_more_than_want_of_power(put, genbench):
    put("A", "gan", reverse_kl=GOOD)
    put("B", "gan", reverse_kl=BAD)
    put("A", "wgan", reverse_kl=GOOD[:3])
    put("B", "wgan", reverse_kl=GOOD[:3])
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl").code == 3


@pytest.mark.parametrize("options", [[], ["--allow-no-power"]], ids=str)
def test_a_trial_that_fails_anew_counts_more_than_want_of_power(options, put, genbench, tmp_path):
    put("A", reverse_kl=GOOD[:3])
    put("B", reverse_kl=GOOD[:2])
    made_up.put(tmp_path / "B", made_up.trial(seed=2), status="crashed", reason="no luck")
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl", *options)
    assert ran.code == 3
    assert ran.err.startswith("Warning: No verdict on 1 comparison")
    assert "could not have found" not in ran.err


def test_a_side_without_a_finished_run_is_worse_and_json_knows_no_infinity(put, genbench, tmp_path):
    put("A", reverse_kl=GOOD)
    for seed in range(5):
        made_up.put(tmp_path / "B", made_up.trial(seed=seed), status="diverged", reason="nan")
    ran = genbench("compare", "A", "B", "--fail-on", "reverse_kl:+1000%", "--json")
    assert ran.code == 3
    found = json.loads(ran.out, parse_constant=pytest.fail)
    (of,), (breach,) = found["comparisons"], found["breaches"]
    assert (of["verdict"], of["n"], of["failed"], of["medians"]) == ("worse", [5, 5], [0, 5], [0.012, None])
    assert of["p"] == pytest.approx(2 / 252)
    assert (breach["worsening"], breach["allowed"]) == (None, pytest.approx(0.12))


def test_several_gates_do_not_cost_each_other_their_power(put, genbench):
    """Three metrics once made 7 comparisons, of which none could be told any more."""
    for trainer in ("gan", "wgan"):
        put("A", trainer, reverse_kl=GOOD, hq=GOOD, modes=GOOD)
        put("B", trainer, reverse_kl=BAD, hq=GOOD, modes=GOOD)
    assert (
        genbench("compare", "A", "B", *["--fail-on", "reverse_kl", "--fail-on", "hq", "--fail-on", "modes"]).code == 3
    )


def test_trial_that_fails_anew_is_shown_and_fails_the_gate(put, genbench, tmp_path):
    put("A", reverse_kl=GOOD)
    put("B", reverse_kl=GOOD[:4])
    made_up.put(tmp_path / "B", made_up.trial(seed=4), status="diverged", reason="nan")
    ran = genbench("compare", "A", "B")
    assert ran.code == 0
    assert "Failed in B and not in A: gan on ring8, seed 4: diverged: nan" in ran.out
    assert "1 trial failed in B and not in A." in ran.out
    assert genbench("compare", "A", "B", "--fail-on", "reverse_kl").code == 3
    assert genbench("compare", "B", "A", "--fail-on", "reverse_kl").code == 0
    (failed,) = json.loads(genbench("compare", "A", "B", "--json").out)["failed"]
    assert failed == {"trainer": "gan", "dataset": "ring8", "seed": 4, "reason": "diverged: nan"}


def test_two_trainers_of_one_folder(put, genbench):
    put("A", "gan", reverse_kl=BAD)
    put("A", "wgan-gp", reverse_kl=GOOD)
    ran = genbench("compare", "A", "--trainer", "gan", "--against", "wgan-gp", "--fail-on", "reverse_kl")
    assert ran.code == 3
    assert "gan against wgan-gp" in ran.out
    assert genbench("compare", "A", "--trainer", "wgan-gp", "--against", "gan", "--fail-on", "reverse_kl").code == 0


def test_reference_may_be_a_side(put, genbench, tmp_path):
    put("A", reverse_kl=GOOD)
    shutil.copytree(tmp_path / "A", tmp_path / "results" / "reference")
    ran = genbench("compare", "results/reference", "A", "--json")
    assert (ran.code, ran.err) == (0, "")
    (of,) = json.loads(ran.out)["comparisons"]
    assert of["worse_by"]["value"] == 0
    assert of["verdict"] == "unclear"


def test_real_runs_are_compared(results, genbench):
    ran = genbench("compare", results, "--trainer", "wgan-gp", "--against", "gan", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert {one["verdict"] for one in found["comparisons"]} == {"untested"}
    assert {"modes", "hq", "w2"} <= {one["metric"] for one in found["comparisons"]}
    assert len(found["warnings"]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["A"], "Compare A with what?"),
        (["A", "--trainer", "gan"], "--trainer wgan-gp --against gan"),
        (["A", "B", "--trainer", "gan", "--against", "wgan"], "leave B out, or --against"),
        (["A", "none"], "none is not a folder"),
        (["A", "B", "--suite", "toy"], "No suite with results is named 'toy'."),
        (["A", "B", "--protocol", "pacgan"], "Did you mean pacgan2018?"),
        (["A", "B", "--protocol", "pacgan2018"], "Neither side has scores under pacgan2018."),
        (["A", "B", "--trainer", "wgan"], "no trainer, dataset and budget in common"),
        (["A", "B", "--metric", "reverse_k"], "Did you mean reverse_kl?"),
        (["A", "B", "--fail-on", "reverse_kl+10%"], "--fail-on reverse_kl:+10%"),
        (["A", "B", "--fail-on", "hq:+0.1"], "hq is better when higher"),
        (["A", "B", "--fail-on", "std_ratio"], "Say which way is worse: --fail-on std_ratio:+10%"),
    ],
    ids=str,
)
def test_refuses_what_it_cannot_compare(options, message, put, genbench):
    for side in ("A", "B"):
        put(side, reverse_kl=GOOD, hq=GOOD, std_ratio=GOOD)
    ran = genbench("compare", *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_refuses_other_identities_and_budgets_and_names_the_fields(put, genbench):
    put("A", reverse_kl=GOOD)
    put("A", dataset="grid25", reverse_kl=GOOD)
    put("B", reverse_kl=GOOD, identity={"n": 500})
    put("B", dataset="grid25", budget="steps=80", reverse_kl=GOOD)
    ran = genbench("compare", "A", "B")
    assert (ran.code, ran.out) == (2, "")
    assert "ring8, reverse_kl: n: 10000 in A, 500 in B" in ran.err
    assert "grid25: budget: steps=40 in A, steps=80 in B" in ran.err


def test_refuses_results_of_other_suites(put, genbench, tmp_path):
    put("A", reverse_kl=GOOD)
    made_up.put(tmp_path / "B", made_up.trial(), made_up.scores({"reverse_kl": 0.1}), into="custom")
    ran = genbench("compare", "A", "B")
    assert (ran.code, ran.out) == (2, "")
    assert (
        "no suite in common: made-up in A, custom in B. Run the same: genbench run --suite made-up --out B" in ran.err
    )
