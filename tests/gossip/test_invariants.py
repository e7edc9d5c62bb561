"""The invariants of anonymity, numbers 2 to 7; the first, of twin worlds, has a file of its own.

Each test fails when the engine is broken accordingly.
"""

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from fakenet import MIXING, FakeNetwork, Peer, Puppet, packet_of, small_mesh

import rumor.gossip
from rumor.crypto import onion
from rumor.crypto.membership import Purpose
from rumor.crypto.onion import Delivered, Forwarded
from rumor.gossip import bodies, frames, items
from rumor.gossip.drafts import Draft
from rumor.gossip.events import LinkId, OutboxTurned
from rumor.gossip.frames import Announce, Hello, Items, Packets, Reconcile, Stemmed, Want
from rumor.gossip.idset import IdSet
from rumor.gossip.items import ItemId
from rumor.gossip.packets import PAYLOAD_SIZE, Packet
from rumor.gossip.reconciliation import Session
from rumor.gossip.store import COLLECTIONS, PACKETS
from rumor.gossip.wire import Message

FOLDER = Path(rumor.gossip.__file__).parent


def mesh(count: int = 5) -> tuple[FakeNetwork, list[Peer]]:
    network, peers = small_mesh(count, MIXING, onions=True, strategy="stem")
    network.run(70.0)
    return network, peers


def post(network: FakeNetwork, author: Peer) -> ItemId:
    item_id = author.engine.publish(Draft(text="mine"), network.now)
    network.drain(author)
    return item_id


# 2. The own clock never depends on the outbox, the user, the friends who are online or the reading of the feed.


def test_the_own_clock_ticks_at_the_same_moments_whatever_its_owner_and_its_friends_do() -> None:
    def ticks(kind: str) -> list[float]:
        network, peers = mesh(3)
        times: list[float] = []
        write = peers[1].disk.keep

        def written(event: object) -> None:
            if isinstance(event, OutboxTurned):
                times.append(network.now)
            write(event)  # type: ignore[arg-type]

        peers[1].disk.keep = written  # type: ignore[method-assign, assignment]
        for step in range(9):
            match kind:
                case "posts" if step < 3:
                    post(network, peers[1])
                case "offline" if step == 0:
                    network.disconnect(peers[1], peers[0])
                    network.disconnect(peers[1], peers[2])
                case "returns" if step % 2:
                    network.disconnect(peers[1], peers[0])
                case "returns":
                    network.connect(peers[1], peers[0])
                case "reads":
                    for item_id in list(peers[1].disk.items):
                        peers[1].engine.store.get(item_id)
                    peers[1].engine.gate(network.now)
            network.run(2.0 + step)
        return times

    quiet = ticks("nothing")
    assert len(quiet) > 5
    for kind in ("posts", "offline", "returns", "reads"):
        assert ticks(kind) == quiet, kind


# 3. Nobody is told of, answered with or reconciled an own item before it came from the network.


class Prober:
    """A friend of one node that asks for everything in every way there is."""

    def __init__(self, network: FakeNetwork, victim: Peer) -> None:
        self.network, self.victim, self.session = network, victim, 0
        self.puppet = Puppet(network, "prober", [])
        victim.engine.friend_added(self.puppet.peer.friend_id)
        network.connect(self.puppet.peer, victim)
        # The lower nonce starts the reconciliations.
        self.puppet.say(victim, Hello(versions=[1], mesh_id=network.genesis.mesh_id, nonce=bytes(32)))

    def all_that_is_shown(self, *ids: bytes) -> set[bytes]:
        """Ids that are announced, and those of whatever is sent, after a reconciliation of each collection."""
        self.puppet.heard.clear()
        if ids:
            self.puppet.say(self.victim, Want(item_ids=list(ids)))
        self.network.run(2.0)
        for collection in COLLECTIONS:
            self.session += 1
            session, message = Session.open(IdSet(), 0, bytes(16))
            messages = [message]
            while messages:
                heard = len(self.puppet.heard)
                for message in messages:
                    frame = Reconcile(collection=collection, session=self.session, message=message)
                    self.puppet.say(self.victim, frame)
                self.network.run(0.1)
                messages = [
                    answer
                    for frame in self.puppet.heard[heard:]
                    if isinstance(frame, Reconcile)
                    for answer in session.receive_untrusted(frame.message).messages
                ]
        self.network.run(0.3)
        shown: set[bytes] = set()
        for frame in self.puppet.heard:
            match frame:
                case Announce():
                    shown.update(frame.item_ids)
                case Items():
                    shown.update(items.Item.decode_untrusted(data).item_id for data in frame.items)
                case Packets():
                    shown.update(Packet.decode_untrusted(data).item_id for data in frame.packets)
        return shown


def private(peer: Peer) -> set[ItemId]:
    return set(peer.engine._carriage._private)


def test_an_own_item_is_shown_to_nobody_before_it_came_from_the_network() -> None:
    """Nor is the packet that it leaves in; and both are shown like all others once they have come back."""
    network, peers = mesh()
    author = peers[2]
    prober = Prober(network, author)
    network.run(2.5)
    known = prober.all_that_is_shown()
    assert set(author.disk.items) <= known, "the prober does see what the node has"
    item_id = post(network, author)
    left: set[bytes] = set()
    while item_id not in author.engine.store:
        if not private(author):
            network.run(0.02)
            continue
        left |= private(author)
        shown = prober.all_that_is_shown(*private(author), item_id)
        assert item_id not in shown or item_id in author.engine.store
        assert not shown & private(author)
    assert left
    assert item_id in prober.all_that_is_shown(item_id)
    assert left & prober.all_that_is_shown(*left)


# 4. No field on the wire tells hops, a time to live, retries, or a time finer than the epoch.

#: Everything that is sent, field by field. A new one has to be thought about before it is entered here.
FIELDS = {
    "Hello": "versions mesh_id nonce",
    "Digest": "epoch ring_root relay_root",
    "Announce": "item_ids",
    "Want": "item_ids",
    "Items": "items",
    "Reconcile": "collection session message",
    "RingWanted": "root base_root",
    "RingDifference": "root base_root added removed",
    "Petition": "key possession",
    "Complaint": "fault",
    "Packets": "packets",
    "Stemmed": "packet",
    "Steer": "packet_id word",
    "_WholeItem": "version kind epoch body tags proof ring_root",
    "SecretBody": "slot text style thread_nonce reply_key retraction",
    "AdmissionBody": "slot key possession",
    "RelayKeyBody": "relay_day key",
    "ReplyBody": "slot text thread_nonce retraction",
    "PollBody": "slot text style thread_nonce reply_key retraction choices",
    "HeartBody": "target turn",
    "FlagBody": "target turn",
    "VoteBody": "target turn choice",
    "RetractionBody": "slot opening",
    "Packet": "content epoch slot ring_root proof payload",
    "Payload": "command content",
}


def wire_types() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and fields of all that can be sent: frames, items and their bodies, packets and what onions hold."""
    for kind in (*frames.Frame.__args__, items._WholeItem, *bodies.BODIES.values()):
        assert issubclass(kind, Message)
        yield kind.__name__, tuple(field.name for field in msgspec.structs.fields(kind))
    for cls in (Packet, onion.Payload):
        yield cls.__name__, tuple(field.name for field in dataclasses.fields(cls))


def test_no_field_on_the_wire_is_a_count_of_hops_or_retries_or_a_fine_time() -> None:
    assert {name: " ".join(fields) for name, fields in wire_types()} == FIELDS


def test_a_session_counts_reconciliations_of_its_link_and_nothing_else() -> None:
    """The one counter on the wire: equal on every fresh link, whatever the node has done before."""
    network, peers = mesh()
    network.run(30.0)
    sessions = []
    for peer in peers:
        puppet = Puppet(network, f"fresh {peer.name}", [peer])
        network.run(1.0)
        sessions.append([frame.session for frame in puppet.heard_of(Reconcile)])  # type: ignore[union-attr]
    assert sessions == [[1]] * 5


# 5. All packets have one size, all layers one format, and a relay cannot tell its position except being last.


def test_every_packet_that_is_sent_has_one_size() -> None:
    """Also as a frame: a stem is as large as any other."""
    network, peers = mesh()
    sizes: dict[str, set[int]] = {"Stemmed": set(), "Packets": set()}

    def watch(_sender: Peer, _receiver: Peer, frame: bytes) -> int:
        decoded = frames.decode_frame_untrusted(frame)
        if isinstance(decoded, Stemmed):
            sizes["Stemmed"].add(len(frame))
            assert len(decoded.packet) == 4_096
        elif isinstance(decoded, Packets):
            sizes["Packets"].add(len(frame) // len(decoded.packets))
            assert all(len(packet) == 4_096 for packet in decoded.packets)
        return 1

    network.copies = watch
    post(network, peers[2])
    network.run(30.0)
    assert [len(found) for found in sizes.values()] == [1, 1]


def test_what_a_relay_finds_is_alike_at_every_place_but_the_last() -> None:
    """The same size and the same fields, of which none is a number; and being last is all that the last one learns."""
    secrets = [bytes([number]) * 32 for number in range(1, 6)]
    keys = [onion.relay_public(secret) for secret in secrets]
    network, _peers = mesh(2)
    source = network.random
    for length in range(1, 6):
        payload = onion.Payload(command=onion.Command.DROP, content=b"")
        data = onion.wrap(keys[:length], payload, source.randbytes)
        for place, secret in enumerate(secrets[:length]):
            assert len(data) == PAYLOAD_SIZE
            layer = onion.open_onion(data, secret)
            assert isinstance(layer, Delivered if place == length - 1 else Forwarded)
            if isinstance(layer, Forwarded):
                data = layer.onion
    assert {field.name for field in dataclasses.fields(Forwarded)} == {"onion", "replay_tag"}


# 6. Duplicates and failures are handled alike for own and foreign packets.


def own_and_foreign(network: FakeNetwork, peers: list[Peer], puppet: Puppet) -> tuple[Packet, Packet]:
    """Two packets on their stems at one node: its own, and one that a friend has handed it."""
    node = peers[2]
    own: list[Packet] = []
    finish = node.engine._member.injector.finish

    def finished(packet_id: ItemId, proof: bytes) -> tuple[Packet, bool] | None:
        found = finish(packet_id, proof)
        if found is not None:
            own.append(found[0])
        return found

    node.engine._member.injector.finish = finished  # type: ignore[method-assign]
    while not (own and own[-1].item_id in private(node)):
        network.run(0.01)
    epoch = network.genesis.epoch_at(network.now)
    used = {slot for purpose, at, slot in peers[4].disk.slots if (purpose, at) == (Purpose.PACKET, epoch)}
    foreign = packet_of(network, peers[4], bytes(PAYLOAD_SIZE), slot=min(set(range(99)) - used))
    puppet.say(node, Stemmed(packet=foreign.encoding))
    assert foreign.item_id in private(node)
    return own[-1], foreign


@pytest.mark.parametrize("how", ["announced", "stemmed"])
def test_a_packet_that_comes_back_is_treated_alike_whether_it_is_our_own(how: str) -> None:
    """Asked for when it is announced, taken without a word when it is handed over, told on to the others."""
    network, peers = mesh()
    node = peers[2]
    giver, other = (network.add_puppet(name, node) for name in ("giver", "other"))
    network.run(3.0)
    packets = own_and_foreign(network, peers, giver)
    heard = []
    for packet in packets:
        other.heard.clear()
        if how == "announced":
            other.say(node, Announce(item_ids=[packet.item_id]))
            network.run(0.03)
            asked = [packet.item_id in frame.item_ids for frame in other.heard_of(Want)]  # type: ignore[union-attr]
            other.say(node, Packets(packets=[packet.encoding]))
            heard.append((asked, packet.item_id in private(node), packet.item_id in node.engine.store))
        else:
            link = next(link for link, (there, _) in node.links.items() if there is other.peer)
            other.say(node, Stemmed(packet=packet.encoding))
            sources = node.engine._carriage._private[packet.item_id].sources
            heard.append((LinkId(link) in sources, packet.item_id in node.engine.store))
    assert heard[0] == heard[1] == (([True], False, True) if how == "announced" else (True, False))
    assert not node.complaints


def test_a_failure_of_an_own_packet_is_told_like_that_of_a_foreign_one() -> None:
    """A garbled copy of it is blamed on who sent it, and asked for again from whoever else announces it."""
    network, peers = mesh()
    node = peers[2]
    giver = network.add_puppet("giver", node)
    network.run(3.0)
    seen = []
    for number, packet in enumerate(own_and_foreign(network, peers, giver)):
        bad = dataclasses.replace(packet, proof=packet.proof[:-1] + bytes([packet.proof[-1] ^ 1]))
        liar, honest = (network.add_puppet(f"{name} {number}", node) for name in ("liar", "honest"))
        for each in (liar, honest):
            each.say(node, Announce(item_ids=[packet.item_id]))
        before = len(node.complaints)
        liar.say(node, Packets(packets=[bad.encoding]))
        network.run(0.03)
        wants = [packet.item_id in frame.item_ids for frame in honest.heard_of(Want)]  # type: ignore[union-attr]
        seen.append(([complaint.fault for complaint in node.complaints[before:]], wants))
    assert seen[0] == seen[1]
    assert seen[0][1] == [True]


# 7. Delays are exponential draws of the source that was given, and nothing else is random.


def test_the_core_draws_from_no_source_but_the_one_it_is_given() -> None:
    """No module `random`, `secrets`, `os` or `numpy`, and of a source only what a CSPRNG gives."""
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {
            (node.module or "").split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.level == 0
        }
        assert not imported & {"random", "secrets", "os", "numpy", "time", "datetime", "uuid"}, path
        called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        attributes = {func.attr for func in called if isinstance(func, ast.Attribute)}
        drawn = {
            "expovariate",
            "uniform",
            "gauss",
            "choice",
            "choices",
            "shuffle",
            "sample",
            "poisson",
            "randint",
        }
        assert not attributes & drawn, path


def test_packets_stay_apart_from_items_in_every_collection() -> None:
    """What is private is in no set that is reconciled."""
    network, peers = mesh()
    for _ in range(60):
        network.run(0.25)
        for peer in peers:
            for collection in COLLECTIONS:
                held = {item_id for _, item_id in peer.engine.store.sets[collection]}
                assert not held & private(peer)
                assert all(peer.engine.store.is_packet(ItemId(i)) is (collection == PACKETS) for i in held)
