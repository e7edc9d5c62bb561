"""The workload: who posts when. What others say about it is in ``talk``.

Posts come at uniform times between the warm-up and the settling, by members drawn uniformly among those who are no
spies. A node that will not post for now (it is down, its quota is spent, its friends do not share its view yet) is
asked again every few minutes, as a person would try, until there is no time left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ..gossip.drafts import Draft
from ..gossip.items import ItemId
from .hosts import Host
from .loop import ticks
from .network import Network
from .seeds import Stream

__all__ = ["Post", "Workload"]

#: Mean seconds until somebody whose post was refused tries again.
AGAIN_S: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Post:
    """One thing that somebody said, and what became of it. The truth, which estimators never see."""

    author: int
    asked_tick: int
    """When somebody first wanted to post it."""
    item_id: ItemId
    """Of a whisper, the letter's."""
    about: ItemId | None = None
    """The secret that it is about, if it is none itself."""
    arrivals: dict[int, int] = field(default_factory=dict)
    """When each node accepted it, the author's own apart; in the order of time. A whisper comes to one alone."""

    @property
    def published_tick(self) -> int | None:
        """When it first reached anybody but its author."""
        return next(iter(self.arrivals.values()), None)


class Workload:
    """Posts of one run."""

    def __init__(
        self, network: Network, authors: Sequence[int], count: int, first: int, last: int, random: Stream
    ) -> None:
        """``first`` and ``last`` are the ticks between which members want to post."""
        self.posts: dict[ItemId, Post] = {}
        self.refused_count = 0
        """Posts that no time was left for."""
        self._network = network
        self._random = random
        self._last = last
        network.on_item.append(self._arrived)
        for number in range(count):
            drawn = random.stream(f"post {number}")
            tick = first + drawn.randrange(max(1, last - first))
            author = network.hosts[authors[drawn.randrange(len(authors))]]
            network.loop.at(tick, self._post, author, (number, tick))

    def _post(self, author: Host, what: tuple[int, int]) -> None:
        number, asked_tick = what
        item_id = self._network.publish(author, Draft(text=f"post {number}"))
        if item_id is not None:
            self.posts[item_id] = Post(author=author.index, asked_tick=asked_tick, item_id=item_id)
            return
        again = self._network.loop.tick + ticks(self._random.exponential(AGAIN_S))
        if again < self._last:
            self._network.loop.at(again, self._post, author, what)
        else:
            self.refused_count += 1

    def _arrived(self, tick: int, host: Host, item_id: ItemId) -> None:
        post = self.posts.get(item_id)
        if post is not None and host.index != post.author:
            post.arrivals.setdefault(host.index, tick)
