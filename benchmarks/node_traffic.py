"""The rest of a mesh, as one node's friends show it to that node: for ``node_cost``, and no benchmark by itself.

``made_mesh`` makes what a member of long standing has on its disk: records, relay keys, a month of secrets, and the
packets of the last epochs. Its proofs are random bytes, since a node trusts its own disk. ``new_packets`` makes the
traffic with true proofs and true onions. ``Friends`` are real engines behind real transports, each with the node as
one neighbour and the rest of the mesh, which this module plays by the protocol, as the other.
"""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from rumor.crypto import membership, onion
from rumor.crypto.identity import MemberSecret, NodeSecret
from rumor.crypto.membership import Purpose, Ring
from rumor.crypto.onion import Command, Payload
from rumor.gossip.bodies import AdmissionBody, Kind, RelayKeyBody, SecretBody, slot_scope, thread_nonce
from rumor.gossip.engine import Engine
from rumor.gossip.events import FriendId, LinkId, VerifyWanted
from rumor.gossip.frames import Announce, Hello, Packets, Stemmed, Want, decode_frame_untrusted
from rumor.gossip.genesis import Genesis
from rumor.gossip.holdings import Holdings
from rumor.gossip.items import Item, ItemId, message_of
from rumor.gossip.pace import Pace, exponential
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet, packet_scope, pad_item
from rumor.gossip.randomness import RandomSource
from rumor.gossip.store import PACKET_EPOCHS
from rumor.gossip.wire import Message, encode
from rumor.node.network.connections import Connections, Down, Received, Up
from rumor.node.network.libp2p_transport import Libp2pTransport
from rumor.node.network.transport import NodeId

#: What the members of the mesh post a day, one each.
SECRETS_PER_MEMBER_AND_DAY = 1
#: Hops of a stem, as simulated: a packet comes to this many of the members by stem.
STEM_HOPS = 6.2
#: Until the rest of the mesh has flooded a packet whose stem it took over.
STEM_REST_S = 20.0
_GOSSIP = b"\x01"
_MESH = LinkId(1)


class Drawn(random.Random):
    """A seeded source that is its own stream."""

    def stream(self, name: str) -> RandomSource:  # noqa: ARG002
        return self


@dataclass(slots=True, kw_only=True)
class Mesh:
    """What everybody in it holds."""

    genesis: Genesis
    members: list[MemberSecret]
    """Member 0 founded it, member 1 is the node."""
    ring: Ring
    relay_secrets: list[dict[int, bytes]]
    """For each member the secret half of its relay key by day."""
    items: list[Item]
    packets: list[Packet]

    @property
    def pace(self) -> Pace:
        return Pace.of(self.genesis.parameters, self.ring.size)

    @property
    def packets_per_s(self) -> float:
        floods = self.genesis.parameters.route_length + 1
        return self.ring.size * floods / self.pace.interval_s


def made_mesh(genesis: Genesis, members: list[MemberSecret], now: float) -> Mesh:
    """A mesh that has been busy for a month."""
    epoch = genesis.epoch_at(now)
    ring = Ring([member.key.raw for member in members])
    bodies = [AdmissionBody(slot=0, key=member.key.raw, possession=bytes(64)) for member in members[1:]]
    items = [_unproved(Kind.ADMISSION, max(0, epoch - 1_000), body, ring) for body in bodies]
    today = genesis.parameters.relay_day_at(epoch)
    relay_secrets: list[dict[int, bytes]] = [{} for _ in members]
    for day in (today, today + 1):
        for own in relay_secrets:
            own[day], public = onion.relay_keypair(secrets.token_bytes)
            place = (day - 1) * genesis.parameters.relay_day_epochs
            items.append(_unproved(Kind.RELAY_KEY, place, RelayKeyBody(relay_day=day, key=public), ring))
    secret_count = len(members) * SECRETS_PER_MEMBER_AND_DAY * 30
    items += [
        _unproved(Kind.SECRET, epoch - 1 - number * 719 // secret_count, _secret_body(number % 4), ring)
        for number in range(secret_count)
    ]
    mesh = Mesh(
        genesis=genesis, members=members, ring=ring, relay_secrets=relay_secrets, items=items, packets=[]
    )
    elapsed_s = now - genesis.start_of(epoch)
    for past in range(PACKET_EPOCHS + 1):
        duration_s = genesis.parameters.epoch_s if past else elapsed_s
        for _ in range(int(mesh.packets_per_s * duration_s)):
            proof = _random_proof(1)
            payload = secrets.token_bytes(PAYLOAD_SIZE)
            mesh.packets.append(Packet(Content.ONION, epoch - past, 0, ring.root, proof, payload))
    return mesh


def _random_proof(tag_count: int) -> bytes:
    size = membership.proof_size(150, tag_count)
    tags = b"".join(b"\x02" + secrets.token_bytes(32) for _ in range(tag_count))
    return tags + secrets.token_bytes(size - len(tags))


def _unproved(kind: Kind, epoch: int, body: AdmissionBody | RelayKeyBody | SecretBody, ring: Ring) -> Item:
    tag_count = 2 if kind is Kind.SECRET else 1
    proof = _random_proof(tag_count)
    tags = tuple(membership.tags_in(proof, tag_count))
    return Item(kind, epoch, body, tags, proof, ring.root)


def _secret_body(slot: int, tag: bytes = b"") -> SecretBody:
    reply_key, retraction = secrets.token_bytes(32), secrets.token_bytes(32)
    text = "I have never told anybody that I do not like music. " + secrets.token_hex(74)
    return SecretBody(
        slot=slot,
        text=text,
        style=0,
        thread_nonce=thread_nonce(tag, reply_key, retraction, [text]),
        reply_key=reply_key,
        retraction=retraction,
    )


def new_packets(mesh: Mesh, count: int, now: float) -> Iterator[Packet]:
    """Packets of this epoch by all other members: one onion in ``members`` is for the node, some carry a secret."""
    epoch = mesh.genesis.epoch_at(now)
    day = mesh.genesis.parameters.relay_day_at(epoch)
    publics = [onion.relay_public(own[day]) for own in mesh.relay_secrets]
    floods_per_day = mesh.packets_per_s * 86_400
    item_every = int(floods_per_day / (mesh.ring.size * SECRETS_PER_MEMBER_AND_DAY))
    authors = range(2, mesh.ring.size)
    slots = mesh.pace.packets_per_epoch
    if count > len(authors) * slots:
        raise SystemExit(f"the members may inject {len(authors) * slots} packets an epoch, not {count}")
    places = random.sample([(author, slot) for author in authors for slot in range(slots)], count)
    for number, (author, slot) in enumerate(places):
        member = mesh.members[author].raw
        if number % item_every == item_every // 2:
            tag = membership.tag(member, slot_scope(mesh.genesis.mesh_id, Purpose.POST, epoch, slot % 4))
            body = _secret_body(slot % 4, tag)
            scopes = body.scopes(mesh.genesis.mesh_id, epoch)
            proof = membership.prove(member, mesh.ring, scopes, message_of(epoch, body))
            tags = tuple(membership.tags_in(proof, len(scopes)))
            item = Item(Kind.SECRET, epoch, body, tags, proof, mesh.ring.root)
            content, payload = Content.ITEM, pad_item(item.encoding)
        else:
            first = 1 if number % mesh.ring.size == mesh.ring.size // 2 else random.choice(authors)
            route = [publics[first], *random.sample(publics[2:], 2)]
            content = Content.ONION
            payload = onion.wrap(route, Payload(command=Command.DROP, content=b""), secrets.token_bytes)
        scope = packet_scope(mesh.genesis.mesh_id, epoch, slot)
        packet = Packet(content, epoch, slot, mesh.ring.root, b"", payload)
        proof = membership.prove(member, mesh.ring, [scope], packet.message)
        yield Packet(content, epoch, slot, mesh.ring.root, proof, payload)


@dataclass(slots=True)
class _Friend:
    engine: Engine
    transport: Libp2pTransport
    connections: Connections
    link: LinkId | None = None
    """The link to the node."""
    wake: trio.Event = field(default_factory=trio.Event)


class Friends:
    """The node's friends, and behind them the mesh."""

    def __init__(self, mesh: Mesh, count: int, node: NodeId, clock: Callable[[], float]) -> None:
        self._mesh = mesh
        self._node = node
        self._clock = clock
        self._known: dict[ItemId, Packet] = {packet.item_id: packet for packet in mesh.packets}
        self._next_link = 2
        self._nursery: trio.Nursery | None = None
        holdings = Holdings(mesh.genesis)
        holdings.restore(mesh.items, [], mesh.packets)
        self._friends = [self._made(holdings) for _ in range(count)]
        self.stem_count = 0
        """Packets that went to the node by stem."""

    def _made(self, holdings: Holdings) -> _Friend:
        source = Drawn(secrets.randbits(64))
        now = self._clock()
        engine = Engine(self._mesh.genesis, source, now, holdings=holdings.fork())
        engine.restore(items=[], slots=[], outbox=[], now=now)
        engine.friend_added(FriendId(self._node))
        engine.link_opened(_MESH, FriendId(bytes(32)), now)
        # The highest nonce, so that the friend is the one to reconcile with us; it is told nothing.
        hello = Hello(versions=[1], mesh_id=self._mesh.genesis.mesh_id, nonce=b"\xff" * 32)
        engine.receive(_MESH, encode(hello), now)
        transport = Libp2pTransport(NodeSecret.generate().seed, admits=lambda peer: peer == self._node)
        connections = Connections(transport, random=source)
        connections.add(self._node, [])
        return _Friend(engine, transport, connections)

    @property
    def addresses(self) -> list[tuple[NodeId, list[str]]]:
        return [(each.transport.node_id, each.transport.addresses) for each in self._friends]

    @property
    def linked_count(self) -> int:
        return sum(each.link is not None for each in self._friends)

    @property
    def complaint_count(self) -> int:
        """Links that the node has closed, which no honest friend should see."""
        return self._next_link - 2 - self.linked_count

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for friend in self._friends:
                await nursery.start(self._serve, friend)
            task_status.started()

    async def _serve(self, friend: _Friend, task_status: trio.TaskStatus[None]) -> None:
        async with friend.transport.serving(), trio.open_nursery() as nursery:
            await nursery.start(friend.connections.run)
            nursery.start_soon(self._drive, friend)
            task_status.started()
            while True:
                event = await friend.connections.next_event()
                now = self._clock()
                match event:
                    case Up():
                        friend.link = LinkId(self._next_link)
                        self._next_link += 1
                        friend.engine.link_opened(friend.link, FriendId(self._node), now)
                    case Down() if friend.link is not None:
                        friend.engine.link_closed(friend.link, now)
                        friend.link = None
                    case Received(payload=payload) if friend.link is not None and payload[:1] == _GOSSIP:
                        friend.engine.receive(friend.link, payload[1:], now)
                friend.wake.set()

    async def _drive(self, friend: _Friend) -> None:
        engine = friend.engine
        while True:
            while (event := engine.next_event()) is not None:
                if isinstance(event, VerifyWanted):  # A friend's work is another machine's.
                    engine.verified(event.batch_id, [True] * len(event.jobs), self._clock())
            for link, frame in engine.frames_to_send():
                if link == _MESH:
                    self._heard(friend, frame)
                elif link == friend.link:
                    friend.connections.send(self._node, _GOSSIP + frame)
            timer = engine.timer()
            with trio.move_on_after(60.0 if timer is None else max(0.0, timer - self._clock())):
                await friend.wake.wait()
            friend.wake = trio.Event()
            engine.handle_timer(self._clock())

    def _tell(self, friend: _Friend, frame: Message) -> None:
        friend.engine.receive(_MESH, encode(frame), self._clock())
        friend.wake.set()

    def _heard(self, friend: _Friend, data: bytes) -> None:
        """A friend speaks to the rest of the mesh."""
        frame = decode_frame_untrusted(data)
        match frame:
            case Want(item_ids=item_ids):
                wanted = [
                    self._known[ItemId(each)].encoding for each in item_ids if ItemId(each) in self._known
                ]
                for encoding in wanted:
                    self._tell(friend, Packets(packets=[encoding]))
            case Announce(item_ids=item_ids):
                unknown = [each for each in item_ids if ItemId(each) not in self._known]
                if unknown:
                    self._tell(friend, Want(item_ids=unknown[:64]))
            case Stemmed(packet=encoding):
                self._later(self.spread, Packet.decode_untrusted(encoding), STEM_REST_S)
            case Packets(packets=encodings):
                for encoding in encodings:
                    self._later(self.spread, Packet.decode_untrusted(encoding), 0.0)

    def _later(self, function: Callable[[Packet], None], packet: Packet, mean_s: float) -> None:
        async def wait() -> None:
            await trio.sleep(exponential(mean_s, random.random()))
            function(packet)

        assert self._nursery is not None
        self._nursery.start_soon(wait)

    def publish(self, packet: Packet) -> None:
        """Somebody injects a packet: it may pass the node on its stem first."""
        linked = [each for each in self._friends if each.link is not None]
        if linked and random.random() < STEM_HOPS / self._mesh.ring.size:
            self.stem_count += 1
            random.choice(linked).connections.send(
                self._node, _GOSSIP + encode(Stemmed(packet=packet.encoding))
            )
            self._later(self.spread, packet, STEM_REST_S)
        else:
            self.spread(packet)

    def spread(self, packet: Packet) -> None:
        """A packet is flooded: each friend hears of it a few hops from now, if it has not."""
        self._known[packet.item_id] = packet
        for friend in self._friends:
            self._later(
                lambda packet, friend=friend: self._reach(friend, packet), packet, 2 * self._mesh.pace.hop_s
            )

    def _reach(self, friend: _Friend, packet: Packet) -> None:
        if packet.item_id not in friend.engine.store:
            self._tell(friend, Announce(item_ids=[packet.item_id]))
