"""Authoring: how this node's own items come to be.

An item of ours takes a slot, which is spent from that moment; its tags are computed at once, so that its id is
known; then a proof is asked for, and when it comes the item is whole. What a person said stays on the disk until it has
come back from the network: it keeps its slot, so that its id and its tags stay the same however often it is proved.
After that its *seed* is kept, by which its author can go on with it, until it expires or is unlinked. A relay key's
record has no slot, and is made again from the key.

Admissions are made for friends who petition: plainly signed while we are the founder of a small mesh, by proof
otherwise. One that could not be made yet, for want of a ring or of a slot, is tried again each epoch.
"""

from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from ..crypto import membership, possession
from ..crypto.errors import CryptoError
from ..crypto.membership import Purpose, Ring
from ..crypto.seeds import PostSeed
from .bodies import AdmissionBody, Body, Kind, MarkBody, RelayKeyBody, ReplyBody, SecretBody, slot_scope
from .drafts import AnyDraft, Frame
from .errors import Fault, LocalError, RemoteError
from .events import (
    Event,
    FriendId,
    OutboxAdded,
    OutboxRemoved,
    ProofWanted,
    SeedKept,
    SeedsForgotten,
    SlotUsed,
    Sponsored,
)
from .genesis import Genesis
from .items import Item, ItemId, message_of
from .letters import SealedLetter
from .quota import SlotBook, quota_of
from .randomness import RandomSource
from .roster import Roster
from .suite import Suite

__all__ = ["SEEDS_MAX", "Author"]

#: Published items that a node can go on with; then the oldest is unlinked. A disk has room for so many.
SEEDS_MAX: Final = 768


@dataclass(slots=True)
class _Unproved:
    epoch: int
    body: Body
    tags: tuple[bytes, ...]
    ring: Ring
    asked: bool = False


@dataclass(frozen=True, slots=True)
class _Petition:
    key: bytes
    possession: bytes = field(repr=False)


class Author:
    """This node as a member: its key, its slots, its outbox and the newcomers that it sponsors."""

    def __init__(self, genesis: Genesis, suite: Suite, random: RandomSource, secret: bytes | None) -> None:
        """``secret`` is the 32-byte member secret, or None for a node that only reads."""
        self._genesis = genesis
        self._suite = suite
        self._random = random
        self._secret = secret
        self.key: bytes | None = membership.public_key(secret) if secret is not None else None
        self.slots = SlotBook()
        self._unproved: dict[ItemId, _Unproved] = {}
        self._outbox: dict[ItemId, OutboxAdded] = {}
        self._tags: dict[ItemId, bytes] = {}
        """The tags that count of what we have written and waits: of a mark and of the one that changes it the same."""
        self.seeds: dict[ItemId, SeedKept] = {}
        """Of what we have published and not unlinked, the oldest first."""
        self._petitions: dict[FriendId, _Petition] = {}

    @property
    def outbox(self) -> list[OutboxAdded]:
        """What of ours has not come back from the network."""
        return list(self._outbox.values())

    @property
    def linked(self) -> list[ItemId]:
        """What is linked to us, published or not."""
        return [*self.seeds, *(row.item_id for row in self._outbox.values() if row.seed)]

    @property
    def petition_count(self) -> int:
        """Newcomers whose admission is pending with us."""
        return len(self._petitions)

    def petition(self) -> tuple[bytes, bytes]:
        """Our key and the proof that we hold it, for the friend who is to admit us."""
        if self._secret is None or self.key is None:
            raise LocalError("This node has no member key.")
        return self.key, possession.prove_possession(self._secret, self._genesis.mesh_id)

    def write(
        self,
        draft: AnyDraft,
        ring: Ring | None,
        epoch: int,
        is_taken: Callable[[bytes], bool] = lambda _: False,
    ) -> tuple[ItemId, list[Event]]:
        """Starts an item of a person over this ring; without one it waits for ``resume`` in its epoch.

        The caller has asked the gate. ``is_taken`` tells whether an item is held under a tag: then a second copy of
        this profile has used the slot. Raises ``LocalError``.
        """
        draft.check()
        slot, events = (0, []) if draft.purpose is None else self._draw_slot(draft.purpose, epoch, is_taken)
        seed = self._random.randbytes(32) if draft.has_seed else b""
        body = draft.body(
            Frame(mesh_id=self._genesis.mesh_id, epoch=epoch, slot=slot, seed=seed, tag=self.tag)
        )
        item_id = Item(body.kind, epoch, body, self._tags_of(body, epoch), b"", b"").item_id
        row = OutboxAdded(item_id=item_id, epoch=epoch, body=body, seed=seed)
        self.restore(row)
        if ring is not None:
            self._start(epoch, body, ring)
        return item_id, [*events, row]

    def _draw_slot(
        self, purpose: Purpose, epoch: int, is_taken: Callable[[bytes], bool]
    ) -> tuple[int, list[Event]]:
        events: list[Event] = []
        quota = quota_of(purpose, self._genesis.parameters)
        while (slot := self.slots.draw(purpose, epoch, quota, self._random)) is not None:
            events.append(SlotUsed(purpose=purpose, epoch=epoch, slot=slot))
            if not is_taken(self.tag(slot_scope(self._genesis.mesh_id, purpose, epoch, slot))):
                return slot, events
        raise LocalError("No slot is left in this epoch.")

    def tag(self, scope: bytes) -> bytes:
        """Our tag in a scope."""
        assert self._secret is not None
        return self._suite.tag(self._secret, scope)

    def restore(self, row: OutboxAdded) -> bytes | None:
        """Takes back what waited when the node ended, for ``resume`` to start again. Returns the tag that counts."""
        self._outbox[row.item_id] = row
        if not isinstance(row.body, Body):
            return None
        tag = self.tag(row.body.scopes(self._genesis.mesh_id, row.epoch)[0])
        self._tags[row.item_id] = tag
        return tag

    def row(self, item_id: ItemId) -> OutboxAdded | None:
        """What is to be durable of an item that waits."""
        return self._outbox.get(item_id)

    def resume(self, roster: Roster, epoch: int, signed: Container[ItemId]) -> None:
        """Starts what waits and is not ``signed``, as far as there is a ring with us in it to prove it over.

        ``epoch`` is the present one: what is of a later one is signed then, over the ring that all others name then.
        """
        for row in self._outbox.values():
            if isinstance(row.body, SealedLetter) or row.item_id in self._unproved or row.item_id in signed:
                continue
            ring = roster.ring_at(row.epoch) if row.epoch <= epoch else None
            if ring is not None and self.key in ring.keys:
                self._start(row.epoch, row.body, ring)

    def write_relay_key(self, relay_day: int, key: bytes, epoch: int, ring: Ring) -> None:
        """Starts the record of a relay key of ours."""
        self._start(epoch, RelayKeyBody(relay_day=relay_day, key=key), ring)

    def is_writing(self, key: bytes) -> bool:
        """Whether the record of this relay key is under way."""
        bodies = (unproved.body for unproved in self._unproved.values())
        return any(isinstance(body, RelayKeyBody) and body.key == key for body in bodies)

    def expire(self, floor: int) -> list[Event]:
        """Gives up what is of epochs before ``floor``: nobody would take it any more, nor what is said about it."""
        gone = [row.item_id for row in self._outbox.values() if row.epoch < floor]
        events = [event for item_id in gone for event in self.drop(item_id)]
        return events + self.unlink([item_id for item_id, kept in self.seeds.items() if kept.epoch < floor])

    def petitioned(self, friend: FriendId, key: bytes, proof: bytes) -> None:
        """A newcomer whom we invited asks to be admitted. Raises ``RemoteError``."""
        pending = self._petitions.get(friend)
        if pending is not None and pending.key != key:
            raise RemoteError(Fault.UNEXPECTED, "a petition for a second key")
        try:
            possession.verify_possession(key, self._genesis.mesh_id, proof)
        except CryptoError as error:
            raise RemoteError(
                Fault.INVALID_PROOF, "a petition for a key that its sender does not hold"
            ) from error
        self._petitions[friend] = _Petition(key, proof)

    def withdraw_petition(self, friend: FriendId) -> None:
        """We no longer sponsor this friend; a proof that is under way for its admission is dropped."""
        petition = self._petitions.pop(friend, None)
        for item_id, unproved in list(self._unproved.items()):
            body = unproved.body
            if petition is not None and isinstance(body, AdmissionBody) and body.key == petition.key:
                del self._unproved[item_id]

    def admit(self, roster: Roster, epoch: int, leaving: Collection[bytes]) -> tuple[list[Item], list[Event]]:
        """Admits whom it can: items that are whole already, and events for those that need a proof.

        ``leaving`` are the keys whose admissions are made and on their way out.
        """
        items: list[Item] = []
        events: list[Event] = []
        under_way = {
            unproved.body.key
            for unproved in self._unproved.values()
            if isinstance(unproved.body, AdmissionBody)
        }
        for friend, petition in list(self._petitions.items()):
            if petition.key in roster:
                del self._petitions[friend]
                events.append(Sponsored(friend=friend))
                continue
            if petition.key in under_way or petition.key in leaving or roster.full:
                continue
            if epoch < self.slots.silent_until:
                # The founder's numbers are like slots: which are free we know once friends have told us.
                continue
            number = roster.free_number() if self.key == self._genesis.founder else None
            if number is not None:
                # One at a time: the next number is free once this one is in the roster, and admission goes on then.
                if not items:
                    items.append(self._sign_admission(petition, number, epoch))
                continue
            ring = roster.ring_at(epoch)
            if ring is None or self.key not in ring.keys:
                continue
            slot = self.slots.draw(
                Purpose.ADMIT, epoch, self._genesis.parameters.admissions_per_epoch, self._random
            )
            if slot is None:
                continue
            body = AdmissionBody(slot=slot, key=petition.key, possession=petition.possession)
            self._start(epoch, body, ring)
            events.append(SlotUsed(purpose=Purpose.ADMIT, epoch=epoch, slot=slot))
        return items, events

    def _sign_admission(self, petition: _Petition, number: int, epoch: int) -> Item:
        assert self._secret is not None
        body = AdmissionBody(slot=number, key=petition.key, possession=petition.possession)
        unsigned = Item(Kind.ADMISSION, epoch, body, (), b"", b"")
        signature = possession.sign(
            self._secret, possession.founder_digest(self._genesis.mesh_id, unsigned.message)
        )
        return Item(Kind.ADMISSION, epoch, body, (), signature, b"")

    def _start(self, epoch: int, body: Body, ring: Ring) -> None:
        tags = self._tags_of(body, epoch)
        item_id = Item(body.kind, epoch, body, tags, b"", ring.root).item_id
        self._unproved[item_id] = _Unproved(epoch, body, tags, ring)

    def _tags_of(self, body: Body, epoch: int) -> tuple[bytes, ...]:
        return tuple(self.tag(scope) for scope in body.scopes(self._genesis.mesh_id, epoch))

    @property
    def is_busy(self) -> bool:
        """Whether an item of ours waits for its proof."""
        return bool(self._unproved)

    def proofs_wanted(self) -> list[ProofWanted]:
        """The proofs that are to be asked for now; each is named once."""
        wanted: list[ProofWanted] = []
        for item_id, unproved in self._unproved.items():
            if not unproved.asked:
                unproved.asked = True
                wanted.append(
                    ProofWanted(
                        item_id=item_id,
                        ring=unproved.ring,
                        scopes=unproved.body.scopes(self._genesis.mesh_id, unproved.epoch),
                        message=message_of(unproved.epoch, unproved.body),
                    )
                )
        return wanted

    def finish(self, item_id: ItemId, proof: bytes) -> tuple[Item, Ring] | None:
        """The proof came; returns the whole item and its ring, or None if it is no longer wanted."""
        unproved = self._unproved.pop(item_id, None)
        if unproved is None:
            return None
        item = Item(
            unproved.body.kind, unproved.epoch, unproved.body, unproved.tags, proof, unproved.ring.root
        )
        return item, unproved.ring

    def published(self, item_id: ItemId) -> list[Event]:
        """An item has come back. If it is ours it waits no more, and what its author needs to go on with it is kept."""
        row = self._outbox.get(item_id)
        events: list[Event] = [*self.drop(item_id)]
        if row is not None and row.seed:
            kept = SeedKept(item_id=item_id, epoch=row.epoch, seed=row.seed)
            self.seeds[item_id] = kept
            events.append(kept)
            if len(self.seeds) > SEEDS_MAX:
                events += self.unlink([next(iter(self.seeds))])
        return events

    def opened_by(self, retraction: Item) -> list[ItemId]:
        """What is still linked to us and taken back by this, if it is ours: we may remember more than is held."""
        body = retraction.retraction
        if body is None or self._secret is None:
            return []
        if retraction.tags[0] != self.tag(retraction.scopes(self._genesis.mesh_id)[0]):
            return []
        return [
            item_id for item_id, kept in self.seeds.items() if PostSeed(kept.seed).retraction == body.opening
        ]

    def superseded(self, item: Item) -> list[OutboxRemoved]:
        """This item is held. What of ours waits under its tag and would have to give way is held nowhere, and given up.

        Only whoever has our key can have signed it: ourselves, if it is a later turn of a mark, or a second copy of
        this profile.
        """
        tag = item.tags[0] if item.tags else b""
        hopeless: list[ItemId] = []
        for item_id in [each for each, other in self._tags.items() if other == tag and each != item.item_id]:
            row = self._outbox[item_id]
            assert isinstance(row.body, Body)
            ours = Item(row.body.kind, row.epoch, row.body, item.tags, b"", item.ring_root)
            if item.precedence < ours.precedence:
                hopeless.append(item_id)
        return [event for item_id in hopeless for event in self.drop(item_id)]

    def lost(self, gone: Container[bytes], commitment: bytes | None) -> list[OutboxRemoved]:
        """Items are held no more: gives up our marks on them, and what has this commitment since it was taken back."""
        hopeless = [
            row.item_id
            for row in self._outbox.values()
            if (isinstance(row.body, MarkBody) and row.body.target in gone)
            or (isinstance(row.body, SecretBody | ReplyBody) and row.body.retraction == commitment)
        ]
        return [event for item_id in hopeless for event in self.drop(item_id)]

    def drop(self, item_id: ItemId) -> list[OutboxRemoved]:
        """An item of ours is given up, or waits no more."""
        self._unproved.pop(item_id, None)
        if self._outbox.pop(item_id, None) is None:
            return []
        self._tags.pop(item_id, None)
        return [OutboxRemoved(item_id=item_id)]

    def unlink(self, item_ids: Iterable[ItemId]) -> list[Event]:
        """Forgets the seeds of these, also of what waits; what is not ours, or forgotten already, is passed over."""
        gone = tuple(item_id for item_id in item_ids if self._forget_seed(item_id))
        return [SeedsForgotten(item_ids=gone)] if gone else []

    def _forget_seed(self, item_id: ItemId) -> bool:
        row = self._outbox.get(item_id)
        if row is not None and row.seed:
            self._outbox[item_id] = replace(row, seed=b"")
            return True
        return self.seeds.pop(item_id, None) is not None
