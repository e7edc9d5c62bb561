"""The member: what this node does of its own accord, and by its own keys.

It joins ``authoring`` (what we sign), ``admissions`` (whom we admit), ``renewal`` and ``relays`` (our relay keys),
``injection`` and ``mixing`` (what leaves, and when), and ``correspondence`` (what we whisper). A node without a secret
has all of these and nothing to do for them. What is to be made durable or proved goes to the engine's events; how a
packet goes on from here is the affair of ``circulation``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..crypto.membership import Purpose, Ring, scope
from ..crypto.seeds import commitment_of
from .admissions import Admissions
from .authoring import Author
from .bodies import TURN_MAX, Kind, MarkBody, SecretBody
from .calendar import Calendar
from .correspondence import Correspondence
from .drafts import AnyDraft, MarkDraft
from .errors import LocalError
from .events import (
    Event,
    ItemRemoved,
    OnionSpent,
    OutboxAdded,
    OutboxRemoved,
    RelayKeyMade,
    SeedKept,
    SeedsForgotten,
    SlotsForgotten,
)
from .gate import Gate, inspect
from .genesis import Genesis
from .holdings import Holdings
from .injection import Injector
from .items import Item, ItemId
from .letters import Letter
from .mixing import Mixing
from .packets import Content, Packet
from .quota import quota_of
from .randomness import Streams
from .relays import Relays
from .renewal import Renewal
from .suite import Suite
from .views import View

__all__ = ["Member"]


class Member:
    """Our side of the mesh."""

    def __init__(
        self,
        genesis: Genesis,
        suite: Suite,
        holdings: Holdings,
        calendar: Calendar,
        random: Streams,
        events: deque[Event],
        *,
        secret: bytes | None,
        onions: bool,
    ) -> None:
        """``secret`` is the 32-byte member secret, if there is one; ``onions`` tells whether what we say travels so."""
        self._genesis = genesis
        self._suite = suite
        self._holdings = holdings
        self._store = holdings.store
        self._roster = holdings.roster
        self._relay_book = holdings.relay_book
        self._calendar = calendar
        self._events = events
        self.has_onions = onions and secret is not None
        """Whether the own clock ticks and what we publish waits for it."""
        self.author = Author(genesis, suite, random.stream("authoring"), secret)
        self.admissions = Admissions(self.author, self._roster)
        self._relays = Relays(suite)
        self._relay_secrets = random.stream("relay keys")
        self._renewal = Renewal(genesis, self._relays, random.stream("renewal"))
        self.injector = Injector(
            genesis,
            suite,
            secret or b"",
            self.author.key or b"",
            self.author.slots,
            self._roster.ring_at,
            random.stream("jitter"),
            random.stream("slots"),
        )
        self.mixing = Mixing(genesis, suite, holdings, self.injector, self._relays, random)
        self.correspondence = Correspondence(
            suite, self._store, self.author, self.mixing, random.stream("whispers"), self.note
        )

    def restore(
        self,
        slots: Iterable[tuple[Purpose, int, int]],
        outbox: Iterable[OutboxAdded],
        relay_keys: Iterable[RelayKeyMade],
        spent: Iterable[OnionSpent],
        seeds: Iterable[SeedKept],
        letters: Iterable[Letter],
        now: float,
        silent_until: int,
    ) -> None:
        """Takes back what earlier durable events said, once the store has what it held."""
        self._be_silent(silent_until)
        for kept in seeds:
            self.author.seeds[kept.item_id] = kept
            item = self._store.get(kept.item_id)
            if item is None or item.secret is not None:  # Whispers may come even if it had to make room.
                self.correspondence.whispers.listen(kept.item_id, kept.epoch, kept.seed)
        for purpose, epoch, slot in slots:
            self.author.slots.mark(purpose, epoch, slot)
        self._relays.restore(relay_keys, spent)
        rows = list(outbox)
        for row in rows:
            tag = self.author.restore(row)
            self._listen(row)
            held = self._holdings.holder(tag) if tag is not None else None
            if held is not None:
                self.published(held)
        self.correspondence.restore(letters, rows, now)

    def note(self, events: Iterable[Event]) -> None:
        """Gives the engine what is to be made durable, and does what follows from it."""
        for event in events:
            self._events.append(event)
            if isinstance(event, SeedsForgotten):
                self.correspondence.unlinked(event.item_ids)
            elif isinstance(event, OutboxRemoved):
                self.mixing.outbox.remove(event.item_id)
                if event.item_id not in self.author.seeds:
                    self.correspondence.unlinked([event.item_id])

    def _listen(self, row: OutboxAdded) -> None:
        if isinstance(row.body, SecretBody) and row.seed:
            self.correspondence.whispers.listen(row.item_id, row.epoch, row.seed)

    def _be_silent(self, until: int) -> None:
        """Takes everything of the epochs before for said, and the relay keys that could be made in them for made."""
        self.author.slots.silent_until = until
        if until:
            # In an epoch the key of the next relay day may be made, too.
            self._renewal.first_day = self._genesis.parameters.relay_day_at(until - 1) + 2

    # Posting.

    def gate(
        self,
        now: float,
        friend_count: int,
        views: Sequence[View],
        clocks: Sequence[int] = (),
        purpose: Purpose | None = Purpose.POST,
    ) -> Gate:
        """Whether we may post now what takes a slot of this purpose, or none, and if not, why."""
        epoch = self._genesis.epoch_at(now)
        ring = self._roster.ring_at(epoch)
        return inspect(
            genesis=self._genesis,
            now=now,
            eligible_at=self._eligible_at(epoch, ring),
            ring=ring,
            friend_count=friend_count,
            relay_keys=self._relay_book.eligible(epoch),
            relay_root=self._relay_book.root(epoch),
            views=views,
            clocks=clocks,
            purpose=purpose,
            slots_left=0
            if purpose is None
            else self.author.slots.left_count(purpose, epoch, quota_of(purpose, self._genesis.parameters)),
            silent_until=self.author.slots.silent_until,
        )

    def _eligible_at(self, epoch: int, ring: Ring | None) -> int | None:
        """The epoch from which our key stands in the ring; a mesh beyond its limit has members without a place."""
        key = self.author.key
        at = self._roster.eligible_at(key) if key is not None else None
        if at is not None and at <= epoch and ring is not None and key not in ring.keys:
            return None
        return at

    def write(self, draft: AnyDraft, now: float) -> ItemId:
        """Starts an item, now that the gate is open. Raises ``LocalError`` if the draft will not do."""
        if isinstance(draft, MarkDraft):
            draft = self._turned(draft)
        present, epoch = self._genesis.epoch_at(now), self._stamp(draft, now)
        ring = self._roster.ring_at(present)
        assert ring is not None, "an open gate has a ring"
        item_id, events = self.author.write(
            draft,
            ring if epoch <= present else None,
            epoch,
            lambda tag: self._holdings.holder(tag) is not None,
        )
        self.note(events)
        row = self.author.row(item_id)
        assert row is not None
        self._listen(row)
        return item_id

    def _stamp(self, draft: AnyDraft, now: float) -> int:
        """The epoch of what is written now: the one in which its turn comes, behind all that waits already.

        Everybody sees it. If all that is said in one sitting were of one epoch, it could be told to be one person's by
        coming late, one thing after the other.
        """
        if not self.has_onions:
            return self._genesis.epoch_at(now)
        pace, outbox = self.mixing.pace(now), self.mixing.outbox
        ahead_count = outbox.due_count(now, pace.retry_s)
        ahead_count += sum(row.item_id not in outbox for row in self.author.outbox)
        epoch = self._genesis.epoch_at(now + ahead_count * pace.interval_s)
        if draft.purpose is not None:
            quota = quota_of(draft.purpose, self._genesis.parameters)
            while self.author.slots.left_count(draft.purpose, epoch, quota) <= 0:
                epoch += 1
        return epoch

    def published(self, item: Item) -> None:
        """An item has come from the network, perhaps one of ours, or one that is held in place of ours."""
        self.note(self.author.published(item.item_id))
        self.note(self.author.superseded(item))

    def gone(self, events: Iterable[Event], why: Item | None = None) -> None:
        """Items are held no more; if ``why`` is a retraction, they are taken back, with what was never seen here."""
        item_ids = {event.item_id for event in events if isinstance(event, ItemRemoved)}
        commitment = None
        if why is not None and why.retraction is not None:
            commitment = commitment_of(why.retraction.opening)
            self.unlink([*item_ids, *self.author.opened_by(why)])
        if item_ids or commitment is not None:
            self.note(self.author.lost(item_ids, commitment))

    def unlink(self, item_ids: Iterable[ItemId]) -> None:
        """Forgets what would let us go on with these as their author."""
        self.note(self.author.unlink(item_ids))

    def opened(self, packet: Packet, now: float) -> None:
        """A packet has become open here: hears what its onion says to us, if it is for us."""
        if self.has_onions and packet.content is Content.ONION:
            self.correspondence.seen(packet.payload)
            if not self.mixing.opened(packet, now):
                self.correspondence.came(packet.payload, self._calendar.epoch)

    def _turned(self, draft: MarkDraft) -> MarkDraft:
        """The mark with the turn that comes after our last one on this target. Raises ``LocalError``."""
        board = self._holdings.board
        if not board.has(draft.target):
            raise LocalError("There is no such item here any more.")
        if draft.kind is Kind.VOTE and not 0 <= draft.choice < len(board.tally(draft.target).votes):
            raise LocalError("There is no such choice.")  # Nobody would keep such a vote, or count it.
        last = self.own_mark(draft.kind, draft.target)
        if last is None:
            return draft
        if last.turn == TURN_MAX:
            raise LocalError("You have changed your mind about this as often as one may.")
        return replace(draft, turn=last.turn + 1)

    def own_mark(self, kind: Kind, target: ItemId) -> MarkBody | None:
        """Our latest mark of this kind on an item, whether it has left or not."""
        if self.author.key is None:
            return None
        marks = [
            row.body
            for row in self.author.outbox
            if isinstance(row.body, MarkBody) and row.body.kind is kind and row.body.target == target
        ]
        purpose = {Kind.HEART: Purpose.HEART, Kind.FLAG: Purpose.FLAG, Kind.VOTE: Purpose.VOTE}[kind]
        held = self._holdings.holder(self.author.tag(scope(self._genesis.mesh_id, purpose, target)))
        if held is not None and held.mark is not None:
            marks.append(held.mark)
        return max(marks, key=lambda mark: mark.turn, default=None)

    def may_withdraw(self, item_id: ItemId, now: float) -> bool:
        """Whether this waits in the outbox and either has not left yet, or will not leave again."""
        row, waiting = self.author.row(item_id), self.mixing.outbox.get(item_id)
        if row is None or waiting is None:
            return row is not None and not row.sent_count
        return not waiting.sent_count or waiting.has_failed(now, self.mixing.pace(now).retry_s)

    def withdraw(self, item_id: ItemId, now: float) -> bool:
        """Takes back what has not left yet, or forgets what is given up; returns whether it was in time."""
        if not self.may_withdraw(item_id, now):
            return False
        self.note(self.author.drop(item_id))
        self.correspondence.withdrawn(item_id)
        return True

    def give_up(self, item_id: ItemId) -> None:
        """Lets something of ours not leave again."""
        self.note(self.author.drop(item_id))

    # The own clock and the relay keys.

    def timer(self) -> float | None:
        """When ``handle_timer`` is due next, in seconds since 1970."""
        if not self.has_onions:
            return None
        tick_at, key_at = self.mixing.wakes_at(), self._renewal.timer()
        return key_at if tick_at is None or (key_at is not None and key_at < tick_at) else tick_at

    def handle_timer(self, now: float, is_agreed: Callable[[], bool]) -> None:
        """Makes the relay keys that are due and lets the own clock tick.

        ``is_agreed`` tells whether enough friends share our view of ring and relay keys.
        """
        if not self.has_onions:
            return
        at = self._renewal.timer()
        for relay_day in self._renewal.due(now) if at is not None and at <= now else ():
            secret, _ = self._suite.relay_keypair(self._relay_secrets.randbytes)
            made = RelayKeyMade(relay_day=relay_day, epoch=self._calendar.epoch, secret=secret)
            self._relays.add(made)
            self._events.append(made)
            self._publish_relay_keys()
        at = self.mixing.wakes_at()
        if at is not None and at <= now:
            self._events.extend(self.mixing.handle_timer(now, is_agreed))

    def _publish_relay_keys(self) -> None:
        """Starts the records of our relay keys that are neither known to the mesh nor under way."""
        today = self._calendar.relay_day
        for made in (self._relays.key(today), self._relays.key(today + 1)):
            if made is None:
                continue
            ring = self.injector.ring(made.epoch)
            public = self._relays.public(made.relay_day)
            waiting = self.mixing.is_leaving(public) or self.author.is_writing(public)
            if ring is not None and not waiting and not self._relay_book.knows(made.relay_day, public):
                self.author.write_relay_key(made.relay_day, public, made.epoch, ring)

    # Epochs and the roster.

    def expire(self) -> None:
        """Lets go of slots and of writings that are too old by now."""
        calendar = self._calendar
        for purpose, epoch in self.author.slots.forget_before(calendar.item_floor, calendar.packet_floor):
            self._events.append(SlotsForgotten(purpose=purpose, epoch=epoch))
        self.note(self.author.expire(calendar.item_floor))
        self.correspondence.expire(calendar.item_floor)

    def begin_epoch(self, now: float) -> None:
        """Does what an epoch begins with, once the store holds nothing that is too old."""
        self._events.extend(self._relays.forget_before(self._calendar.relay_day - 1))
        self.injector.forget_before(self._calendar.packet_floor)
        self.mixing.expire(self._store)
        self.resume()
        if self.has_onions and self.injector.ring(self._calendar.epoch) is not None:
            self.mixing.start(now)
            self._renewal.plan(now)
            self._publish_relay_keys()

    def resume(self) -> None:
        """Goes on with what waited for a ring."""
        self.author.resume(self._roster, self._calendar.epoch, self.mixing.outbox)

    def admit(self) -> list[Item]:
        """Admits whom we can by now; returns the admissions that are whole already."""
        items, events = self.admissions.admit(self._calendar.epoch, self.mixing.leaving_admissions())
        self._events.extend(events)
        return items
