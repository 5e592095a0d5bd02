"""What someone may have put into a results folder: each attack takes the folder, and in it that of one trial."""

import hashlib
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import made_up
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save

from genbench.records import layout, store

Act = Callable[[Path, Path], object]

PRECIOUS = "precious"
"""A file beside the results, which nothing may touch."""

ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202etxt"


class Attack(NamedTuple):
    """What is done, and the file that a report is to name, None where it has nothing to say.

    A report that is `refused` as a whole says so.
    """

    act: Act
    named: str | None
    refused: str | None


MALICE: dict[str, Attack] = {}


def attack(name: str, named: str | None = None, refused: str | None = None) -> Callable[[Act], Act]:
    def kept(act: Act) -> Act:
        MALICE[name] = Attack(act, named, refused)
        return act

    return kept


def instead(file: str, content: bytes | Callable[[Path], object]) -> Act:
    """Puts something else in the place of a trial's file; its record knows of nothing."""

    def act(root: Path, folder: Path) -> None:
        path = folder / file
        path.unlink()
        if callable(content):
            content(path)
        else:
            path.write_bytes(content)

    return act


def changed(file: str, change: Callable[[dict[str, Any]], object]) -> Act:
    """Changes what a trial's JSON says."""

    def act(root: Path, folder: Path) -> None:
        payload = json.loads((folder / file).read_bytes())
        change(payload)
        (folder / file).write_text(json.dumps(payload))

    return act


def text(file: str, old: str, new: str) -> Act:
    """Writes what no program writes as JSON into a trial's."""

    def act(root: Path, folder: Path) -> None:
        written = (folder / file).read_text(encoding="utf-8")
        assert old in written
        (folder / file).write_text(written.replace(old, new, 1), encoding="utf-8")

    return act


def tensors(**parts: Any) -> Act:
    """Other samples, of which the record knows."""

    def act(root: Path, folder: Path) -> None:
        content = save({**load_file(folder / layout.SAMPLES), **parts})
        made_up.overwrite(folder / layout.SAMPLES, content)

    return act


def table(make: Callable[[], pa.Table], compression: str = "snappy") -> Act:
    """Another curve, of which the record knows."""

    def act(root: Path, folder: Path) -> None:
        buffer = io.BytesIO()
        pq.write_table(make(), buffer, compression=compression)
        made_up.overwrite(folder / layout.CURVE, buffer.getvalue())

    return act


def renamed(trial: dict[str, Any], **changes: Any) -> None:
    trial["trial"]["trainer"].update(changes)


def consistent(**changes: Any) -> Act:
    """Another trainer, with all that follows from it in its place: no lie, and all the more an attack."""

    def act(root: Path, folder: Path) -> None:
        record = store.Store(root).trial(folder).record
        trainer = record.trial.trainer.model_copy(update=changes)
        trial = record.trial.model_copy(update={"trainer": trainer})
        payload = json.loads((folder / layout.RECORD).read_bytes())
        payload["trial"]["trainer"], payload["id"] = json.loads(trainer.model_dump_json()), trial.id
        (folder / layout.RECORD).write_text(json.dumps(payload))
        scores = json.loads((folder / layout.SCORES).read_bytes()) | {"id": trial.id}
        (folder / layout.SCORES).write_text(json.dumps(scores))
        folder.rename(folder.with_name(f"seed-{trial.seed}-{trial.id}"))

    return act


def score_of(payload: dict[str, Any], **changes: Any) -> None:
    payload["scores"][0].update(changes)


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def device(name: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(f"/dev/{name}")


NO_FILES: dict[str, bytes | Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "zeros without end": device("zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a pickle": pickle.dumps({"os": os.getcwd}),
    "nothing": b"",
    "noise": bytes(range(256)) * 64,
    "a sparse terabyte": sparse(2**40),
}
for _file in (layout.RECORD, layout.SCORES, layout.CURVE, layout.SAMPLES):
    for _what, _content in NO_FILES.items():
        gone = _what == "a link to itself" and _file == layout.RECORD  # as if none were there
        attack(f"{_what} for {_file}", None if gone else _file)(instead(_file, _content))

# Records.
CRASHED = {"status": "crashed"}
for _name, _act in {
    "a number of 5000 digits": text(layout.RECORD, '"steps": 40', f'"steps": {"9" * 5000}'),
    "a cost that is NaN": text(layout.RECORD, '"train_seconds": 1.5', '"train_seconds": NaN'),
    "a cost that is infinite": text(layout.RECORD, '"train_seconds": 1.5', '"train_seconds": 1e999'),
    "a negative cost": text(layout.RECORD, '"updates": 120', '"updates": -120'),
    "a seed of 2 to the 63": changed(layout.RECORD, lambda of: of["trial"].update(seed=2**63)),
    "lists in lists": instead(layout.RECORD, b"[" * 100_000),
    "a list": instead(layout.RECORD, b"[1, 2]"),
    "text in UTF-16": instead(layout.RECORD, '{"schema_version": 3}'.encode("utf-16")),
    "an unknown field": changed(layout.RECORD, lambda of: of.update(run="rm -rf")),
    "a schema of tomorrow": changed(layout.RECORD, lambda of: of.update(schema_version=99)),
    "a schema that is none": changed(layout.RECORD, lambda of: of.update(schema_version="three")),
    "another trial's id": changed(layout.RECORD, lambda of: of.update(id="0123456789ab")),
    "a label that lies": changed(layout.RECORD, lambda of: renamed(of, label="wgan")),
    "another seed than its folder's": changed(layout.RECORD, lambda of: of["trial"].update(seed=7)),
    "a budget without end": text(layout.RECORD, '"amount": 40.0', '"amount": Infinity'),
}.items():
    attack(f"{_name} in a record", layout.RECORD)(_act)
attack("a name of a hundred kilobytes", layout.RECORD)(consistent(name="x" * 100_000, label="x" * 100_000))
attack("a lone surrogate")(text(layout.RECORD, '"suite": "made-up"', '"suite": "\\ud800"'))
attack("commands to the terminal in a reason")(changed(layout.RECORD, lambda of: of.update(CRASHED, reason=ESCAPES)))
attack("a megabyte of reasons")(changed(layout.RECORD, lambda of: of.update(CRASHED, reason="no " * 350_000)))
attack("ten thousand facts")(
    changed(layout.RECORD, lambda of: of["provenance"].update({str(i): i for i in range(10_000)}))
)
attack("dollars in a name")(consistent(name="price$5^$", label="price$5^$"))
attack("HTML in a name")(consistent(name="<img/src=x/onerror=alert(1)>", label="<img/src=x/onerror=alert(1)>"))
attack("a formula for a name")(consistent(name="=cmd|'/c'!A1", label="=cmd|'/c'!A1"))
attack("LaTeX for a name")(consistent(name=r"\input{/etc/passwd}", label=r"\input{/etc/passwd}"))
attack("a path for a name")(consistent(name="../../../precious", label="../../../precious"))

# Scores.
for _name, _act in {
    "scores of another trial": changed(layout.SCORES, lambda of: of.update(id="0123456789ab")),
    "an infinite score": text(layout.SCORES, '"value": 8.0', '"value": -Infinity'),
    "a score of 1e308": text(layout.SCORES, '"value": 8.0', '"value": 1e308'),
    "a score of a text": changed(layout.SCORES, lambda of: score_of(of, value="eight")),
    "a count below zero": changed(layout.SCORES, lambda of: of["scores"][0]["identity"].update(n=-1)),
    "a state that is none": changed(layout.SCORES, lambda of: score_of(of, state="splendid")),
}.items():
    attack(_name, layout.SCORES)(_act)
attack("no scores at all")(changed(layout.SCORES, lambda of: of.update(scores=[])))
attack("a score without a value")(changed(layout.SCORES, lambda of: score_of(of, value=None)))
attack("a band that is turned round")(changed(layout.SCORES, lambda of: score_of(of, null_low=9.0, null_high=-9.0)))
attack("an unknown metric")(changed(layout.SCORES, lambda of: score_of(of, name="?", unit="<b>")))
attack("the same score a thousand times")(changed(layout.SCORES, lambda of: of.update(scores=of["scores"][:1] * 1000)))
attack("commands to the terminal in a score")(
    changed(layout.SCORES, lambda of: score_of(of, name=ESCAPES, unit=ESCAPES))
)
attack("the largest numbers")(text(layout.SCORES, '"value": 8.0', '"value": 1e150'))

# Curves.
STEPS = {"steps": [1, 10, 40], "updates": [1, 10, 40]}
attack("a curve of three thousand columns", layout.CURVE)(
    table(lambda: pa.table({**STEPS, **{f"m{i}": [0.0, 1.0, 2.0] for i in range(3000)}}))
)
attack("columns of one name", layout.CURVE)(
    table(lambda: pa.Table.from_arrays([pa.array([1, 2])] * 4, names=["steps", "updates", "hq", "hq"]))
)
attack("a hundred million rows", layout.CURVE)(
    table(lambda: pa.table({name: pa.array(np.zeros(10**7, np.int8)) for name in ("steps", "updates", "modes")}))
)
attack("pages that may unpack to anything", layout.CURVE)(
    table(lambda: pa.table({**STEPS, "modes": np.zeros(3)}), compression="zstd")
)
attack("a curve of NaN")(table(lambda: pa.table({**STEPS, "modes": [np.nan] * 3, "hq": [np.inf, -np.inf, 1e308]})))
attack("a curve of texts", layout.CURVE)(table(lambda: pa.table({"steps": ["<b>"], "updates": ["1"]})))
attack("a curve of lists", layout.CURVE)(table(lambda: pa.table({"steps": [[1]], "updates": [[1]]})))
attack("a curve without rows")(table(lambda: pa.table({name: pa.array([], pa.int64()) for name in (*STEPS, "modes")})))
attack("a curve of another trial", layout.CURVE)(instead(layout.CURVE, made_up.parquet(**STEPS, modes=[8.0, 8.0, 8.0])))

# Samples.
attack("a landscape of one level", layout.SAMPLES)(tensors(landscape=np.zeros((1, 1), np.float32)))
attack("a landscape of NaN", layout.SAMPLES)(tensors(landscape=np.full((8, 8), np.nan, np.float32)))
attack("an extent of NaN", layout.SAMPLES)(tensors(extent=np.full((2, 2), np.nan, np.float32)))
attack("an extent without width", layout.SAMPLES)(tensors(extent=np.zeros((2, 2), np.float32)))
attack("samples of NaN")(tensors(final=np.full((60, 2), np.nan, np.float32)))
attack("the farthest samples")(tensors(final=np.full((60, 2), 3e38, np.float32)))
attack("no samples", layout.SAMPLES)(tensors(final=np.zeros((0, 2), np.float32)))
attack("samples in twelve dimensions")(tensors(final=np.zeros((1,) * 12, np.float32)))
attack("images without pixels")(tensors(final=np.zeros((4, 1, 0, 0), np.uint8)))
attack("another trial's samples", layout.SAMPLES)(
    lambda root, folder: (folder / layout.SAMPLES).write_bytes(save({"final": np.ones((60, 2), np.float32)}))
)
attack("a header that says it is longer", layout.SAMPLES)(instead(layout.SAMPLES, struct.pack("<Q", 2**60) + b"{}"))
attack("tensors that lie in each other", layout.SAMPLES)(
    instead(layout.SAMPLES, (lambda head: struct.pack("<Q", len(head)) + head + bytes(16))(
        json.dumps({name: {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} for name in "ab"}).encode()
    ))
)  # fmt: skip


# Links.
@attack("a link in the place of a picture")
def _(root: Path, folder: Path) -> None:
    for name in ("landscapes.png", "curves-ring8.png"):
        (root / "report/made-up").mkdir(parents=True, exist_ok=True)
        (root / "report/made-up" / name).symlink_to(root.parent / PRECIOUS)


@attack("a link in the place of the pictures' folder", refused="out of")
def _(root: Path, folder: Path) -> None:
    (root / "report").symlink_to(root.parent)


@attack("a link in the place of a suite's pictures", refused="out of")
def _(root: Path, folder: Path) -> None:
    (root / "report").mkdir()
    (root / "report/made-up").symlink_to(root.parent)


@attack("a loop of folders")
def _(root: Path, folder: Path) -> None:
    (folder / "deeper").symlink_to(root)


@attack("a trial that is a link")
def _(root: Path, folder: Path) -> None:
    elsewhere = root.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


@attack("commands to the terminal in a file's name", layout.RECORD)
def _(root: Path, folder: Path) -> None:
    other = folder.with_name(f"seed-\x1b[2J-{folder.name}")
    other.mkdir()
    (other / layout.RECORD).write_text("{")


@attack("a folder that is named like a suite")
def _(root: Path, folder: Path) -> None:
    (root / "$5 & <b>/ring8/gan/seed-0-0").mkdir(parents=True)
    (root / "$5 & <b>/ring8/gan/seed-0-0" / layout.RECORD).write_text("{}")


# Plans and controls.
def beside(name: str, change: Callable[[dict[str, Any]], object]) -> Act:
    def act(root: Path, folder: Path) -> None:
        (path,) = root.glob(f"made-up/{name}")
        payload = json.loads(path.read_bytes())
        change(payload)
        path.write_text(json.dumps(payload))

    return act


PLAN, CONTROLS = layout.PLAN, f"*/{layout.CONTROLS}"
attack("a plan of a million seeds")(beside(PLAN, lambda of: of.update(seeds=list(range(1_000_000)))))
attack("a plan without protocols", PLAN)(beside(PLAN, lambda of: of.update(protocols=[])))
attack("a plan that leads elsewhere", PLAN)(beside(PLAN, lambda of: of.update(name="../../precious")))
attack("a plan of unknown protocols", refused="No protocol is named")(
    beside(PLAN, lambda of: of.update(protocols=["nobodys"]))
)
attack("a plan of negative seeds")(beside(PLAN, lambda of: of.update(seeds=[-1, 2**70])))
attack("a plan of odd names")(beside(PLAN, lambda of: of.update(trainers=["gan[", "$x$", ESCAPES], datasets=["<b>"])))
attack("controls of another set")(beside(CONTROLS, lambda of: of.update(dataset="<b>$x$</b>")))
attack("controls without draws")(beside(CONTROLS, lambda of: of.update(draws={})))
attack("controls of numbers that are none", layout.CONTROLS)(
    beside(CONTROLS, lambda of: of["draws"]["oracle"][0][0].update(value=float("inf")))
)


# Archives.
def packed(write: Callable[[zipfile.ZipFile], object]) -> Act:
    def act(root: Path, folder: Path) -> None:
        with zipfile.ZipFile(root / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("packed/suite.json", "{}")
            write(archive)

    return act


@attack("an archive that would unpack to gigabytes", "packed.zip")
def _(root: Path, folder: Path) -> None:
    packed(lambda of: of.writestr("packed/ring8/gan/seed-0-0/samples.safetensors", bytes(2**20)))(root, folder)
    content = bytearray((root / "packed.zip").read_bytes())
    start = -1
    while (start := content.find(b"PK\x01\x02", start + 1)) >= 0:
        content[start + 24 : start + 28] = struct.pack("<L", 2**32 - 2)
    (root / "packed.zip").write_bytes(content)


attack("an archive that climbs out", "packed.zip")(packed(lambda of: of.writestr("packed/../../precious", "owned")))
attack("an archive of absolute names", "packed.zip")(packed(lambda of: of.writestr("/precious", "owned")))


@attack("an archive that says its list is endless")
def _(root: Path, folder: Path) -> None:
    packed(lambda of: None)(root, folder)
    content = bytearray((root / "packed.zip").read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<L", 2**32 - 1)
    (root / "packed.zip").write_bytes(content)


@attack("an archive that is cut off")
def _(root: Path, folder: Path) -> None:
    packed(lambda of: of.writestr("packed/ring8/gan/seed-0-0/record.json", "{}" * 1000))(root, folder)
    content = (root / "packed.zip").read_bytes()
    (root / "packed.zip").write_bytes(content[: len(content) // 2])


@attack("a pipe in the place of an archive")
def _(root: Path, folder: Path) -> None:
    os.mkfifo(root / "packed.zip")


attack("an archive with an entry that is called a dot", "packed.zip")(packed(lambda of: of.writestr(".", "odd")))


def odd_entry(old: bytes, new: bytes) -> Act:
    """An archive of which some bytes of the list of files are other ones."""

    def act(root: Path, folder: Path) -> None:
        packed(lambda of: of.writestr("packed/ring8/gan/seed-0-0/odd.json", "{}"))(root, folder)
        content = (root / "packed.zip").read_bytes()
        start = content.rindex(b"PK\x01\x02")
        (root / "packed.zip").write_bytes(content[:start] + content[start:].replace(old, new, 1))

    return act


attack("an archive whose names are in no encoding")(odd_entry(b"odd.json", b"\xff\xfe.json"))
attack("an archive of tomorrow's format")(odd_entry(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\x63\x00"))
attack("a record of a suite elsewhere", layout.RECORD)(changed(layout.RECORD, lambda of: of.update(suite="/tmp/pwned")))


@attack("a second suite of unknown protocols", PLAN)
def _(root: Path, folder: Path) -> None:
    made_up.put(root, made_up.trial("gan"), made_up.scores({"modes": 8.0}), into="other")
    store.Store(root).write_plan(made_up.suite(name="other", protocols=("nobodys",)))


@attack("a suite whose folder's name commands the terminal")
def _(root: Path, folder: Path) -> None:
    made_up.put(root, made_up.trial("gan"), made_up.scores({"modes": 8.0}), into="other")
    (root / "other").rename(root / "ot\x1b]0;owned\x07her")


def precious(root: Path) -> str:
    """The SHA-256 of what lies beside the results."""
    return hashlib.sha256((root.parent / PRECIOUS).read_bytes()).hexdigest()


def results(root: Path) -> Path:
    """Two trainers with three seeds each, controls and a plan; returns the folder of the first trial."""
    (root.parent / PRECIOUS).write_text("mine")
    rng = np.random.default_rng(0)
    for trainer in ("gan", "wgan"):
        for seed in range(3):
            curve = pd.DataFrame(
                {**STEPS, "samples": [1, 10, 40], "seconds": [0.1, 0.2, 0.3], "modes": [1.0, 4.0, 8.0]}
            )
            parts = {"final": (60, 2), "strip": (3, 20, 2), "real": (50, 2), "landscape": (8, 8)}
            samples = {name: rng.normal(size=size).astype(np.float32) for name, size in parts.items()}
            samples["extent"] = np.array([[-2, -2], [2, 2]], np.float32)
            made_up.put(
                root,
                made_up.trial(trainer, seed=seed),
                made_up.scores({"modes": 8.0, "hq": 0.9, "reverse_kl": 0.1 + seed / 10}),
                curve=curve,
                samples={name: made_up.tensor(part) for name, part in samples.items()},
            )
    draws = {"oracle": [made_up.scores({"modes": 8.0, "hq": 0.98, "reverse_kl": 0.001})] * 3}
    made_up.put_controls(root, made_up.component("ring8"), draws)
    store.Store(root).write_plan(made_up.suite(trainers=("gan", "wgan"), seeds=(0, 1, 2)))
    return store.Store(root).folder("made-up", made_up.trial("gan", seed=0))
