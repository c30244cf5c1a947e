"""parquet_writer.py and parquet_reader.py: folders of Parquet files by rank, as others read them too."""

import json
import os
import sys

import numpy as np
import pytest
from conftest import examples
from hdf5_support import NOW, aggregates, columns, contents, example, run
from hypothesis import HealthCheck, given, settings
from io_strategies import results as any_results

import scope_profiler as sp
from scope_profiler.io import load, sniff_profile_format, write_profile

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.mark.parametrize("make", [example, aggregates])
def test_what_is_written_is_read(make, tmp_path):
    path = make().to_parquet(tmp_path / "x.parquet")
    assert path == tmp_path / "x.parquet" and sniff_profile_format(path) == "parquet"
    assert contents(load(path)) == contents(make())
    assert sp.read_profile(path).file_path == path


@settings(max_examples=examples(30), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_results())
def test_results_of_every_kind_are_read_as_they_were_written(tmp_path, results):
    read = load(write_profile(results, tmp_path / "x.parquet"))
    assert contents(read) == contents(results)


def test_each_rank_has_a_file_and_what_one_holds_can_be_read_alone(tmp_path):
    write_profile(example(), tmp_path / "x.parquet")
    assert sorted(os.listdir(tmp_path / "x.parquet")) == ["rank=0", "rank=2"]
    one = load(tmp_path / "x.parquet/rank=2/calls.parquet")
    assert (one.region_names, one["solve"].ranks) == (["solve", "inner", "never"], [2])
    table = parquet.read_table(tmp_path / "x.parquet/rank=0/calls.parquet")
    assert table.column_names == [
        "name", "start_ns", "duration_ns", "thread", "task", "await_ns", "metadata"
    ]
    assert table.column("name").to_pylist() == ["solve", "solve", "solve", "inner"]
    assert table.column("start_ns").to_pylist()[0] == NOW
    assert table.column("metadata").to_pylist() == ['{"step": 0}', None, '{"step": 2, "x": "y"}'] * 1 + [
        '{"step": 2, "x": "y"}']


def test_rows_are_written_in_pieces(tmp_path):
    starts = np.arange(0, 10_000, 10)
    notes = [{"i": number % 7} if number % 2 else {} for number in range(1000)]
    results = run({name: {0: columns(starts, starts * 0 + 3, event_metadata=notes)} for name in "ab"})
    path = results.to_parquet(tmp_path / "x.parquet", rows=300, compression="none")
    with parquet.ParquetFile(path / "rank=0/calls.parquet") as file:
        assert file.metadata.num_row_groups == 7
    assert contents(load(path)) == contents(results)


def test_a_folder_is_replaced_and_anything_else_is_left(tmp_path):
    path = tmp_path / "x.parquet"
    write_profile(example(), path)
    write_profile(aggregates(), path)
    assert contents(load(path)) == contents(aggregates())
    assert os.listdir(tmp_path) == ["x.parquet"]
    (path / "mine.txt").write_text("x")
    with pytest.raises(FileExistsError, match="no folder of Parquet files by rank; it is left"):
        write_profile(example(), path)
    assert (path / "mine.txt").exists() and os.listdir(tmp_path) == ["x.parquet"]
    (tmp_path / "y.parquet").write_text("x")
    with pytest.raises(FileExistsError):
        write_profile(example(), tmp_path / "y.parquet")


def test_damaged_and_foreign_files_are_told(tmp_path):
    import pyarrow as pa

    path = write_profile(example(), tmp_path / "x.parquet")
    part = path / "rank=0/calls.parquet"
    whole = part.read_bytes()
    for data in (whole[:-10], b"PAR1" + b"\0" * 100, whole[:4] + b"\xff" * 900 + whole[904:]):
        part.write_bytes(data)
        with pytest.raises(sp.CorruptProfileError, match="calls.parquet"):
            load(path)
    parquet.write_table(pa.table({"a": [1]}), part)
    with pytest.raises(sp.CorruptProfileError, match="no profile"):
        load(path)
    part.write_bytes(whole)
    table = parquet.read_table(part)
    parquet.write_table(table.slice(1), part)
    with pytest.raises(sp.CorruptProfileError, match="has 3 calls, but its metadata speak of 4"):
        load(path)
    part.unlink(), (path / "rank=2/calls.parquet").unlink()
    with pytest.raises(IsADirectoryError):
        load(path)
    with pytest.raises(sp.CorruptProfileError, match=r"no files rank=\*"):
        sp.read_profile(path)


def test_what_a_file_may_take_is_bounded(tmp_path):
    path = write_profile(example(), tmp_path / "x.parquet")
    with pytest.raises(sp.CorruptProfileError, match="max_bytes"):
        load(path, max_bytes=1000)


def test_arguments_are_checked(tmp_path):
    with pytest.raises(ValueError, match="compression takes 'zstd'.*got 'x'"):
        example().to_parquet(tmp_path / "x.parquet", compression="x")
    with pytest.raises(ValueError, match="rows takes an int of at least 1"):
        example().to_parquet(tmp_path / "x.parquet", rows=0)


def test_without_pyarrow_it_is_said_what_to_install(tmp_path, monkeypatch):
    path = write_profile(example(), tmp_path / "x.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match="to_parquet.*needs pyarrow.*pip install pyarrow"):
        example().to_parquet(tmp_path / "y.parquet")
    with pytest.raises(ImportError, match="pyarrow"):
        load(path)


# -- other readers -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return write_profile(example(), tmp_path / "x.parquet")


def test_duckdb_reads_the_calls(folder):
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.sql(f"""
        SELECT name, rank, count(*), sum(duration_ns) FROM read_parquet('{folder}/*/*.parquet',
        hive_partitioning = true, union_by_name = true) GROUP BY name, rank ORDER BY name, rank
    """).fetchall()
    assert rows == [("inner", 0, 1, 80), ("solve", 0, 3, 330), ("solve", 2, 1, 1)]
    noted = duckdb.sql(f"SELECT metadata FROM '{folder}/rank=0/*.parquet' WHERE metadata IS NOT NULL")
    assert {json.loads(text)["step"] for (text,) in noted.fetchall()} == {0, 2}


def test_polars_reads_the_calls(folder):
    polars = pytest.importorskip("polars")
    found = polars.read_parquet(f"{folder}/rank=0/*.parquet", hive_partitioning=True)
    assert found.group_by("name").agg(polars.col("duration_ns").sum()).sort("name").rows() == [
        ("inner", 80), ("solve", 330)
    ]


def test_dask_reads_the_calls(folder):
    frames = pytest.importorskip("dask.dataframe")
    found = frames.read_parquet(f"{folder}/rank=0/*.parquet")
    assert found.groupby("name", observed=True).duration_ns.sum().compute().to_dict() == {
        "inner": 80, "solve": 330
    }
