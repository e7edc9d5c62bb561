"""Twin worlds: the same mesh twice from one seed, once with a post or a whisper and once without.

What can be seen from outside must be the same byte count at the same instant to the same friend, on every link of the
mesh, until the secret is published by its last relay. In most of these worlds no relay opens anything, so that nothing
ever comes back: then the two worlds must stay the same through every retry. Each leak that is put in must show.

The one exception is the size of a reconciliation's messages: how shortly ranges of ids can be named depends on the
ids, which are as random with a post as without. Their times and recipients are compared like all others.
"""

import hashlib
from functools import cache

import msgspec
import pytest
from fakenet import EASY, FakeNetwork, Peer, Seeded, signed
from leaks import LEAKS, WHISPER_LEAKS, Leak, flush_on_connect, read_receipt

from rumor.crypto import membership
from rumor.crypto.errors import OnionBroken
from rumor.crypto.onion import Delivered, Forwarded
from rumor.gossip.bodies import Kind
from rumor.gossip.drafts import Draft, Frame
from rumor.gossip.engine import Engine
from rumor.gossip.events import LinkId, ProofWanted, VerifyWanted
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, ItemId
from rumor.gossip.packets import Content, unpad_item
from rumor.gossip.spreading import Stemming
from rumor.gossip.suite import Real

#: A tick in 24 s for six members, so that a retry comes within three minutes, and a relay day of twenty minutes.
PARAMETERS = msgspec.structs.replace(
    EASY, epoch_s=20, relay_day_epochs=60, relay_keys_min=1, bytes_per_day=350_000_000
)
#: Where whispers are looked at: relay days of four minutes, whose keys count after two.
BRISK = msgspec.structs.replace(PARAMETERS, relay_day_epochs=12)
MEMBERS = 6
#: The second byte of a reconciliation's frames.
RECONCILE = 5

Sent = tuple[float, str, str, int]


class Deaf(Real):
    """Relays that open nothing."""

    def open_onion(self, data: bytes, secret: bytes, public: bytes | None = None) -> Forwarded | Delivered:
        raise OnionBroken


class World(FakeNetwork):
    """A mesh in which everything follows from a seed and all that is sent is written down."""

    def __init__(self, seed: str, suite: Real, parameters: Parameters) -> None:
        super().__init__(parameters, onions=True, strategy="stem")
        self.seed, self.suite = seed, suite
        self.sent: list[Sent] = []
        self.published_at: dict[ItemId, float] = {}
        self.whispered_at: float | None = None
        """When the last relay let the innermost onion of a whisper out."""
        self._made: set[bytes] = set()
        self.founder_secret = self._secret("founder")
        founder = membership.public_key(self.founder_secret)
        self.genesis = Genesis.found("twins", founder, parameters)

    def _secret(self, name: str) -> bytes:
        return hashlib.sha256(f"{self.seed}/{name}".encode()).digest()

    def add(self, name: str, *, founder: bool = False) -> Peer:
        secret = self.founder_secret if founder else self._secret(name)
        peer = self.peers[name] = Peer(name, self._engine(name, secret), secret)
        return peer

    def _engine(self, seed: str, secret: bytes) -> Engine:
        streams = Seeded(f"{self.seed}/{seed}")
        return Engine(self.genesis, streams, self.now, secret=secret, strategy=Stemming(), suite=self.suite)

    def _send(self, peer: Peer) -> None:
        frames = peer.engine.frames_to_send()
        self.sent += [
            (self.now, peer.name, peer.links[link][0].name, 0 if frame[1] == RECONCILE else len(frame))
            for link, frame in frames
            if link in peer.links
        ]
        self._resend(peer, frames)

    def _resend(self, peer: Peer, frames: list[tuple[LinkId, bytes]]) -> None:
        real, peer.engine.frames_to_send = peer.engine.frames_to_send, lambda: frames  # type: ignore[method-assign]
        try:
            super()._send(peer)
        finally:
            peer.engine.frames_to_send = real  # type: ignore[method-assign]

    def _answer(self, peer: Peer, wanted: ProofWanted | VerifyWanted) -> None:
        """Proofs of the right size that hold because they were made here: nothing is looked at but what is sent."""
        if isinstance(wanted, VerifyWanted):
            held = [job.proof in self._made for job in wanted.jobs]
            peer.engine.verified(wanted.batch_id, held, self.now)
        else:
            self._look_at(wanted.message)
            tags = b"".join(membership.tag(peer.secret, scope) for scope in wanted.scopes)
            proof = tags.ljust(membership.proof_size(wanted.ring.size, len(wanted.scopes)), b"\1")
            self._made.add(proof)
            peer.engine.proof_made(wanted.item_id, proof, self.now)
        self.drain(peer)

    def _look_at(self, message: bytes) -> None:
        if len(message) < 3_000:
            return
        if message[1] == Content.ITEM:
            item = Item.decode_untrusted(unpad_item(message[14:]))
            self.published_at.setdefault(item.item_id, self.now)
        elif self.whispered_at is None and message[14:] in self.peers["3"].engine.mixing._marks:
            self.whispered_at = self.now


def settled_world(
    seed: str, suite: Real | None = None, parameters: Parameters = PARAMETERS
) -> tuple[World, list[Peer]]:
    """Six members, each with three friends at the least, whose relay keys are eligible."""
    world = World(seed, suite or Real(), parameters)
    peers = [world.add("0", founder=True)]
    for number in range(1, MEMBERS):
        peer = world.add(str(number))
        world.befriend(peers[0], peer, invited=True)
        peers.append(peer)
        world.settle()
    for number in range(1, MEMBERS):
        other = peers[number % (MEMBERS - 1) + 1]
        if other is not peers[number]:
            world.befriend(peers[number], other)
    world.run(60 + parameters.relay_day_epochs * parameters.epoch_s / 2)
    assert all(len(peer.engine.relay_book.eligible(peer.engine.calendar.epoch)) == MEMBERS for peer in peers)
    return world, peers


def live(seed: str, *, post: bool, suite: Real | None, seconds: float) -> tuple[World, ItemId | None]:
    """One of the two worlds."""
    world, peers = settled_world(seed, suite)
    world.sent.clear()
    item_id = None
    if post:
        item_id = peers[3].engine.publish(Draft(text="twins"), world.now)
        world.drain(peers[3])
    world.run(seconds)
    return world, item_id


def first_difference(one: list[Sent], other: list[Sent]) -> tuple[Sent | None, Sent | None] | None:
    """Where two worlds part, if they do."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return left, right
    if len(one) != len(other):
        longer = max(one, other, key=len)
        return longer[min(len(one), len(other))], None
    return None


def test_nothing_shows_until_the_last_relay_publishes() -> None:
    """Sizes, times and recipients are the same on every link of the mesh."""
    silent, _ = live("a", post=False, suite=None, seconds=120)
    posting, item_id = live("a", post=True, suite=None, seconds=120)
    assert item_id is not None
    until = posting.published_at[item_id]
    before = [[sent for sent in world.sent if sent[0] < until] for world in (silent, posting)]
    assert len(before[0]) > 100
    assert first_difference(*before) is None
    assert all(item_id in peer.engine.store for peer in posting.peers.values()), "it did arrive"


def test_nothing_shows_when_a_secret_never_comes_back() -> None:
    """Neither do the retries: each replaces cover that was due."""
    silent, _ = live("b", post=False, suite=Deaf(), seconds=900)
    posting, item_id = live("b", post=True, suite=Deaf(), seconds=900)
    assert item_id is not None
    assert posting.peers["3"].disk.outbox[item_id].sent_count == 4, "it was tried four times"
    assert len(silent.sent) > 1_000
    assert first_difference(silent.sent, posting.sent) is None


def test_the_disk_grows_by_nothing_but_the_row_of_the_outbox() -> None:
    """Of everything else there is as much, in both worlds, at the end; the outbox's rows exist beforehand."""
    counts = []
    for post in (False, True):
        world, _ = live("c", post=post, suite=Deaf(), seconds=200)
        disk = world.peers["3"].disk
        posts = sum(1 for purpose, _, _ in disk.slots if purpose is membership.Purpose.POST)
        counts.append(
            (
                len(disk.items),
                len(disk.slots) - posts,
                len(disk.packets),
                len(disk.spent),
                len(disk.relay_keys),
            )
        )
    assert counts[0] == counts[1]


@pytest.mark.parametrize("leak", [leak for leak in LEAKS if leak is not flush_on_connect])
def test_a_leak_shows(leak: Leak, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is worth something. Nobody connects here; test_twin_nodes.py has that leak, too."""
    leak(monkeypatch)
    silent, _ = live("b", post=False, suite=Deaf(), seconds=900)
    posting, _ = live("b", post=True, suite=Deaf(), seconds=900)
    assert first_difference(silent.sent, posting.sent) is not None


# Whispers.

SEED = b"s" * 32


def whispering(
    *, whisper: bool = True, listen: bool = True, suite: Real | None = None, seconds: float
) -> World:
    """A world in which all have a secret, whose author may be listening, and to which somebody may whisper."""
    world, peers = settled_world("b" if suite else "a", suite, BRISK)
    author, epoch = peers[1], world.genesis.epoch_at(world.now)
    frame = Frame(mesh_id=world.genesis.mesh_id, epoch=epoch, seed=SEED, tag=author.engine.author.tag)
    ring = author.engine.roster.ring_at(epoch)
    assert ring is not None
    body = Draft(text="whisper to me").body(frame)
    secret = signed(world, author.secret, ring, Kind.SECRET, epoch, body)
    for peer in peers:
        peer.engine.accept(secret, None, world.now, ring)
        world.drain(peer)
    if listen:
        author.engine.whispers.listen(secret.item_id, epoch, SEED)
    world.run(10.0)
    world.sent.clear()
    if whisper:
        peers[3].engine.whisper(secret.item_id, "twins", world.now)
        world.drain(peers[3])
    world.run(seconds)
    return world


HEARING_S, DEAF_S = 100, 500


@cache
def honest(*, whisper: bool = True, listen: bool = True, deaf: bool = False) -> World:
    """Such a world without a leak."""
    suite = Deaf() if deaf else None
    return whispering(whisper=whisper, listen=listen, suite=suite, seconds=DEAF_S if deaf else HEARING_S)


def test_no_whisper_shows_until_the_last_relay_lets_it_out() -> None:
    """And then it is one more onion, as at the end of a loop."""
    silent, whispered = (honest(whisper=whisper) for whisper in (False, True))
    until = whispered.whispered_at
    assert until is not None
    before = [[sent for sent in world.sent if sent[0] < until] for world in (silent, whispered)]
    assert len(before[0]) > 100
    assert first_difference(*before) is None
    assert [name for name, peer in whispered.peers.items() if peer.disk.letters] == ["1", "3"]
    assert whispered.peers["3"].disk.outbox == {}


def test_nothing_shows_when_a_whisper_never_arrives() -> None:
    """Neither do the retries; and the one disk is as full as the other but for letters and the row of the outbox."""
    worlds = [honest(whisper=whisper, deaf=True) for whisper in (False, True)]
    [row] = worlds[1].peers["3"].disk.outbox.values()
    assert row.sent_count >= 3
    assert len(worlds[0].sent) > 1_000
    assert first_difference(worlds[0].sent, worlds[1].sent) is None
    disks = [world.peers["3"].disk for world in worlds]
    assert len({(len(disk.items), len(disk.slots), len(disk.packets)) for disk in disks}) == 1


def test_nothing_ever_shows_that_a_whisper_was_read() -> None:
    """The same whisper to an author and to nobody: all the mesh goes on in the same way."""
    read, unread = (honest(listen=listen) for listen in (True, False))
    assert [bool(world.peers["1"].disk.letters) for world in (read, unread)] == [True, False]
    assert first_difference(read.sent, unread.sent) is None


def test_a_read_receipt_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is worth something. Where nobody reads, the leak does nothing."""
    unread = honest(listen=False)
    read_receipt(monkeypatch)
    assert first_difference(whispering(seconds=HEARING_S).sent, unread.sent) is not None


@pytest.mark.parametrize("leak", WHISPER_LEAKS)
def test_a_whisper_that_leaks_shows(leak: Leak, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world without a whisper these do nothing."""
    silent = honest(whisper=False, deaf=True)
    leak(monkeypatch)
    leaking = whispering(suite=Deaf(), seconds=DEAF_S / 2)
    until = leaking.now
    assert first_difference([sent for sent in silent.sent if sent[0] < until], leaking.sent) is not None
