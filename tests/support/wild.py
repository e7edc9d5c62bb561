"""Wild worlds: one engine among friends who say anything, with an owner who does anything and crashes at any moment.

Cryptography is ideal, and members sign whatever comes to mind; now and then the verifier passes what does not hold.
After each step what is durable must be what is in memory, so that a crash there loses and splits nothing.
"""

import contextlib
import random
from collections.abc import Callable

from rumor.crypto import membership, onion, possession, whispers
from rumor.crypto.membership import Purpose, Ring
from rumor.crypto.onion import Command, Payload
from rumor.crypto.seeds import commitment_of
from rumor.gossip.bodies import (
    AdmissionBody,
    Body,
    FlagBody,
    HeartBody,
    Kind,
    PollBody,
    RelayKeyBody,
    ReplyBody,
    RetractionBody,
    SecretBody,
    VoteBody,
    slot_scope,
    thread_nonce,
)
from rumor.gossip.conversations import LETTERS_MAX
from rumor.gossip.drafts import Draft, MarkDraft, ReplyDraft, RetractionDraft
from rumor.gossip.engine import Engine
from rumor.gossip.errors import LocalError
from rumor.gossip.events import FriendId, LinkId, LinkRefused, ProofWanted, VerifyWanted
from rumor.gossip.frames import (
    Announce,
    Digest,
    Hello,
    Items,
    Packets,
    Reconcile,
    Stemmed,
    Want,
)
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import Item, ItemId, message_of
from rumor.gossip.orphans import ORPHANS_MAX
from rumor.gossip.packets import Content, Packet, pad_item
from rumor.gossip.ranges import Message as Reconciling
from rumor.gossip.ranges import Opening, encode
from rumor.gossip.wire import encode as encode_frame
from rumor.sim.disks import Disk
from rumor.sim.seeds import Stream
from rumor.sim.suites import Ideal

SECRETS = [bytes([number]) * 32 for number in range(1, 4)]
KEYS = [membership.public_key(secret) for secret in SECRETS]
RING = Ring(KEYS)
__all__ = ["World"]

GENESIS = Genesis.found(
    "wild",
    KEYS[0],
    Parameters(
        epoch_s=10,
        relay_day_epochs=4,
        friends_min=1,
        members_min=2,
        relay_keys_min=0,
        item_lifetime_epochs=12,
        bytes_per_day=5_000_000_000,
    ),
)
NOW = 1_000_000.0
FRIENDS = [FriendId(b"one"), FriendId(b"other")]


def _roster() -> list[Item]:
    records = []
    for number in (1, 2):
        proof = possession.prove_possession(SECRETS[number], GENESIS.mesh_id)
        body = AdmissionBody(slot=number, key=KEYS[number], possession=proof)
        unsigned = Item(Kind.ADMISSION, 0, body, (), b"", b"")
        digest = possession.founder_digest(GENESIS.mesh_id, unsigned.message)
        records.append(Item(Kind.ADMISSION, 0, body, (), possession.sign(SECRETS[0], digest), b""))
    return records


RECORDS = _roster()


class World:
    """One engine, what surrounds it, and a source of mischief."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.suite = Ideal(Stream(seed))
        self.now = NOW
        self.disk = Disk()
        self.disk.items = {record.item_id: record.encoding for record in RECORDS}
        self.starts = 0
        self.links: dict[LinkId, FriendId] = {}
        self.next_link = 1
        self.proofs: list[ProofWanted] = []
        self.batches: list[VerifyWanted] = []
        self.said: list[Item | Packet] = []
        """What friends have made up."""
        self.start()

    def start(self) -> None:
        self.starts += 1
        self.engine = Engine(
            GENESIS,
            Stream(f"{self.random.random()}"),
            self.now,
            secret=SECRETS[1],
            suite=self.suite,
        )
        self.proofs, self.batches, self.links = [], [], {}
        self.disk.restore(self.engine, self.now)
        for friend in FRIENDS:
            self.engine.friend_added(friend)
        self.drain()

    def drain(self) -> None:
        engine = self.engine
        while (event := engine.next_event()) is not None:
            self.disk.keep(event)
            match event:
                case ProofWanted():
                    self.proofs.append(event)
                case VerifyWanted():
                    self.batches.append(event)
                case LinkRefused(link=link):
                    self.links.pop(link, None)
        engine.frames_to_send()

    # What is made up.

    def epoch(self) -> int:
        return GENESIS.epoch_at(self.now) + self.random.choice([0, 0, 0, 0, 1, -1, -2, -5, -6, -7, 2])

    def target(self) -> bytes:
        items = [each.item_id for each in self.said if isinstance(each, Item)]
        own = list(self.engine.board.secrets)
        pool = items[-30:] + own
        return self.random.choice(pool) if pool and self.random.random() < 0.9 else self.random.randbytes(32)

    def body(self, member: int, epoch: int) -> Body:
        draw = self.random
        slot = draw.choice([0, 0, 1, 2, 3, 19])
        opening = bytes([draw.randrange(6)]) * 32
        match draw.randrange(9):
            case 0 | 1 as number:
                tag = self.suite.tag(SECRETS[member], slot_scope(GENESIS.mesh_id, Purpose.POST, epoch, slot))
                text, choices = f"text {draw.randrange(5)}", ["a", "b"] if number else []
                key = draw.choice([b"k" * 31 + b"\0", self.suite.relay_public(b"x" * 32), b"\xff" * 32])
                retraction = commitment_of(opening)
                nonce = thread_nonce(tag, key, retraction, [text, *choices])
                kind = PollBody if number else SecretBody
                also = {"choices": choices} if number else {}
                return kind(
                    slot=slot,
                    text=text,
                    style=0,
                    thread_nonce=nonce,
                    reply_key=key,
                    retraction=retraction,
                    **also,
                )
            case 2 | 3:
                nonces = list(self.engine.board.secrets.values()) or [b"n" * 32]
                return ReplyBody(
                    slot=slot, text="re", thread_nonce=draw.choice(nonces), retraction=commitment_of(opening)
                )
            case 4 | 5 as number:
                kind = HeartBody if number == 4 else FlagBody
                return kind(target=self.target(), turn=draw.randrange(4))
            case 6:
                return VoteBody(target=self.target(), turn=draw.randrange(3), choice=draw.randrange(6))
            case 7:
                return RetractionBody(slot=slot, opening=opening)
            case _:
                day = GENESIS.parameters.relay_day_at(epoch) + draw.choice([0, 1])
                return RelayKeyBody(relay_day=day, key=self.suite.relay_public(draw.randbytes(2) * 16))

    def item(self) -> Item:
        draw = self.random
        if self.said and draw.random() < 0.2:
            known = draw.choice(self.said)
            if isinstance(known, Item):
                if draw.random() < 0.5:
                    return known
                proof = known.proof[:-1] + bytes([known.proof[-1] ^ 1])
                root = draw.choice([known.ring_root, b"r" * 32])
                return Item(known.kind, known.epoch, known.body, known.tags, proof, root)
        member, epoch = draw.choice([0, 1, 2]), self.epoch()
        body = self.body(member, epoch)
        scopes = body.scopes(GENESIS.mesh_id, epoch)
        proof = self.suite.prove(SECRETS[member], RING, scopes, message_of(epoch, body))
        tags = tuple(proof[33 * place : 33 * place + 33] for place in range(len(scopes)))
        return Item(body.kind, epoch, body, tags, proof, RING.root)

    def packet(self) -> Packet:
        draw = self.random
        packets = [each for each in self.said if isinstance(each, Packet)]
        if packets and draw.random() < 0.3:
            return draw.choice(packets)
        if draw.random() < 0.5:
            content, payload = Content.ITEM, pad_item(self.item().encoding)
        else:
            innermost = list(self.engine.mixing._marks)
            seen = bool(innermost) and draw.random() < 0.2
            content, payload = Content.ONION, draw.choice(innermost) if seen else self.onion()
        unsigned = Packet(content, self.epoch(), draw.randrange(40), RING.root, b"", payload)
        proof = self.suite.prove(
            SECRETS[draw.choice([0, 2])], RING, unsigned.scopes(GENESIS.mesh_id), unsigned.message
        )
        return Packet(content, unsigned.epoch, unsigned.slot, RING.root, proof, payload)

    def onion(self) -> bytes:
        draw = self.random
        keys = [self.suite.relay_public(made.secret) for made in self.disk.relay_keys.values()]
        letters = [key.public for key in self.engine.whispers.keys]
        route = draw.choices([*keys, *letters, b"q" * 32], k=draw.randrange(1, 4))
        command = draw.choice(list(Command))
        content = draw.randbytes(16)
        if command is Command.ITEM and draw.random() < 0.9:
            content = self.item().encoding
        if command is Command.WHISPER and self.engine.whispers.keys and draw.random() < 0.9:
            # Its real key: what is inside is real also here.
            key = draw.choice(self.engine.whispers.keys)
            route[-1] = key.public
            content, _ = whispers.seal(
                draw.choice([b"w" * 32, b"v" * 32]),
                onion.relay_public(key.secret),
                key.about,
                number=draw.randrange(5),
                text=draw.choice(["psst", "hey", "\u202e"]),
            )
        return self.suite.wrap(route, Payload(command=command, content=content), draw.randbytes)

    # Steps.

    def talk(self) -> None:
        draw = self.random
        if not self.links:
            self.connect()
            return
        link = draw.choice(list(self.links))
        match draw.randrange(12):
            case 0 | 1 | 2 | 3 | 10:
                items = [self.item() for _ in range(draw.choice([1, 1, 3, 20]))]
                items += [each for each in self.engine.mixing.outbox.items() if isinstance(each, Item)][:2]
                self.said += items
                self.say(link, Announce(item_ids=[each.item_id for each in items]))
                draw.shuffle(items)
                self.say(link, Items(items=[each.encoding for each in items]))
            case 4 | 5:
                packets = [self.packet() for _ in range(draw.choice([1, 1, 4]))]
                self.said += packets
                self.say(link, Announce(item_ids=[each.item_id for each in packets]))
                self.say(link, Packets(packets=[each.encoding for each in packets]))
            case 6:
                packet = self.packet()
                self.said.append(packet)
                self.say(link, Stemmed(packet=packet.encoding))
            case 7:
                pool = [each.item_id for each in self.said] or [b"?" * 32]
                self.say(link, draw.choice([Want, Announce])(item_ids=draw.choices(pool, k=5)))
            case 8:
                opening = encode(Reconciling(opening=Opening(floor=0, nonce=draw.randbytes(16))))
                frame = Reconcile(collection=draw.randrange(4), session=draw.randrange(9), message=opening)
                self.say(link, frame)
            case _:
                data = encode_frame(Digest(epoch=self.epoch(), ring_root=RING.root, relay_root=bytes(32)))
                place = draw.randrange(len(data))
                self.engine.receive(link, data[:place] + draw.randbytes(2) + data[place + 2 :], self.now)

    def say(self, link: LinkId, frame: object) -> None:
        self.engine.receive(link, encode_frame(frame), self.now)  # type: ignore[arg-type]
        self.drain()

    def agree(self) -> None:
        """Friends share our view, so that the gate is open."""
        epoch = self.engine.calendar.epoch
        ring = self.engine.roster.ring_at(epoch)
        assert ring is not None
        for link in list(self.links):
            root = self.engine.relay_book.root(epoch)
            self.say(link, Digest(epoch=epoch, ring_root=ring.root, relay_root=root))

    def connect(self) -> None:
        for friend in FRIENDS:
            if friend not in self.links.values():
                link = LinkId(self.next_link)
                self.next_link += 1
                self.links[link] = friend
                self.engine.link_opened(link, friend, self.now)
                nonce = self.random.choice([b"\0", b"\xff"]) * 32
                self.say(link, Hello(versions=[1], mesh_id=GENESIS.mesh_id, nonce=nonce))

    def disconnect(self) -> None:
        if self.links:
            link, _ = self.links.popitem()
            self.engine.link_closed(link, self.now)

    def wait(self) -> None:
        self.now += self.random.choice([0.1, 0.3, 0.3, 1, 1, 1, 2, 3, 9])
        self.engine.handle_timer(self.now)

    def prove(self) -> None:
        for wanted in self.proofs[:5]:
            self.proofs.remove(wanted)
            proof = self.suite.prove(SECRETS[1], wanted.ring, wanted.scopes, wanted.message)
            self.engine.proof_made(wanted.item_id, proof, self.now)

    def verify(self) -> None:
        if self.batches:
            batch = self.batches.pop(0)
            held = [
                holds or self.random.random() < 0.1 for holds in self.suite.verify(batch.ring, batch.jobs)
            ]
            self.engine.verified(batch.batch_id, held, self.now)

    def own(self) -> None:
        """The owner does something."""
        draw, engine = self.random, self.engine
        targets = [*engine.board.secrets] or [ItemId(b"?" * 32)]
        target = draw.choice(targets)
        item = engine.store.get(target)
        linked = [*engine.author.seeds.values()]
        letters = engine.whispers.conversations
        rows = [row.item_id for row in engine.author.outbox] or [ItemId(b"?" * 32)]
        talk = draw.choice(letters).conversation_id if letters else b"?" * 32
        nonce = item.secret.thread_nonce if item is not None and item.secret is not None else b"n" * 32
        seed = draw.choice(linked).seed if linked else b"s" * 32
        about = draw.choice([kept.item_id for kept in linked] or [target])
        mark = MarkDraft(
            kind=draw.choice([Kind.HEART, Kind.FLAG, Kind.VOTE]), target=target, choice=draw.randrange(2)
        )
        deeds: list[Callable[[], object]] = [
            lambda: engine.publish(Draft(text="mine"), self.now),
            lambda: engine.publish(Draft(text="which?", choices=("a", "b")), self.now),
            lambda: engine.publish(ReplyDraft(thread_nonce=nonce, text="re"), self.now),
            lambda: engine.publish(mark, self.now),
            lambda: engine.publish(mark, self.now),
            lambda: engine.publish(RetractionDraft(seed=seed), self.now),
            lambda: engine.withdraw(draw.choice(rows), self.now),
            lambda: engine.give_up(draw.choice(rows), self.now),
            lambda: engine.unlink([draw.choice([*engine.author.linked, ItemId(b"?" * 32)])], self.now),
            lambda: engine.whisper(target, "psst", self.now),
            lambda: engine.answer(talk, "hm", self.now),
            lambda: engine.read_whispers(talk, self.now),
            lambda: engine.forget_whispers(talk, self.now),
            lambda: engine.end_whispers(talk, self.now),
            lambda: engine.close_whispers(about, self.now),
            lambda: engine.reopen_whispers(about, self.now),
        ]
        with contextlib.suppress(LocalError):
            draw.choice(deeds)()

    def step(self) -> None:
        draw = self.random.random()
        if draw < 0.35:
            self.talk()
        elif draw < 0.5:
            self.verify()
        elif draw < 0.65:
            self.prove()
        elif draw < 0.75:
            self.own()
        elif draw < 0.92:
            self.wait()
        elif draw < 0.97:
            self.agree()
        elif draw < 0.985:
            self.connect()
        elif draw < 0.993:
            self.disconnect()
        else:
            self.start()
        self.drain()
        self.check()

    def check(self) -> None:
        """Memory and disk are one, and nothing is beyond its bounds."""
        engine, disk = self.engine, self.disk
        items = {each for ids in engine.store.sets[:3] for _, each in ids}
        assert items == set(disk.items)
        assert set(engine.store.packets) == set(disk.packets)
        assert {row.item_id: row.seed for row in engine.author.outbox} == {
            row.item_id: row.seed for row in disk.outbox.values()
        }
        assert engine.author.seeds == disk.seeds
        letters = {
            each.letter_id: each for talk in engine.whispers.conversations for each in talk.letters.values()
        }
        stops = {each.letter_id: each for each in engine.whispers._stops._rows.values()}
        assert {**letters, **stops} == disk.letters
        assert len(disk.letters) <= LETTERS_MAX
        for letter in disk.letters.values():
            assert letter.own_secret or letter.about in {*disk.seeds, *disk.outbox}, "a letter to nobody"
        assert len(engine._reception._orphans) <= ORPHANS_MAX
        waiting = {each.item_id for each in engine.mixing.outbox.items() if each.is_personal}
        assert waiting <= set(disk.outbox)
        assert set(engine.author._tags) <= set(disk.outbox)
        marks = [each for target in engine.board.marked() for each in engine.board.marks_on(target)]
        assert all(engine.board.has(target) for target in engine.board.marked())
        assert set(marks) <= items
        for item_id in items:
            item = engine.store.get(ItemId(item_id))
            assert item is not None
            assert item.commitment is None or not engine.board.is_retracted(item.commitment)
