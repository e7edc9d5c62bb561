"""Spies: which nodes work for the adversary.

In words: ``0.2``, a share of all nodes, at random; ``12``, a count; ``hubs:0.1``, those with most friends, as a share
or a count; ``friends-of:17``, all friends of one node, who is none. A text with a point is a share.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .draws import key_of, uniforms
from .graph import Graph, GraphError

__all__ = ["FORM", "choose", "share_of", "victim_of"]

FORM: Final = "SHARE|COUNT|hubs:SHARE|friends-of:NODE"
_FRIENDS_OF: Final = "friends-of:"


def choose(text: str, graph: Graph, seed: int | str) -> NDArray[np.bool_]:
    """Of shape (nodes,): who is a spy. Raises ``GraphError`` with one sentence.

    At least one node is none. Another seed makes other spies at random and takes others among equal hubs.
    """
    spies = np.zeros(graph.node_count, dtype=np.bool_)
    victim = victim_of(text, graph)
    if victim is not None:
        spies[graph.friends_of(victim)] = True
        return spies
    kind, colon, amount = text.rpartition(":")
    if colon and kind != "hubs":
        raise GraphError(f"Spies are {FORM}, and not {text!r}.")
    count = _count(amount, text, graph.node_count)
    lots = uniforms(key_of(seed, "spies"), graph.node_count)
    order = np.lexsort((lots, -graph.degrees)) if colon else np.argsort(lots, kind="stable")
    spies[order[:count]] = True
    return spies


def share_of(text: str) -> float:
    """The chance with which each node is a spy, where each is one by itself. Raises ``GraphError``."""
    if not re.fullmatch(r"[01]|\d*\.\d+", text) or not 0 <= float(text) < 1:
        raise GraphError(f"Where each node is a spy by chance, spies are a share below 1, and not {text!r}.")
    return float(text)


def victim_of(text: str, graph: Graph) -> int | None:
    """The node whose friends are the spies; None for other kinds of spies. Raises ``GraphError``."""
    if not text.startswith(_FRIENDS_OF):
        return None
    name = text.removeprefix(_FRIENDS_OF)
    if graph.names is not None:
        for node, known in enumerate(graph.names):
            if str(known) == name:
                return node
    elif name.isdigit() and int(name) < graph.node_count:
        return int(name)
    raise GraphError(f"{text}: the graph has no node {name!r}.")


def _count(amount: str, text: str, node_count: int) -> int:
    if re.fullmatch(r"\d+", amount):
        count = int(amount)
    elif re.fullmatch(r"\d*\.\d+", amount) and float(amount) <= 1:
        count = round(float(amount) * node_count)
    else:
        raise GraphError(f"Spies are {FORM}, a share from 0.0 to 1.0 or a whole number, and not {text!r}.")
    if count >= node_count:
        raise GraphError(f"Of {node_count} nodes at most {node_count - 1} can be spies, and not {count}.")
    return count
