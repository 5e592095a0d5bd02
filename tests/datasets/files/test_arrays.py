"""What is read comes back as it was written; what can't be read says why, and nothing is ever unpickled."""

import contextlib
import os
import pickle
import zipfile
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from genbench.datasets.files.arrays import ENDINGS, reader
from genbench.errors import GenbenchError

POINTS = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)


def write(path, array):
    """One array in a file of the ending's own kind."""
    if path.suffix == ".npy":
        np.save(path, array, allow_pickle=False)
    elif path.suffix == ".npz":
        np.savez(path, allow_pickle=False, samples=array)
    elif path.suffix == ".csv":
        np.savetxt(path, array, delimiter=",", fmt="%.9g")
    elif path.suffix == ".parquet":
        pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])]).to_parquet(path, index=False)
    else:
        save_file({"samples": array}, path)
    return path


def refusal(path, key=None):
    with pytest.raises(GenbenchError) as refused:
        reader(path)(path, key)
    assert str(path) in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_written_is_read(ending, tmp_path):
    path = write(tmp_path / f"mine{ending}", POINTS)
    assert np.array_equal(reader(path)(path, None).astype(np.float32), POINTS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_ending_may_be_in_capitals(ending, tmp_path):
    path = write(tmp_path / f"mine{ending}", POINTS).rename(tmp_path / f"MINE{ending.upper()}")
    assert reader(path)(path, None).shape == POINTS.shape


@pytest.mark.parametrize("ending", ENDINGS)
def test_empty_file_is_refused(ending, tmp_path):
    path = tmp_path / f"mine{ending}"
    path.touch()
    assert "is empty" in refusal(path)


@pytest.mark.parametrize(("written", "ending"), list(permutations(ENDINGS, 2)))
def test_file_that_is_not_what_its_ending_says_is_refused(written, ending, tmp_path):
    path = write(tmp_path / f"mine{written}", POINTS).rename(tmp_path / f"mine{ending}")
    assert "can't be read as" in refusal(path)


@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != ".csv"])
def test_file_that_was_cut_off_is_refused(ending, tmp_path):
    path = write(tmp_path / f"mine{ending}", POINTS)
    path.write_bytes(path.read_bytes()[:-60])
    assert "can't be read as" in refusal(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_noise_is_refused(ending, tmp_path):
    path = tmp_path / f"mine{ending}"
    path.write_bytes(np.random.default_rng(0).bytes(500))
    assert "can't be read as" in refusal(path)


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_whatever_a_damaged_header_says_is_read_or_refused(ending, tmp_path):
    """Headers are Python: what a parser may raise, and that is nearly anything, is about this file."""
    path = write(tmp_path / f"mine{ending}", POINTS)
    whole = path.read_bytes()
    begin = whole.index(b"{")
    for place, character in product(range(begin - 4, begin + 80), b"{[(}'L\\\x00\xff"):
        path.write_bytes(whole[:place] + bytes([character]) + whole[place + 1 :])
        with contextlib.suppress(GenbenchError):
            reader(path)(path, None)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4'{ }",  # raises TokenError
        "{[]: 1}",  # TypeError
        "{'descr': '<f4', 1: 2}",  # TypeError
        "(" * 5_000,  # MemoryError or RecursionError
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}",
    ],
)
def test_header_that_means_nothing_is_refused(header, tmp_path):
    path = tmp_path / "mine.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(80))
    refusal(path)


def test_unknown_ending_names_the_known_ones(tmp_path):
    path = tmp_path / "mine.txt"
    assert all(ending in refusal(path) for ending in [*ENDINGS, ".zip"])


class Boobytrap:
    """A pickle of this makes a folder when it is loaded."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("ending", ENDINGS)
def test_pickles_are_never_loaded(ending, tmp_path):
    path = tmp_path / f"mine{ending}"
    path.write_bytes(pickle.dumps(Boobytrap(tmp_path / "sprung")))
    refusal(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_arrays_of_objects_are_never_loaded(ending, tmp_path):
    path, trap = tmp_path / f"mine{ending}", np.array([Boobytrap(tmp_path / "sprung")], object)
    if ending == ".npy":
        np.save(path, trap, allow_pickle=True)
    else:
        np.savez(path, samples=trap)
    assert "holds objects, not numbers" in refusal(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_one_of_several_arrays_is_chosen_by_its_key(ending, tmp_path):
    path, arrays = tmp_path / f"mine{ending}", {"fakes": POINTS, "reals": POINTS[:3]}
    if ending == ".npz":
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    assert "fakes, reals. Choose one: --key NAME" in refusal(path)
    assert "Did you mean fakes?" in refusal(path, "fake")
    assert np.array_equal(reader(path)(path, "reals"), POINTS[:3])


@pytest.mark.parametrize("ending", [".npy", ".csv", ".parquet"])
def test_key_of_a_file_that_holds_one_array_is_refused(ending, tmp_path):
    assert "Leave --key out" in refusal(write(tmp_path / f"mine{ending}", POINTS), "samples")


def test_something_else_in_an_npz_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as file:
        file.writestr("readme.txt", "no array")
    assert "no array" in refusal(tmp_path / "mine.npz")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_tensors_of_every_precision_are_read(dtype, tmp_path):
    tensor = torch.from_numpy(POINTS).to(dtype)
    save_tensors({"samples": tensor}, tmp_path / "mine.safetensors")
    read = reader(tmp_path / "mine.safetensors")(tmp_path / "mine.safetensors", None)
    assert np.array_equal(read, tensor.to(torch.float64).numpy())


@pytest.mark.parametrize("heading", ["x,y\n", '"first one","second"\n', "# x, y\n", "\ufeffx,y\n", '"",x\n'], ids=repr)
def test_csv_may_have_one_heading(heading, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"{heading}0.5,1\n-2,3e-1\n", encoding="utf-8")
    assert reader(path)(path, None).tolist() == [[0.5, 1.0], [-2.0, 0.3]]


@pytest.mark.parametrize("row", ["nan,1", ",", ",1", ",0", '"",""', "NA,NA", "0,2", "2,1"])
def test_first_row_of_numbers_or_of_none_is_no_heading(row, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"{row}\n-2,3\n", encoding="utf-8")
    read = reader(path)(path, None)
    assert read.shape == (2, 2)
    assert read[1].tolist() == [-2, 3]


@pytest.mark.parametrize("first", [0, 1])
def test_numbers_that_count_the_columns_are_their_names_where_the_rest_is_not_whole(first, tmp_path):
    path = tmp_path / "mine.csv"
    pd.DataFrame(np.tile(POINTS, (6, 1)), columns=[first, first + 1]).to_csv(path, index=False)
    assert len(reader(path)(path, None)) == 120


def test_numbers_that_count_the_columns_of_few_rows_may_be_either(tmp_path):
    path = tmp_path / "mine.csv"
    for rows in ("0.866,-0.5\n-0.866,-0.5\n", "3,0\n0,3\n", "3,0\n0,3\n" * 100):
        path.write_text(f"0,1\n{rows}", encoding="utf-8")
        assert "its first line, 0,1, may be names or numbers; write 0.0,1.0, or names" in refusal(path)
    path.write_text("0,1\n", encoding="utf-8")
    assert reader(path)(path, None).tolist() == [[0, 1]]


@pytest.mark.parametrize("missing", ["", "NA", "null", "None", "nan", "<NA>", '""'])
def test_cells_without_a_number_are_not_finite(missing, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"x,y\n1,2\n{missing},4\n5,{missing}\n", encoding="utf-8")
    assert np.isfinite(reader(path)(path, None)).tolist() == [[True, True], [False, True], [True, False]]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("name", [None, "number"])
def test_index_of_a_data_frame_is_no_feature(ending, name, tmp_path):
    path, table = tmp_path / f"mine{ending}", pd.DataFrame(POINTS, columns=["x", "y"]).sample(frac=1, random_state=0)
    if ending == ".csv":
        table.to_csv(path)  # whose index has no name: one of any name can't be told from a feature
    else:
        table.rename_axis(name).to_parquet(path)
    assert np.array_equal(reader(path)(path, None).astype(np.float32), table.to_numpy())


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("name", ["index", "id"])
def test_column_that_is_called_an_index_and_counts_is_no_feature(ending, name, tmp_path):
    path, table = tmp_path / f"mine{ending}", pd.DataFrame(POINTS, columns=["x", "y"])
    counted = table.rename_axis(name).reset_index()
    measured = table.assign(**{name: POINTS[:, 0]})[[name, "x", "y"]]
    for frame, columns in ((counted, 2), (measured, 3)):
        frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path)
        assert reader(path)(path, None).shape == (20, columns)


@pytest.mark.parametrize("points", [POINTS, POINTS.round()], ids=["fractions", "whole"])
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_what_pandas_writes_of_an_array_is_read(columns, points, tmp_path):
    """An index without a name, and columns that are called by their number."""
    table = pd.DataFrame(np.tile(points, (1, 2))[:, :columns])
    table.to_csv(tmp_path / "mine.csv")
    read = reader(tmp_path / "mine.csv")(tmp_path / "mine.csv", None)
    assert np.array_equal(read.astype(np.float32), table.to_numpy())


def test_marks_between_digits_are_no_number(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("x,y\n1_0,2\n")
    assert "could not convert string '1_0'" in refusal(path)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_are_named(mark, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"x{mark}y\n1{mark}2\n")
    assert f"its cells lie between {mark!r}. Write commas" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_text_in_another_encoding_is_told(encoding, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("é,ü\n1,2\n", encoding=encoding)
    assert "it isn't text in UTF-8. Save it so" in refusal(path)


@pytest.mark.parametrize(
    "text", ["x,y\nu,v\n1,2\n", "1,2\na,b\n", "1,one\n", "1;2\n3;4\n", "1,2\n3\n", "1,2\n# 3,4\n"], ids=repr
)
def test_csv_with_text_or_gaps_is_refused(text, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    assert "can't be read as a file of comma-separated numbers" in refusal(path)


@pytest.mark.parametrize("text", ["x,y\n", "\n\n", "x,y\n\n"], ids=repr)
def test_csv_without_rows_is_empty(text, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    assert "is empty" in refusal(path)


def test_parquet_with_text_names_the_columns(tmp_path):
    pd.DataFrame({"x": [1.0], "label": ["a"], "y": [2.0]}).to_parquet(tmp_path / "mine.parquet")
    assert "no numbers: label." in refusal(tmp_path / "mine.parquet")


def test_missing_values_of_parquet_are_not_finite(tmp_path):
    pd.DataFrame({"x": [1.0, None], "y": pd.array([2, None], "Int64")}).to_parquet(tmp_path / "mine.parquet")
    read = reader(tmp_path / "mine.parquet")(tmp_path / "mine.parquet", None)
    assert np.isfinite(read).tolist() == [[True, True], [False, False]]
