"""Online intersection: the author was online whenever one of the linked posts was sent.

After Berthold and Langos ("Dummy traffic against long term intersection attacks", 2002) and Danezis and Serjantov
("Statistical disclosure", 2004). Somebody who sends at uniformly random moments of the time spent online does so at a
given moment online with probability ``1 / online share``. So after m posts the likelihood of v is ``s_v^{−m}`` if v was
online at each, with ``s_v`` the share of time that v is online, and 0 otherwise. Where posts wait, for a slot, for
relays or for their author to come back, what is seen is the moment of publication and not that of sending; ``waits``
is the chance that this moment has nothing to do with when the author is online, which then acquits nobody.

Assumed: who is online is known to the adversary at all times, as it is of its friends at best; posts are independent;
online times carry nothing else about who writes.

Cost: ``O(posts · suspects)``.
"""

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array

__all__ = ["posterior"]


def posterior(online: NDArray[np.bool_], shares: Array, *, waits: float = 0.0) -> Array:
    """Of shape (suspects,): the posterior of a uniform prior over all who write equally often.

    Args:
        online: of shape (posts, suspects): who was online at each.
        shares: of shape (suspects,): the share of time that each is online; those who never are get nothing.
        waits: the chance that a post appears at a moment that has nothing to do with whether its author is online.
    """
    safe = np.maximum(shares, 1e-9)
    # A waiting post appears at any time: its author is then online as often as ever.
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(online, waits + (1 - waits) / safe, waits)).sum(axis=0)
    logs = np.where(shares > 0, logs, -np.inf)
    if not np.isfinite(logs).any():
        return np.full(len(shares), 1 / len(shares))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())
