"""The program: which code makes a result.

The version alone would not do: who changes an estimator in the middle of a sweep must not get a table that is half of
the one and half of the other. So results also carry a digest of the sources that decide them.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

__all__ = ["program"]


@cache
def program() -> str:
    """The version and 12 hexadecimal digits that tell these sources from others: ``0.1.0+3f2a…``."""
    from ... import crypto, gossip, sim

    digest = hashlib.sha256()
    for package in (crypto, gossip, sim):
        home = Path(package.__path__[0])
        for path in sorted(home.rglob("*.py")):
            # How results are drawn does not decide them.
            if "results" in path.relative_to(home).parts:
                continue
            digest.update(f"{package.__name__}/{path.relative_to(home).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return f"{version('rumor')}+{digest.hexdigest()[:12]}"
