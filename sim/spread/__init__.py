"""Spreading in compiled code: very many rumors on graphs of up to a million nodes.

In a notebook the package is called: ``rumor.sim.spread("regular-tree:degree=4", spies=0.07)`` is
``trials.trial.spread``. A package and a function of one name are one attribute of ``rumor.sim``, which importing any
module of the package sets.
"""

import sys
from types import ModuleType
from typing import Any


class _Called(ModuleType):
    """This package, as it can be called."""

    def __call__(self, graph: Any, **options: Any) -> dict[str, Any]:
        from ..trials.trial import spread

        return spread(graph, **options)


sys.modules[__name__].__class__ = _Called
