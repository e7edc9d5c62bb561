"""docs/protocol.md says what the code does: its tables are read and held against the code, value by value."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rumor.crypto.onion import Command
from rumor.crypto.refusals import Refusal
from rumor.crypto.scopes import DATA_SIZE, Purpose
from rumor.gossip import frames
from rumor.gossip.bodies import Kind
from rumor.gossip.errors import Fault
from rumor.gossip.genesis import TRIAL, Parameters

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "protocol.md").read_text()
VECTORS = json.loads((ROOT / "tests" / "vectors" / "protocol.json").read_text())


def tables(*header: str) -> Iterator[list[str]]:
    """The rows of all tables whose header starts so, as their cells."""
    inside = False
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells[: len(header)] == list(header):
            inside = True
        elif not cells:
            inside = False
        elif inside and set(line) - set("|-"):
            yield cells


def bare(cell: str) -> str:
    return cell.strip("`")


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


CONSTANTS = list(tables("Constant", "Value", "In the code"))


def test_the_tables_were_found() -> None:
    """Else all that follows would hold of nothing."""
    assert len(CONSTANTS) > 90


@pytest.mark.parametrize(("value", "place"), [(row[1], bare(row[2])) for row in CONSTANTS])
def test_a_constant_has_the_documented_value(value: str, place: str) -> None:
    """A constant that is changed on one side only is found here."""
    module, _, name = place.rpartition(".")
    actual = getattr(importlib.import_module(f"rumor.{module}"), name)
    assert actual == (bare(value) if value.startswith("`") else number(value))


def labels_in_code() -> set[str]:
    """Every byte string of our own that begins like a label."""
    return {
        node.value.decode()
        for folder in ("crypto", "gossip", "node")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, bytes)
        and node.value.startswith(b"rumor/")
    }


def test_the_table_of_labels_is_complete() -> None:
    assert {bare(row[0]) for row in tables("Label", "Use")} == labels_in_code()


def test_no_label_of_the_program_is_the_start_of_another() -> None:
    """Else one purpose could be made to hash what another hashes."""
    labels = labels_in_code()
    assert not [(a, b) for a in labels for b in labels if a != b and b.startswith(a)]


def test_purposes() -> None:
    documented = {
        bare(name): (int(byte), int(size)) for name, byte, _, size, _ in tables("Purpose", "Byte", "Data")
    }
    assert documented == {purpose.name: (int(purpose), DATA_SIZE[purpose]) for purpose in Purpose}


def test_parameters_in_order_with_ranges_and_defaults() -> None:
    documented = [
        (bare(name), *map(number, values))
        for name, *values, _ in tables("Parameter", "Least", "Most", "Default", "Trial")
    ]
    in_code = []
    for field in msgspec.structs.fields(Parameters):
        meta = msgspec.inspect.type_info(field.type)
        assert isinstance(meta, msgspec.inspect.IntType)
        in_code.append((field.name, meta.ge, meta.le, field.default, getattr(TRIAL, field.name)))
    assert documented == in_code


def test_kinds_of_items() -> None:
    documented = {bare(name): int(kind) for name, kind, _ in tables("Kind", "Number", "Scopes, in order")}
    assert documented == {kind.name: int(kind) for kind in Kind}


@pytest.mark.parametrize(
    ("header", "enumeration"), [("Fault", Fault), ("Reason", Refusal), ("Command", Command)]
)
def test_numbers_of_faults_refusals_and_commands(header: str, enumeration: Any) -> None:
    documented = {bare(name): int(value) for name, value, _ in tables(header, "Number", "Meaning")}
    assert documented == {member.name: int(member) for member in enumeration}


FRAMES = {kind.__name__: kind for kind in frames.Frame.__args__}


def test_frames_have_the_documented_types_and_fields() -> None:
    documented = {
        bare(name): (int(tag), re.findall(r"`(\w+)`", fields))
        for name, tag, fields in tables("Frame", "Type", "Fields")
    }
    assert documented == {
        name: (kind.__struct_config__.tag, list(kind.__struct_fields__)) for name, kind in FRAMES.items()
    }


def grammar(name: str) -> str:
    """The line of the document's grammar that defines a frame."""
    rule = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    found = re.findall(rf"^{rule} += (.*?)(?:;.*)?$", TEXT, re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


@pytest.mark.parametrize("name", FRAMES)
def test_lists_in_the_grammar_of_frames_have_the_limits_of_the_code(name: str) -> None:
    """`[1*512 bytes32]` in the document is a list of 1 to 512 in the code."""
    lists = [
        info
        for field in msgspec.structs.fields(FRAMES[name])
        if isinstance(info := msgspec.inspect.type_info(field.type), msgspec.inspect.ListType)
    ]
    documented = [(int(low), int(high)) for low, high in re.findall(r"\[(\d+)\*(\d+) ", grammar(name))]
    assert documented == [(info.min_length or 0, info.max_length) for info in lists]


def test_every_vector_that_is_referred_to_exists() -> None:
    names = re.findall(r"Vectors?: `([\w.]+)`", TEXT)
    assert len(names) > 8
    for name in names:
        found = VECTORS
        for part in name.split("."):
            found = found[part]
        assert found
