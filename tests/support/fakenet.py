"""A fake network for engines: frames cross fake links, time is a number, cryptography is real and done at once.

Many engines in one loop. Each step delivers what is due in the order (time, sequence); durable events are kept per
node, as a disk would, so that a node can be stopped and started again from them.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rumor.crypto import membership
from rumor.crypto.membership import Purpose
from rumor.gossip.engine import Engine
from rumor.gossip.events import (
    Complained,
    FriendId,
    ItemAccepted,
    ItemRemoved,
    LinkId,
    LinkRefused,
    OutboxAdded,
    OutboxRemoved,
    ProofWanted,
    RosterChanged,
    SlotsForgotten,
    SlotUsed,
    Sponsored,
    VerifyWanted,
)
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, ItemId

START = 1_000_000.0
LATENCY_S = 0.02

#: Small, quick and without minimums, for tests that are about something else.
EASY = Parameters(
    epoch_s=10, friends_min=1, members_min=2, relay_keys_min=0, item_lifetime_epochs=1000, founding_size=8
)


@dataclass
class Disk:
    """What a node's durable events left behind."""

    items: dict[ItemId, bytes] = field(default_factory=dict)
    slots: set[tuple[Purpose, int, int]] = field(default_factory=set)
    outbox: dict[ItemId, OutboxAdded] = field(default_factory=dict)


@dataclass
class Peer:
    """One node of the fake network."""

    name: str
    engine: Engine
    secret: bytes
    disk: Disk = field(default_factory=Disk)
    links: dict[LinkId, tuple["Peer", LinkId]] = field(default_factory=dict)
    complaints: list[Complained] = field(default_factory=list)
    refused: list[LinkRefused] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    up: bool = True

    @property
    def friend_id(self) -> FriendId:
        return FriendId(self.name.encode())

    def texts(self) -> set[str]:
        """The texts of all secrets that this node holds."""
        items = (Item.decode_untrusted(encoding) for encoding in self.disk.items.values())
        return {item.body.text for item in items if hasattr(item.body, "text")}


class FakeNetwork:
    """Engines, links between them, and one clock."""

    def __init__(self, parameters: Parameters = EASY, seed: int = 0) -> None:
        self.now = START
        self.random = random.Random(seed)
        self.founder_secret, founder_key = membership.keypair()
        self.genesis = Genesis.found("test", founder_key, parameters)
        self.peers: dict[str, Peer] = {}
        self._queue: list[tuple[float, int, Peer, LinkId, bytes]] = []
        self._sequence = 0
        self._next_link = 1
        #: Decides whether a frame gets through; tests put holes in it.
        self.passes: Callable[[Peer, Peer, bytes], bool] = lambda sender, receiver, frame: True
        #: Whether proofs are made; a node that crashes first has only its outbox.
        self.proving = True

    def add(self, name: str, *, founder: bool = False) -> Peer:
        secret = self.founder_secret if founder else membership.keypair()[0]
        engine = Engine(self.genesis, random.Random(name), self.now, secret=secret)
        peer = self.peers[name] = Peer(name, engine, secret)
        return peer

    def befriend(self, one: Peer, other: Peer, *, invited: bool = False) -> None:
        """A friendship; with ``invited`` one also brought the other into the mesh."""
        one.engine.friend_added(other.friend_id)
        other.engine.friend_added(one.friend_id)
        if invited:
            one.engine.sponsor(other.friend_id)
            other.engine.petition_to(one.friend_id)
        self.connect(one, other)

    def connect(self, one: Peer, other: Peer) -> None:
        left, right = LinkId(self._next_link), LinkId(self._next_link + 1)
        self._next_link += 2
        one.links[left] = (other, right)
        other.links[right] = (one, left)
        one.engine.link_opened(left, other.friend_id, self.now)
        other.engine.link_opened(right, one.friend_id, self.now)
        self.drain(one)
        self.drain(other)

    def disconnect(self, one: Peer, other: Peer) -> None:
        for peer, against in ((one, other), (other, one)):
            for link in [link for link, (there, _) in peer.links.items() if there is against]:
                del peer.links[link]
                peer.engine.link_closed(link, self.now)

    def crash(self, peer: Peer) -> None:
        """Takes a node down as SIGKILL would: what it has not made durable is gone."""
        for other in self.peers.values():
            self.disconnect(peer, other)
        peer.up = False

    def restart(self, peer: Peer) -> None:
        """Starts a node again from its disk; friendships are the caller's to restore."""
        peer.up = True
        peer.engine = Engine(self.genesis, random.Random(f"{peer.name} again"), self.now, secret=peer.secret)
        peer.engine.restore(
            items=[Item.decode_untrusted(encoding) for encoding in peer.disk.items.values()],
            slots=peer.disk.slots,
            outbox=list(peer.disk.outbox.values()),
            now=self.now,
        )
        self.drain(peer)

    def drain(self, peer: Peer) -> None:
        """What a driver does after each call: durable events first, then frames, then work."""
        work: list[ProofWanted | VerifyWanted] = []
        while (event := peer.engine.next_event()) is not None:
            match event:
                case ItemAccepted(item=item):
                    peer.disk.items[item.item_id] = item.encoding
                case ItemRemoved(item_id=item_id):
                    peer.disk.items.pop(item_id, None)
                case SlotUsed(purpose=purpose, epoch=epoch, slot=slot):
                    assert (purpose, epoch, slot) not in peer.disk.slots, "a slot was used twice"
                    peer.disk.slots.add((purpose, epoch, slot))
                case SlotsForgotten(purpose=purpose, epoch=epoch):
                    peer.disk.slots = {used for used in peer.disk.slots if used[:2] != (purpose, epoch)}
                case OutboxAdded():
                    peer.disk.outbox[event.item_id] = event
                case OutboxRemoved(item_id=item_id):
                    peer.disk.outbox.pop(item_id, None)
                case ProofWanted() | VerifyWanted():
                    work.append(event)
                case Complained():
                    peer.complaints.append(event)
                case LinkRefused(link=link):
                    peer.refused.append(event)
                    self._close_refused(peer, link)
                case RosterChanged() | Sponsored():
                    pass
        self._send(peer)
        for wanted in work:
            self._answer(peer, wanted)

    def _close_refused(self, peer: Peer, link: LinkId) -> None:
        self._send(peer)
        if link in peer.links:
            other, theirs = peer.links.pop(link)
            other.links.pop(theirs, None)
            other.engine.link_closed(theirs, self.now)

    def _answer(self, peer: Peer, wanted: ProofWanted | VerifyWanted) -> None:
        if isinstance(wanted, VerifyWanted):
            jobs = [(job.proof, job.scopes, job.message) for job in wanted.jobs]
            results = membership.verify_batch(wanted.ring, jobs)
            peer.engine.verified(wanted.batch_id, [tags is not None for tags in results], self.now)
        elif self.proving:
            proof = membership.prove(peer.secret, wanted.ring, wanted.scopes, wanted.message)
            peer.engine.proof_made(wanted.item_id, proof, self.now)
        self.drain(peer)

    def _send(self, peer: Peer) -> None:
        for link, frame in peer.engine.frames_to_send():
            if link not in peer.links:
                continue
            other, theirs = peer.links[link]
            peer.sent["frames"] += 1
            peer.sent["bytes"] += len(frame)
            if self.passes(peer, other, frame):
                self._sequence += 1
                heapq.heappush(self._queue, (self.now + LATENCY_S, self._sequence, other, theirs, frame))

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        end = self.now + seconds
        while True:
            timers = [(peer.engine.timer(), name) for name, peer in self.peers.items() if peer.up]
            at, name = min(((at, name) for at, name in timers if at is not None), default=(end, ""))
            frame_at = self._queue[0][0] if self._queue else end
            if min(at, frame_at) >= end:
                self.now = end
                return
            if frame_at <= at:
                self.now = max(self.now, frame_at)
                _, _, peer, link, frame = heapq.heappop(self._queue)
                if peer.up and link in peer.links:
                    peer.engine.receive(link, frame, self.now)
                    self.drain(peer)
            else:
                self.now = max(self.now, at)
                peer = self.peers[name]
                peer.engine.handle_timer(self.now)
                self.drain(peer)
                again = peer.engine.timer()
                assert again is None or again > self.now, "a timer that is not handled"

    def settle(self) -> None:
        """Long enough for a post to reach everybody, and shorter than an epoch of the easy mesh."""
        self.run(3.0)


def small_mesh(count: int, parameters: Parameters = EASY) -> tuple[FakeNetwork, list[Peer]]:
    """A line of ``count`` friends, all admitted by the founder at its one end, and all eligible."""
    network = FakeNetwork(parameters)
    peers = [network.add("0", founder=True)]
    for number in range(1, count):
        peer = network.add(str(number))
        network.befriend(peers[0], peer, invited=True)
        peers.append(peer)
    network.settle()
    for peer in peers[2:]:
        network.disconnect(peers[0], peer)
        for there, here in ((peers[0], peer), (peer, peers[0])):
            there.engine.friend_removed(here.friend_id)
    for one, other in zip(peers[1:], peers[2:], strict=False):
        network.befriend(one, other)
    network.settle()
    return network, peers
