"""A table is whole and of this version, or it is refused in a sentence; a full disk leaves nothing half-written."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from rumor.sim.results import files, table
from rumor.sim.results.files import ResultsError, put
from rumor.sim.results.table import Origin, flat, origin_of, parted, read, write

ORIGIN = Origin(scenario="nodes = 3\n", seed=7, program="0.1.0+abc", command="rumor sim sweep s.toml")
ROWS = [
    {
        "scheme": "flood",
        "spies": 0.1,
        "p_named": 0.5,
        "p_named_ci95": [0.4, 0.6],
        "posts": 9,
        "surround": False,
    },
    {"scheme": "onion", "spies": "hubs:0.1", "p_named": None, "posts": 8, "t50": 3},
    {"scheme": "onion", "spies": 0.2, "p_named": 0, "posts": 7, "t50": 3.5},
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Columns have the narrowest type that holds all values; what a row lacks is null."""
    path = tmp_path / "results.parquet"
    write(path, ROWS, ORIGIN)
    frame = read(path)
    assert frame.schema == {
        "scheme": polars.String,
        "spies": polars.String,
        "p_named": polars.Float64,
        "p_named_ci95": polars.List(polars.Float64),
        "posts": polars.Int64,
        "surround": polars.Boolean,
        "t50": polars.Float64,
    }
    assert frame["p_named"].to_list() == [0.5, None, 0.0]
    assert frame["spies"].to_list() == ["0.1", "hubs:0.1", "0.2"]
    assert origin_of(path) == ORIGIN


def test_polars_and_pandas_readers_need_nothing_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "results.parquet"
    write(path, ROWS, ORIGIN)
    assert polars.read_parquet(path).equals(read(path))


def test_a_table_has_no_speeds_and_no_objects() -> None:
    """What a machine took would make each table another."""
    assert flat({"p": 1, "runs_per_s": 3.0, "estimators": {"ml": {"p": 2, "cpu_s": 1}}}) == {
        "p": 1,
        "estimators.ml.p": 2,
    }


def test_each_group_of_spies_that_looked_at_a_run_is_a_row() -> None:
    groups = [{"spies": share, "estimators": {"ml": {"p": share / 2}}} for share in (0.1, 0.3)]
    row = {"seed": 3, "spies": 0.3, "estimators.ml.p": 0.15}
    assert parted(row) == [row]
    assert parted(row | {"by_spies": groups}) == [row | {"spies": 0.1, "estimators.ml.p": 0.05}, row]


def test_another_version_is_refused_with_what_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.parquet"
    with monkeypatch.context() as patch:
        patch.setattr(table, "SCHEMA", 99)
        write(path, ROWS, ORIGIN)
    with pytest.raises(ResultsError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "version 99" in str(caught.value)
    assert ORIGIN.command in str(caught.value)


def test_foreign_and_missing_files_are_refused_in_one_line(tmp_path: Path) -> None:
    foreign, text, folder = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c"
    parquet.write_table(pyarrow.table({"x": [1]}), foreign)
    text.write_text("scheme,p_named\n")
    folder.mkdir()
    for path in (foreign, text, folder, tmp_path / "none"):
        with pytest.raises(ResultsError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "rumor sim sweep" in str(caught.value)
        assert "\n" not in str(caught.value)


@given(st.data())
def test_a_table_that_was_cut_or_damaged_is_never_taken_for_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "results.parquet"
    write(path, ROWS, ORIGIN)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ResultsError, match="no table of results"):
        read(path)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, no part of the new one does, and the sentence says what to do."""
    path = tmp_path / "results.parquet"
    put(path, b"old")

    def fill_up(part: Path, data: bytes) -> None:
        part.write_bytes(data[:2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_write", fill_up)
    with pytest.raises(
        ResultsError, match="the disk is full; make room and give the same command again"
    ) as caught:
        put(path, b"newer")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_the_system_says_that_a_disk_is_full_in_the_way_that_is_understood() -> None:
    with pytest.raises(OSError, match="No space") as caught:
        files._write(Path("/dev/full"), b"x" * 100_000)
    assert "the disk is full" in files._sentence(Path("x"), caught.value)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"file/below/x cannot be written: .*; name another place"):
        put(tmp_path / "file" / "below" / "x", b"")


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    write(one, ROWS, ORIGIN)
    rows: list[dict[str, Any]] = json.loads(json.dumps(ROWS))
    write(two, rows, ORIGIN)
    assert one.read_bytes() == two.read_bytes()
