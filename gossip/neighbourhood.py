"""The neighbourhood: our friends, the links to them, and what is told over these.

    link opened ── hello ──> greeted ── catching up, announcing, answering ──> closed
                                └── blamed too often ──> to be closed ──────────┘

What is asked for over the links is the affair of ``reception``, and what is announced when that of ``circulation``;
here it is put into frames. What one link and one friend are, is told in ``links``. Specified in docs/protocol.md.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import cast

from .catchup import CatchUp
from .codec import Codec
from .errors import Fault, RemoteError
from .events import Complained, Event, FriendId, LinkId
from .frames import (
    ANNOUNCE_IDS_MAX,
    VERSIONS,
    Announce,
    Complaint,
    Hello,
    Packets,
    Reconcile,
    version_in_common,
)
from .genesis import Genesis
from .items import ItemId
from .links import Conduct, Link
from .mixing import Tally
from .randomness import RandomSource
from .spreading import Neighbour
from .store import ItemStore
from .wire import Message

__all__ = ["Neighbourhood"]


class Neighbourhood:
    """The friends of one node and the links that are open to them. Bounded by the friends."""

    def __init__(
        self,
        genesis: Genesis,
        store: ItemStore,
        codec: Codec,
        random: RandomSource,
        tally: Tally,
        events: deque[Event],
    ) -> None:
        """``tally`` and ``events`` are the engine's, to be added to."""
        self._mesh_id = genesis.mesh_id
        self._store = store
        self._codec = codec
        self._random = random
        self._tally = tally
        self._events = events
        self.friends: set[FriendId] = set()
        self.conduct: dict[FriendId, Conduct] = {}
        self.links: dict[LinkId, Link] = {}
        self.neighbours: list[Neighbour] = []
        """The links that have greeted, in that order."""
        self.outgoing: list[tuple[LinkId, bytes]] = []
        """Frames that the driver has not taken yet."""
        self.touched: set[LinkId] = set()
        """Links with which something has happened since the last ``find_due``."""
        self.due_at = math.inf
        """When the first of the links has something to do."""

    # Opening and closing.

    def opened(self, link: LinkId, friend: FriendId) -> None:
        """A link is there; we greet."""
        nonce = self._random.randbytes(32)
        self.links[link] = opened = Link(link, friend, nonce, self.outgoing, self._codec.encode)
        self.touched.add(link)
        opened.send(Hello(versions=list(VERSIONS), mesh_id=self._mesh_id, nonce=nonce))

    def greeted(self, link: Link, hello: Hello, now: float) -> None:
        """A friend greets; from now on the link is ready. Raises ``RemoteError``."""
        if hello.mesh_id != self._mesh_id:
            raise RemoteError(Fault.WRONG_MESH, "a friend of another mesh")
        version = version_in_common(hello.versions)
        if link.ready or hello.nonce == link.nonce:
            raise RemoteError(Fault.UNEXPECTED, "a second hello")
        link.version = version
        self.touched.add(link.link_id)
        link.catch_up = CatchUp(self._store, self._random, link.nonce < hello.nonce, now)
        self.neighbours.append(Neighbour(link=link.link_id, friend=link.friend))
        _send_all(link, link.catch_up.handle_timer(now))

    def blame(self, link: LinkId, fault: Fault, now: float) -> bool:
        """Tells a friend what it did wrong; returns whether it is to be parted from."""
        blamed = self.links.get(link)
        if blamed is None:
            return False
        blamed.send(Complaint(fault=fault))
        self._events.append(Complained(link=link, fault=fault, ours=False))
        return self.conduct.setdefault(blamed.friend, Conduct()).blame(fault, now)

    def closed(self, link: LinkId) -> None:
        """A link that was there is gone."""
        del self.links[link]
        self.touched.add(link)
        # A new list, since friends are blamed while others go through the old one.
        self.neighbours = [neighbour for neighbour in self.neighbours if neighbour.link != link]

    # Time.

    def handle_timer(self, now: float) -> None:
        """Does what has become due for any link."""
        for link in list(self.links.values()):
            if link.due_at <= now:
                self._serve(link, now)

    def _serve(self, link: Link, now: float) -> None:
        self.touched.add(link.link_id)
        if link.catch_up:
            _send_all(link, link.catch_up.handle_timer(now))
        self.announce(link, link.backlog.step(self._store, now))
        self.answer(link, now)

    def find_due(self) -> None:
        """Finds out when something is due, after anything has happened with the touched links."""
        for link_id in self.touched:
            if (touched := self.links.get(link_id)) is not None:
                touched.find_due()
        self.touched.clear()
        self.due_at = min((link.due_at for link in self.links.values()), default=math.inf)

    # Telling.

    def announce(self, link: Link, item_ids: list[ItemId]) -> None:
        """Tells a friend that we have these."""
        if 0 < len(item_ids) <= ANNOUNCE_IDS_MAX:
            link.send(Announce(item_ids=cast(list[bytes], item_ids)))
            return
        for start in range(0, len(item_ids), ANNOUNCE_IDS_MAX):
            link.send(Announce(item_ids=list(item_ids[start : start + ANNOUNCE_IDS_MAX])))

    def announce_new(self, link: Link, item_ids: list[ItemId]) -> None:
        """The same for those of them that the friend does not have, as far as we know, and that we still have."""
        known, packets, store = link.known, self._store.packets, self._store
        new = [
            item_id
            for item_id in item_ids
            if item_id not in known and (item_id in packets or item_id in store)
        ]
        if new:
            self.announce(link, new)

    def answer(self, link: Link, now: float) -> None:
        """Sends of what a friend asked for as much as it gets now."""
        for frame, item_ids in link.answers.frames(self._store, now):
            link.send(frame)
            link.knows(item_ids)
            self._tally.packets_out_count += len(item_ids) if isinstance(frame, Packets) else 0

    def reconcile(self, link: Link, frame: Reconcile, now: float) -> None:
        """A friend tells what it has; we tell what it lacks, and what we have. Raises ``RemoteError``."""
        assert link.catch_up is not None
        self.touched.add(link.link_id)
        replies, have = link.catch_up.receive_untrusted(frame, now)
        _send_all(link, replies)
        link.backlog.add(have)
        self.announce(link, link.backlog.step(self._store, now))


def _send_all(link: Link, frames: Iterable[Message]) -> None:
    for frame in frames:
        link.send(frame)
