"""Tables of results: one row a task, as Parquet, with all that is needed to make them again.

A column is a setting or a field of the result, under the name that it has in the JSON of the command; a field inside
another is named with a dot, such as ``estimators.first-spy.p_named``. What took how long is no result and not kept, so
that a table is the same, byte by byte, whoever made it with how many workers. The metadata of the file has, under the
key ``rumor``, a JSON object with the fields of ``Origin`` and the version of this schema.

``read`` gives a Polars data frame; any other reader of Parquet does as well.
"""

import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .files import ResultsError, put

if TYPE_CHECKING:
    import polars
    import pyarrow

__all__ = ["Origin", "Row", "flat", "origin_of", "parted", "read", "write"]

#: Raised whenever a reader of the old tables would misread the new ones.
SCHEMA: Final = 1
#: Where the metadata stands.
KEY: Final = b"rumor"
#: Fields that say how fast this machine was.
SPEEDS: Final = frozenset(
    {"events_per_s", "runs_per_s", "virtual_s_per_s", "setup_s", "elapsed_s", "cpu_s", "memory_mb"}
)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a table comes from."""

    scenario: str
    """The sweep file, word for word."""
    seed: int
    program: str
    """Version and digest of the code."""
    command: str
    """Makes the table again."""


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a result as a row: without objects in it, and without speeds."""
    row: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, Mapping):
            row |= {f"{name}.{inner}": each for inner, each in flat(value).items()}
        elif name not in SPEEDS:
            row[name] = value
    return row


def parted(row: Row) -> list[Row]:
    """The rows that a task gave: one, or one for each group of spies that looked at its run."""
    rest = dict(row)
    groups = rest.pop("by_spies", None)
    return [rest] if groups is None else [rest | flat(group) for group in groups]


def write(path: Path, rows: Sequence[Row], origin: Origin) -> None:
    """Writes a table as a whole. Raises ``ResultsError``."""
    import pyarrow
    from pyarrow import parquet

    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    about = json.dumps({"schema": SCHEMA, **asdict(origin)}, sort_keys=True)
    table = pyarrow.table(columns).replace_schema_metadata({KEY: about.encode()})
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    put(path, file.getvalue())


def _column(values: list[Any]) -> "pyarrow.Array":
    """A column of the narrowest type that holds all values; text if they have nothing else in common."""
    import pyarrow

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return pyarrow.array([None if value is None else float(value) for value in values], pyarrow.float64())
    if kinds == {list}:
        return pyarrow.array(
            [None if value is None else _numbers(value) for value in values], pyarrow.list_(pyarrow.float64())
        )
    types = {bool: pyarrow.bool_(), int: pyarrow.int64(), str: pyarrow.string()}
    if len(kinds) == 1 and kinds <= types.keys():
        return pyarrow.array(values, types[kinds.pop()])
    if not kinds:
        # Nothing was measured in any row; a number is what it would have been.
        return pyarrow.array(values, pyarrow.float64())
    return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())


def _numbers(values: Iterable[Any]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]


def read(path: Path | str) -> "polars.DataFrame":
    """Reads a table. Raises ``ResultsError`` if it is none, is not whole, or is of another schema."""
    import polars

    table, _ = _open(Path(path))
    frame = polars.from_arrow(table.replace_schema_metadata(None))
    assert isinstance(frame, polars.DataFrame)
    return frame


def origin_of(path: Path | str) -> Origin:
    """Reads where a table comes from. Raises ``ResultsError`` like ``read``."""
    return _open(Path(path))[1]


def _open(path: Path) -> "tuple[pyarrow.Table, Origin]":
    import pyarrow
    from pyarrow import parquet

    try:
        # In memory, so that the file may be replaced while it is read.
        table = parquet.read_table(pyarrow.BufferReader(path.read_bytes()))
    except OSError as error:  # Those of Arrow as well.
        raise ResultsError(_why_not(path, error)) from error
    except pyarrow.ArrowException as error:
        raise ResultsError(_why_not(path, error)) from error
    try:
        about = json.loads((table.schema.metadata or {})[KEY])
        schema = about.pop("schema")
    except (KeyError, ValueError, AttributeError) as error:
        raise ResultsError(
            f"{path} is Parquet, but no table of results; name one that `rumor sim sweep` wrote."
        ) from error
    if schema != SCHEMA:
        raise ResultsError(
            f"{path} is a table of version {schema}, written by rumor {about.get('program', '?')}, and this program "
            f"reads version {SCHEMA}; make it again: {about.get('command', 'rumor sim sweep')}"
        )
    return table, Origin(**about)


def _why_not(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{path} cannot be read: {error.strerror}; name a table that `rumor sim sweep` wrote."
    return f"{path} is no table of results, or not a whole one; make it again with `rumor sim sweep`."
