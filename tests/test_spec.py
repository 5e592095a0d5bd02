"""Budgets, seeds, canonical JSON, and the ids that decide which results are the same."""

import json
from pathlib import Path
from typing import Any

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genbench.errors import BadParameter, GenbenchError, UnknownName
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Suite, Trial, canonical_json, format_seeds, parse_seeds

WHOLE = st.tuples(st.sampled_from(["steps", "updates", "samples"]), st.integers(1, 10**15).map(float))
SECONDS = st.tuples(st.just("seconds"), st.floats(1e-6, 1e9))

# Every parameter is spelled out, so that only a change of what an id hashes can move these.
GOLDEN_TRAINERS = {
    "gan": "gan[loss=non-saturating,smoothing=false,batch=256,latent=2,networks=mlp,width=64,depth=3,critic_steps=1,"
    "optimizer=adam,lr=0.002,beta1=0.5,beta2=0.999,schedule=constant]",
    "wgan": "wgan[clip=0.01,critic_steps=5,batch=256,latent=2,networks=mlp,width=64,depth=3,optimizer=rmsprop,"
    "lr=0.0005,beta1=0,beta2=0.9,schedule=linear]",
    "wgan-gp": "wgan-gp[penalty=0.1,critic_steps=5,batch=256,latent=2,networks=mlp,width=64,depth=3,optimizer=adam,"
    "lr=0.004,beta1=0,beta2=0.9,schedule=cosine]",
}
GOLDEN_IDS = {"gan": "765fbcb6f71f", "wgan": "eddb31688ed2", "wgan-gp": "0b8ae9eb2d63", "mixture": "345e31a9251e"}


def real_trial(trainer: str = "gan", dataset: str = "ring8", seed: int = 0, budget: str = "steps=3000") -> Trial:
    return Trial(
        dataset=Component.resolve(datasets, dataset),
        trainer=Component.resolve(trainers, trainer),
        budget=Budget.parse(budget),
        seed=seed,
    )


@pytest.fixture
def centres(tmp_path: Path) -> Path:
    path = tmp_path / "centres.csv"
    path.write_text("0,0\n1,0\n0,1\n")
    return path


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("steps=3000", "steps", 3000),
        ("steps=1", "steps", 1),
        ("updates=1e4", "updates", 10_000),
        ("samples=1_000_000", "samples", 1_000_000),
        ("seconds=0.5", "seconds", 0.5),
    ],
)
def test_budget(text: str, kind: str, amount: float) -> None:
    assert Budget.parse(text) == Budget(kind=kind, amount=amount)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "3000", "steps", "steps=", "steps=0", "steps=-1", "steps=many", "steps=nan", "steps=inf", "epochs=3", "=3",
     "steps=1=2", "seconds=0", "STEPS=3"],
)  # fmt: skip
def test_budget_that_is_none_says_what_to_type(text: str) -> None:
    with pytest.raises(BadParameter, match=r"is not a budget.*steps, updates, samples or seconds.*--budget steps=3000"):
        Budget.parse(text)


@pytest.mark.parametrize("kind", ["steps", "updates", "samples"])
def test_budget_of_half_a_step_is_refused(kind: str) -> None:
    with pytest.raises(BadParameter, match=f"{kind} come in whole numbers"):
        Budget.parse(f"{kind}=2.5")


@given(WHOLE | SECONDS)
def test_budget_round_trip(budget: tuple[str, float]) -> None:
    kind, amount = budget
    made = Budget(kind=kind, amount=amount)  # type: ignore[arg-type]
    assert Budget.parse(str(made)) == made


@pytest.mark.parametrize("amount", [0, -1, float("inf"), float("nan")])
def test_no_budget_without_an_end(amount: float) -> None:
    with pytest.raises(ValidationError):
        Budget(kind="steps", amount=amount)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("7", (7,)), ("0-4", (0, 1, 2, 3, 4)), ("0-2,8", (0, 1, 2, 8)), ("3,1,1-2", (1, 2, 3)), (" 1 , 2 ", (1, 2))],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@given(st.sets(st.integers(0, 40), min_size=1))
def test_formatted_seeds_read_back(seeds: set[int]) -> None:
    assert parse_seeds(format_seeds(seeds)) == tuple(sorted(seeds))


@pytest.mark.parametrize(("seeds", "text"), [((7,), "7"), ((4, 0, 1, 2, 3), "0-4"), ((0, 1, 8, 5), "0-1,5,8")])
def test_runs_of_seeds_are_written_as_ranges(seeds: tuple[int, ...], text: str) -> None:
    assert format_seeds(seeds) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "Write --seeds 0-4"),
        ("-1", "Write --seeds 0-4"),
        ("a", "Write --seeds 0-4"),
        ("0-", "Write --seeds 0-4"),
        ("1,,2", "Write --seeds 0-4"),
        ("1.5", "Write --seeds 0-4"),
        ("4-0", "Write 0-4"),
        ("0-999999999", "Give fewer"),
    ],
)
def test_seeds_that_are_none_say_what_to_type(text: str, hint: str) -> None:
    with pytest.raises(GenbenchError, match=hint):
        parse_seeds(text)


def test_canonical_json_ignores_order_and_keeps_types() -> None:
    assert canonical_json({"b": 1.0, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1.0}'
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert canonical_json(1) != canonical_json(1.0)
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


@pytest.mark.parametrize("name", GOLDEN_TRAINERS)
def test_golden_ids(name: str) -> None:
    assert real_trial(GOLDEN_TRAINERS[name]).id == GOLDEN_IDS[name]


def test_golden_id_of_a_file_depends_on_its_content_alone(centres: Path) -> None:
    def of(path: Path) -> Trial:
        return real_trial(GOLDEN_TRAINERS["gan"], f"mixture[path={path},std=0.05]")

    elsewhere = centres.with_name("elsewhere.csv")
    elsewhere.write_bytes(centres.read_bytes())
    assert of(centres).id == of(elsewhere).id == GOLDEN_IDS["mixture"]
    elsewhere.write_text("0,0\n1,0\n0,2\n")
    assert of(elsewhere).id != of(centres).id


@pytest.mark.parametrize(
    "same",
    [
        "gan[width=64]",
        "gan[width=64.0,lr=2e-3]",
        "gan[lr=0.0020]",
        "gan[recipe=default]",
        " gan [ smoothing = False ] ",
    ],
)
def test_id_does_not_depend_on_the_spelling(same: str) -> None:
    assert real_trial(same).id == real_trial("gan").id


def test_id_does_not_depend_on_whether_a_recipe_was_named() -> None:
    recipe = trainers["gan"].recipes["seed2020"]
    spelled = "gan[" + ",".join(f"{key}={value}" for key, value in recipe.items()) + "]"
    assert real_trial("gan[recipe=seed2020]").id == real_trial(spelled).id != real_trial("gan").id


def test_id_does_not_depend_on_labels() -> None:
    one, other = made_up.component("gan"), made_up.component("gan", label="another name for it")
    assert made_up.trial(one).id == made_up.trial(other).id
    assert made_up.trial("gan", one).id == made_up.trial("gan", other).id


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"budget": "steps=41"},
        {"budget": "updates=40"},
        {"engine": 2},
        {"trainer": "wgan"},
        {"dataset": "grid25"},
        {"trainer": made_up.component("gan", version=2)},
        {"dataset": made_up.component("ring8", version=2)},
        {"trainer": made_up.component("gan", parameters={"lr": 1.0})},
        {"dataset": made_up.component("ring8", parameters={"std": 1.0})},
        {"dataset": made_up.component("ring8", files={"path": "0" * 64})},
    ],
    ids=str,
)
def test_id_depends_on_all_that_decides_the_weights(change: dict[str, Any]) -> None:
    assert made_up.trial(**change).id != made_up.trial(engine=1).id


def test_plan_key_leaves_versions_out_and_nothing_else() -> None:
    newer = made_up.trial(made_up.component("gan", version=2), made_up.component("ring8", version=3), engine=9)
    assert newer.plan_key == made_up.trial().plan_key
    for change in ({"seed": 1}, {"budget": "steps=41"}, {"trainer": "wgan"}, {"dataset": "grid25"}):
        assert made_up.trial(**change).plan_key != made_up.trial().plan_key


def test_missing_file_is_named() -> None:
    with pytest.raises(BadParameter, match=r"dataset mixture: path=nowhere\.csv is not a file"):
        Component.resolve(datasets, "mixture[path=nowhere.csv,std=0.1]")


def test_trials_cover_the_plan_seed_by_seed() -> None:
    plan = made_up.suite(datasets=("ring8", "grid25"), trainers=("gan", "wgan[clip=0.03]"), seeds=(3, 5))
    trials = plan.trials()
    assert list(map(str, trials)) == [
        f"{trainer} on {dataset}, seed {seed}"
        for seed in (3, 5)
        for dataset in ("ring8", "grid25")
        for trainer in ("gan", "wgan[clip=0.03]")
    ]
    assert len({trial.id for trial in trials}) == 8


def test_plan_of_several_budgets_has_trials_of_each_seed_by_seed() -> None:
    budgets = tuple(map(Budget.parse, ("updates=18", "samples=1536", "seconds=2")))
    trials = made_up.suite(trainers=("gan", "wgan"), seeds=(0, 1), budgets=budgets).trials()
    assert [(trial.seed, str(trial.budget), trial.trainer.label) for trial in trials] == [
        (seed, str(budget), trainer) for seed in (0, 1) for budget in budgets for trainer in ("gan", "wgan")
    ]
    assert len({trial.id for trial in trials}) == len({trial.plan_key for trial in trials}) == 12


def test_budget_in_a_call_or_a_stored_plan_is_the_only_one() -> None:
    plan = made_up.suite(budget=Budget.parse("steps=7"))
    assert plan.budgets == (Budget.parse("steps=7"),)
    stored = plan.model_dump(mode="json")
    stored["budget"] = stored.pop("budgets")[0]
    assert Suite.model_validate(stored) == plan
    assert Suite.model_validate_json(json.dumps(stored)) == plan
    with pytest.raises(ValidationError, match="not both"):
        Suite.model_validate(stored | {"budgets": [stored["budget"]]})


def test_budget_that_is_planned_twice_counts_once() -> None:
    budgets = tuple(map(Budget.parse, ("steps=7", "seconds=7", "steps=7.0")))
    assert made_up.suite(budgets=budgets).canonical().budgets == budgets[:2]


def test_plan_with_an_unknown_name_has_no_trials() -> None:
    with pytest.raises(UnknownName, match="Did you mean ring8"):
        made_up.suite(datasets=("rign8",)).trials()


@pytest.mark.parametrize("empty", ["datasets", "trainers", "seeds", "budgets"])
def test_plan_of_nothing_is_refused(empty: str) -> None:
    with pytest.raises(ValidationError):
        made_up.suite(**{empty: ()})


@pytest.mark.parametrize(
    "model", [made_up.suite(), made_up.trial(), made_up.trial().budget], ids=lambda m: type(m).__name__
)
def test_models_survive_json_and_refuse_change_and_strangers(model: Suite | Trial | Budget) -> None:
    assert type(model).model_validate_json(model.model_dump_json()) == model
    with pytest.raises(ValidationError):
        type(model).model_validate({**model.model_dump(), "stranger": 1})
    with pytest.raises(ValidationError):
        setattr(model, next(iter(type(model).model_fields)), None)


def test_equal_components_are_interchangeable_as_keys() -> None:
    one, same = (
        made_up.component("gan", parameters={"a": 1, "b": 2}),
        made_up.component("gan", parameters={"b": 2, "a": 1}),
    )
    assert {one: "found"}[same] == "found"
