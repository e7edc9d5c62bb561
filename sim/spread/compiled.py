"""Compiled functions, and where what was compiled is kept.

numba keeps a compiled function beside its source and makes it anew when that source changes; it does not notice
when a function that it calls has changed. So ours are kept in a folder that is named by the sources of all of them.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import platformdirs

__all__ = ["compiled", "inlined"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiles a function at its first call, once for all processes. It runs beside other threads."""
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = before or _folder()  # type: ignore[attr-defined]
    try:
        made: F = numba.njit(function, cache=True, nogil=True)
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]
    return made


def inlined(function: F) -> F:
    """Writes a short function into those that call it."""
    made: F = numba.njit(function, inline="always")
    return made


@cache
def _folder() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        if b"import compiled" in (source := path.read_bytes()):
            digest.update(source)
    return str(
        Path(platformdirs.user_cache_dir("rumor", appauthor=False)) / "compiled" / digest.hexdigest()[:16]
    )
