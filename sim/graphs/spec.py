"""Specifications: a graph in words, such as ``powerlaw-cluster:n=1000,mean_degree=8`` or the path of a file.

A family's name and its numbers; ``file:PATH``, or a path that has a suffix or exists; ``largest:PATH`` for the largest
connected part of a file; ``debian:NAME`` for a friend graph that a Debian package has. The numbers, and those that may
be left out, are in ``FAMILIES``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .draws import key_of
from .families import FAMILIES
from .graph import Graph, GraphError
from .tree import Tree

__all__ = ["FORM", "Spec", "parse", "read"]

FORM: Final = "KIND:NAME=NUMBER,…|PATH"
_DEBIAN, _FILE, _LARGEST = "debian", "file", "largest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A graph that can be made."""

    kind: str
    """One of ``FAMILIES``, ``file``, ``largest`` or ``debian``."""
    numbers: Mapping[str, Any]
    """Of a family, by name."""
    place: str = ""
    """Of the others: the path, or the name."""

    @property
    def text(self) -> str:
        """What ``parse`` reads as this."""
        if self.kind in FAMILIES:
            return f"{self.kind}:" + ",".join(f"{name}={value:.12g}" for name, value in self.numbers.items())
        return f"{self.kind}:{self.place}"

    @classmethod
    def of(cls, kind: str, **numbers: float) -> "Spec":
        """A family's graph. Raises ``GraphError`` if there is none with these numbers."""
        flaw = FAMILIES[kind].find_flaw(numbers)
        if flaw is not None:
            raise GraphError(f"{kind}, {flaw[0]}: {flaw[1]}")
        return cls(kind=kind, numbers=numbers)

    def build(self, seed: int | str) -> Graph | Tree:
        """Makes it. Raises ``GraphError``. The seed decides what is random; a file is the same for all."""
        if self.kind in FAMILIES:
            return FAMILIES[self.kind].make(self.numbers, key_of(seed, "graph"))
        if self.kind == _DEBIAN:
            from .debian import find

            return find(self.place)
        from .files import load

        graph = load(Path(self.place))
        return graph.largest_component()[0] if self.kind == _LARGEST else graph


def read(text: str, seed: int | str = 1) -> Graph | Tree:
    """Makes the graph that a text describes. Raises ``GraphError`` with one sentence."""
    return parse(text).build(seed)


def parse(text: str) -> Spec:
    """Reads a description. Raises ``GraphError`` with one sentence; whether a file is good is seen when it is read."""
    kind, colon, rest = text.partition(":")
    if kind in FAMILIES:
        return Spec.of(kind, **_numbers(kind, rest))
    if colon and kind in (_FILE, _LARGEST, _DEBIAN):
        return Spec(kind=kind, numbers={}, place=rest)
    if Path(text).suffix or Path(text).exists():
        return Spec(kind=_FILE, numbers={}, place=text)
    raise GraphError(f"There is no graph {kind!r}: take {', '.join(FAMILIES)}, or the path of a file.")


def _numbers(kind: str, text: str) -> dict[str, Any]:
    defaults = FAMILIES[kind].defaults
    form = f"{kind}:" + ",".join(f"{name}=…" for name in defaults)
    given: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if name not in defaults or not equals:
            raise GraphError(f"{kind} has no number {name!r}; write {form}.")
        if name in given:
            raise GraphError(f"{kind}: {name} is given twice.")
        given[name] = _number(kind, name, value, isinstance(defaults[name], float))
    missing = [name for name, default in defaults.items() if name not in given and default is None]
    if missing:
        raise GraphError(f"{kind} needs {' and '.join(missing)}; write {form}.")
    return {name: given.get(name, default) for name, default in defaults.items()}


def _number(kind: str, name: str, text: str, is_share: bool) -> int | float:
    if is_share:
        if not re.fullmatch(r"\d*\.?\d+(e-?\d+)?", text) or not 0 <= float(text) <= 1:
            raise GraphError(f"{kind}: {name} is a number from 0 to 1, and not {text!r}.")
        return float(text)
    if not re.fullmatch(r"\d{1,12}", text):
        raise GraphError(f"{kind}: {name} is a whole number, and not {text!r}.")
    return int(text)
