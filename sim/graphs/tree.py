"""The infinite regular tree: every node has the same number of friends, and there are no cycles.

It has no arrays; ``spread/trees`` grows it as far as a run needs it.
"""

from dataclasses import dataclass

__all__ = ["Tree"]


@dataclass(frozen=True, slots=True)
class Tree:
    """An infinite tree."""

    degree: int
    """Friends of each node, at least 2."""
