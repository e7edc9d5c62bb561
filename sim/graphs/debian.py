"""debian: real friend graphs that Debian's packages have, so that anyone can have them without asking anybody.

They are not part of Rumor. A package is installed, or unpacked into the folder that ``RUMOR_DEBIAN`` names
(``apt-get download PACKAGE && dpkg -x PACKAGE_*.deb FOLDER``).

- ``pgp``: the web of trust of PGP keys in November 2009, its strongly connected part of 39,796 keys (Richters and
  Peixoto, "Trust transitivity in social networks", 2011). Who signed whose key counts as friendship.
- ``ego-facebook``: ten people's circles on Facebook, 4,039 people (McAuley and Leskovec, 2012).
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .files import load
from .graph import Graph, GraphError

__all__ = ["GRAPHS", "find"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    package: str
    path: str


GRAPHS: Final[Mapping[str, _Place]] = {
    "pgp": _Place(
        package="python3-graph-tool",
        path="usr/lib/python3/dist-packages/graph_tool/collection/pgp-strong-2009.gt.gz",
    ),
    "ego-facebook": _Place(package="r-cran-threejs", path="usr/lib/R/site-library/threejs/data/ego.RData"),
}
#: Where packages are installed.
ROOTS: Final = ("/",)


def find(name: str) -> Graph:
    """Reads one of ``GRAPHS`` where its package put it. Raises ``GraphError`` with the package."""
    place = GRAPHS.get(name)
    if place is None:
        raise GraphError(f"There is no graph debian:{name}: take {' or '.join(GRAPHS)}.")
    for root in filter(None, (os.environ.get("RUMOR_DEBIAN"), *ROOTS)):
        path = Path(root) / place.path
        if path.exists():
            return load(path)
    raise GraphError(
        f"debian:{name} is in Debian's package {place.package}: install it, or unpack it with "
        "`dpkg -x` and name the folder in RUMOR_DEBIAN."
    )
