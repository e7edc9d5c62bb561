"""A fake network for engines: frames cross fake links, time is a number, cryptography is real and done at once.

Many engines in one loop. Each step delivers what is due in the order (time, sequence); durable events are kept per
node, as a disk would, so that a node can be stopped and started again from them.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from rumor.crypto import membership, possession
from rumor.crypto.membership import Purpose, Ring
from rumor.gossip.bodies import (
    AdmissionBody,
    Body,
    Kind,
    RelayKeyBody,
    SecretBody,
    slot_scope,
    thread_nonce,
)
from rumor.gossip.engine import Engine
from rumor.gossip.events import (
    Complained,
    FriendId,
    LinkId,
    LinkRefused,
    ProofWanted,
    VerifyWanted,
)
from rumor.gossip.frames import Complaint, Frame, Hello, decode_frame_untrusted
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, message_of
from rumor.gossip.packets import Content, Packet
from rumor.gossip.spreading import REGISTRY
from rumor.gossip.wire import Message, encode
from rumor.sim.disks import Disk

START = 1_000_000.0
LATENCY_S = 0.02

#: Small, quick and without minimums, for tests that are about something else.
EASY = Parameters(
    epoch_s=10, friends_min=1, members_min=2, relay_keys_min=0, item_lifetime_epochs=1000, founding_size=8
)

#: The whole scheme at a speed at which a minute is a day: with eight members a tick in six seconds and a relay in less
#: than one; relay days of 80 seconds, keys that count after 40.
MIXING = Parameters(
    epoch_s=20,
    relay_day_epochs=4,
    friends_min=1,
    members_min=2,
    relay_keys_min=3,
    item_lifetime_epochs=1000,
    founding_size=16,
    bytes_per_day=2_000_000_000,
)


class Seeded(random.Random):
    """Randomness that repeats, in streams that do not disturb each other."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._seed = seed

    def stream(self, name: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}")


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

    def __init__(
        self,
        parameters: Parameters = EASY,
        seed: int = 0,
        *,
        onions: bool = False,
        strategy: str = "flood",
    ) -> None:
        """Without ``onions`` and by flooding everything is at once everywhere, for tests about something else."""
        self.now = START
        self.onions = onions
        self.strategy = strategy
        self.random = random.Random(seed)
        self.founder_secret, founder_key = membership.keypair()
        self.genesis = Genesis.found("test", founder_key, parameters)
        self.peers: dict[str, Peer] = {}
        self._queue: list[tuple[float, int, Peer, LinkId, bytes]] = []
        self._sequence = 0
        self._next_link = 1
        #: How many times a frame arrives; tests lose and repeat some.
        self.copies: Callable[[Peer, Peer, bytes], int] = lambda sender, receiver, frame: 1
        #: Whether proofs are made; a node that crashes first has only its outbox.
        self.proving = True
        self._verdicts: dict[tuple[bytes, bytes, bytes, bytes], bool] = {}
        #: Seconds that a frame takes; tests that want disorder draw it.
        self.latency_s: Callable[[], float] = lambda: LATENCY_S

    def add(self, name: str, *, founder: bool = False) -> Peer:
        secret = self.founder_secret if founder else membership.keypair()[0]
        engine = self._engine(name, secret)
        peer = self.peers[name] = Peer(name, engine, secret)
        return peer

    def _engine(self, seed: str, secret: bytes) -> Engine:
        return Engine(
            self.genesis,
            Seeded(seed),
            self.now,
            secret=secret,
            strategy=REGISTRY[self.strategy](),
            onions=self.onions,
        )

    def add_puppet(self, name: str, *friends: Peer) -> "Puppet":
        """A friend of these whose every word the test chooses."""
        return Puppet(self, name, friends)

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
        peer.engine = self._engine(f"{peer.name} again", peer.secret)
        peer.disk.restore(peer.engine, self.now)
        self.drain(peer)

    def drain(self, peer: Peer) -> None:
        """What a driver does after each call: durable events first, then frames, then work."""
        work: list[ProofWanted | VerifyWanted] = []
        while (event := peer.engine.next_event()) is not None:
            peer.disk.keep(event)
            match event:
                case ProofWanted() | VerifyWanted():
                    work.append(event)
                case Complained():
                    peer.complaints.append(event)
                case LinkRefused(link=link):
                    peer.refused.append(event)
                    self._close_refused(peer, link)
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
            peer.engine.verified(wanted.batch_id, self._verify(wanted.ring, jobs), self.now)
        elif self.proving:
            proof = membership.prove(peer.secret, wanted.ring, wanted.scopes, wanted.message)
            peer.engine.proof_made(wanted.item_id, proof, self.now)
        self.drain(peer)

    def _verify(self, ring: Ring, jobs: list[tuple[bytes, list[bytes], bytes]]) -> list[bool]:
        """Verifies a batch; what one node has verified none verifies again, which keeps whole meshes quick."""
        keys = [(ring.root, proof, b"".join(scopes), message) for proof, scopes, message in jobs]
        new = [job for key, job in zip(keys, jobs, strict=True) if key not in self._verdicts]
        results = iter(membership.verify_batch(ring, new))
        for key in keys:
            if key not in self._verdicts:
                self._verdicts[key] = next(results) is not None
        return [self._verdicts[key] for key in keys]

    def _send(self, peer: Peer) -> None:
        for link, frame in peer.engine.frames_to_send():
            if link not in peer.links:
                continue
            other, theirs = peer.links[link]
            peer.sent["frames"] += 1
            peer.sent["bytes"] += len(frame)
            for _ in range(self.copies(peer, other, frame)):
                self._sequence += 1
                heapq.heappush(
                    self._queue, (self.now + self.latency_s(), self._sequence, other, theirs, frame)
                )

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


def small_mesh(
    count: int, parameters: Parameters = EASY, *, onions: bool = False, strategy: str = "flood"
) -> tuple[FakeNetwork, list[Peer]]:
    """A line of ``count`` friends, all admitted by the founder at its one end, and all eligible."""
    network = FakeNetwork(parameters, onions=onions, strategy=strategy)
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
    for one, other in itertools.pairwise(peers[1:]):
        network.befriend(one, other)
    network.settle()
    return network, peers


class Puppet:
    """A friend without an engine: it says what a test tells it to and remembers what it hears."""

    def __init__(self, network: FakeNetwork, name: str, friends: Sequence[Peer]) -> None:
        self.network = network
        self.heard: list[Frame] = []
        self.peer = Peer(name, self, b"")  # type: ignore[arg-type]
        network.peers[name] = self.peer
        for friend in friends:
            friend.engine.friend_added(self.peer.friend_id)
            self.connect(friend)

    def connect(self, friend: Peer) -> None:
        """Opens a link and says hello."""
        self.network.connect(self.peer, friend)
        self.say(friend, Hello(versions=[1], mesh_id=self.network.genesis.mesh_id, nonce=b"\xff" * 32))

    def say(self, friend: Peer, *frames: Message | bytes) -> None:
        """Says these at once, and lets the friend do what follows."""
        links = [theirs for there, theirs in self.peer.links.values() if there is friend]
        for frame in frames:
            for link in links:
                data = frame if isinstance(frame, bytes) else encode(frame)
                friend.engine.receive(link, data, self.network.now)
                self.network.drain(friend)

    def heard_of(self, kind: type[msgspec.Struct]) -> list[Frame]:
        return [frame for frame in self.heard if isinstance(frame, kind)]

    @property
    def complaints(self) -> list[int]:
        """The faults that it was told of."""
        return [frame.fault for frame in self.heard if isinstance(frame, Complaint)]

    # The engine's side of a peer.

    def link_opened(self, link: LinkId, friend: FriendId, now: float) -> None:
        pass

    def link_closed(self, link: LinkId, now: float) -> None:
        pass

    def receive(self, link: LinkId, frame: bytes, now: float) -> None:
        self.heard.append(decode_frame_untrusted(frame))

    def timer(self) -> float | None:
        return None

    def next_event(self) -> None:
        return None

    def frames_to_send(self) -> list[tuple[LinkId, bytes]]:
        return []


def signed(network: FakeNetwork, secret: bytes, ring: Ring, kind: Kind, epoch: int, body: Body) -> Item:
    """An item of this member over this ring, whatever the rules say about it."""
    scopes = body.scopes(network.genesis.mesh_id, epoch)
    proof = membership.prove(secret, ring, scopes, message_of(epoch, body))
    return Item(kind, epoch, body, tuple(membership.tags_in(proof, len(scopes))), proof, ring.root)


def secret_item(
    network: FakeNetwork,
    author: Peer,
    text: str,
    *,
    slot: int = 0,
    epoch: int | None = None,
    ring: Ring | None = None,
) -> Item:
    """A secret that this member signs by hand."""
    epoch = network.genesis.epoch_at(network.now) if epoch is None else epoch
    ring = ring or author.engine.roster.ring_at(epoch)
    assert ring is not None
    key, retraction = text.encode().ljust(32, b".")[:32], b"t" * 32
    tag = membership.tag(author.secret, slot_scope(network.genesis.mesh_id, Purpose.POST, epoch, slot))
    nonce = thread_nonce(tag, key, retraction, [text])
    body = SecretBody(slot=slot, text=text, style=0, thread_nonce=nonce, reply_key=key, retraction=retraction)
    return signed(network, author.secret, ring, Kind.SECRET, epoch, body)


def admission_item(
    network: FakeNetwork, sponsor: Peer, newcomer: bytes, *, slot: int = 0, epoch: int | None = None
) -> Item:
    """An admission by proof of the member whose secret ``newcomer`` is, signed by hand."""
    epoch = network.genesis.epoch_at(network.now) if epoch is None else epoch
    ring = sponsor.engine.roster.ring_at(epoch)
    assert ring is not None
    body = AdmissionBody(
        slot=slot,
        key=membership.public_key(newcomer),
        possession=possession.prove_possession(newcomer, network.genesis.mesh_id),
    )
    return signed(network, sponsor.secret, ring, Kind.ADMISSION, epoch, body)


def packet_of(
    network: FakeNetwork,
    author: Peer,
    payload: bytes,
    *,
    content: Content = Content.ONION,
    slot: int = 0,
    epoch: int | None = None,
    ring: Ring | None = None,
) -> Packet:
    """A packet that this member signs by hand, whatever the rules say about it."""
    epoch = network.genesis.epoch_at(network.now) if epoch is None else epoch
    ring = ring or author.engine.roster.ring_at(epoch)
    assert ring is not None
    unsigned = Packet(content, epoch, slot, ring.root, b"", payload)
    proof = membership.prove(author.secret, ring, unsigned.scopes(network.genesis.mesh_id), unsigned.message)
    return Packet(content, epoch, slot, ring.root, proof, payload)


def relay_key_item(
    network: FakeNetwork, author: Peer, key: bytes, *, relay_day: int | None = None, epoch: int | None = None
) -> Item:
    """A relay key that this member signs by hand."""
    epoch = network.genesis.epoch_at(network.now) if epoch is None else epoch
    day = network.genesis.parameters.relay_day_at(epoch) if relay_day is None else relay_day
    ring = author.engine.roster.ring_at(epoch)
    assert ring is not None
    return signed(network, author.secret, ring, Kind.RELAY_KEY, epoch, RelayKeyBody(relay_day=day, key=key))


def fill(peer: Peer, network: FakeNetwork, count: int) -> set[bytes]:
    """Gives a node items that nobody looks into."""
    epoch = network.genesis.epoch_at(network.now)
    for number in range(count):
        nonce = number.to_bytes(32, "big")
        body = SecretBody(slot=0, text="x", style=0, thread_nonce=nonce, reply_key=nonce, retraction=nonce)
        peer.engine.store.add(Item(Kind.SECRET, epoch, body, (bytes(33), bytes(33)), b"", bytes(32)))
    return {item_id for _, item_id in peer.engine.store.sets[1]}


def garbled(item: Item) -> Item:
    """The same item, by its id, with a proof that does not hold."""
    proof = item.proof[:-1] + bytes([item.proof[-1] ^ 1])
    return Item(item.kind, item.epoch, item.body, item.tags, proof, item.ring_root)
