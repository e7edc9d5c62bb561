"""The engine: one node's whole gossip protocol, without any input or output of its own.

Bytes, time and randomness come in; frames, a timer and events go out. The engine is driven by a loop that does this,
in this order, after every call: take ``frames_to_send`` and every ``next_event``; make the durable events durable;
only then send the frames; do the work that events ask for and answer with ``proof_made`` and ``verified``; call
``handle_timer`` when ``timer`` is due. Every call takes ``now``, seconds since 1970, which must not go backwards.
The node drives it with trio and libp2p, the simulator with a virtual clock; the engine cannot tell which.

The engine itself only joins its rooms, and knows when each has something to do. ``neighbourhood`` has the friends and
their links, and ``hearing`` takes what they say. ``reception`` takes what they announce and send, and ``stems`` what
they hand on, up to the proof; ``holdings`` keeps what holds, and ``circulation`` passes it on, as ``carriage`` decides.
``member`` does what this node does of its own accord, and ``digests`` tells friends how it sees the mesh. Specified in
docs/protocol.md.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable

from ..crypto.membership import Purpose, Ring
from .bodies import Kind, MarkBody
from .calendar import Calendar
from .carriage import Carriage
from .circulation import Circulation
from .codec import Codec
from .digests import Digests
from .drafts import AnyDraft
from .errors import Fault, LocalError, PostRefused, RemoteError
from .events import (
    Event,
    FriendId,
    GuardChosen,
    LinkId,
    LinkRefused,
    OnionSpent,
    OutboxAdded,
    RelayKeyMade,
    SeedKept,
)
from .frames import Want
from .gate import Gate
from .genesis import Genesis
from .guard import Guard
from .hearing import Hearing
from .holdings import Holdings
from .intake import Way
from .items import Item, ItemId
from .letters import Letter
from .member import Member
from .neighbourhood import Neighbourhood
from .packets import Packet
from .randomness import Streams
from .reception import Reception
from .ringtalk import RingTalk
from .spreading import Stemming, Strategy
from .stems import Stems
from .suite import Real, Suite
from .views import Views

__all__ = ["Engine"]


class Engine:
    """One node of one mesh."""

    def __init__(
        self,
        genesis: Genesis,
        random: Streams,
        now: float,
        *,
        secret: bytes | None = None,
        strategy: Strategy | None = None,
        onions: bool = True,
        suite: Suite | None = None,
        holdings: Holdings | None = None,
        codec: Codec | None = None,
    ) -> None:
        """``secret`` is the 32-byte member secret; without it the node reads only.

        ``onions`` tells whether what is published travels in onions at the own clock's ticks, or at once and bare.
        ``holdings`` are what it starts with, and ``codec`` reads and writes its frames, for a simulator that does not
        restore a thousand nodes one by one nor read what is told to all of them a thousand times.
        """
        self.genesis = genesis
        self._holdings = holdings = holdings or Holdings(genesis)
        self.roster = holdings.roster
        self.store = holdings.store
        self.relay_book = holdings.relay_book
        self.board = holdings.board
        self._codec = codec or Codec()
        self._events: deque[Event] = deque()
        self.calendar = Calendar(genesis, now)
        self._member = Member(
            genesis,
            suite or Real(),
            holdings,
            self.calendar,
            random,
            self._events,
            secret=secret,
            onions=onions,
        )
        self.author = self._member.author
        self.mixing = self._member.mixing
        self._correspondence = self._member.correspondence
        self.whispers = self._correspondence.whispers
        self._admissions = self._member.admissions
        self._neighbourhood = Neighbourhood(
            genesis, self.store, self._codec, random, self.mixing.tally, self._events
        )
        self._links = self._neighbourhood.links
        self._touched = self._neighbourhood.touched
        self._outgoing = self._neighbourhood.outgoing
        self._views = Views()
        self._digests = Digests(holdings, self.calendar, self._views, genesis.parameters.epoch_s)
        self._reception = Reception(genesis, holdings, self._codec, self)
        self._ring_talk = RingTalk(holdings, self._reception, random)
        carrying = random.stream("carriage")
        self._guard = Guard(carrying)
        self._carriage = Carriage(strategy or Stemming(), self.store.is_packet)
        self._agenda = self._carriage.agenda
        self._stems = Stems(genesis, holdings, self._codec, self._carriage, self._reception)
        self._circulation = Circulation(
            self._carriage,
            self.calendar,
            self._guard,
            holdings,
            self._member,
            self._neighbourhood,
            self._reception,
            carrying,
            self._events,
        )
        self._hearing = Hearing(
            self._neighbourhood,
            self._reception,
            self._stems,
            self._circulation,
            self._digests,
            self._ring_talk,
            self._member,
            self._events,
        )
        self._is_stirred = True
        """Whether anything has happened but that friends announced what we have or asked for it, and that we did.

        If not, nothing but the carriage's steps is due at another time than was last found out, and nothing follows.
        """
        self._other_at = 0.0
        """When anything but a step of the carriage is due."""

    # What survives a restart.

    def restore(
        self,
        *,
        items: Iterable[Item],
        slots: Iterable[tuple[Purpose, int, int]],
        outbox: Iterable[OutboxAdded],
        now: float,
        rings: Iterable[Collection[bytes]] = (),
        packets: Iterable[Packet] = (),
        relay_keys: Iterable[RelayKeyMade] = (),
        spent: Iterable[OnionSpent] = (),
        guard: GuardChosen | None = None,
        seeds: Iterable[SeedKept] = (),
        silent_until: int = 0,
        letters: Iterable[Letter] = (),
    ) -> None:
        """Takes back what earlier durable events said, before any link opens. All of it is trusted.

        ``rings`` are the keys of the rings that were kept (``RingKept``). Onions that were held back when the node
        ended are opened again among the ``packets``; whispers are not, since a letter was kept with its packet.
        ``silent_until`` is the first epoch in which a node speaks whose memory has a gap, since all that it says before
        may be said for the second time.
        """
        self._is_stirred = True
        self._holdings.restore(items, rings, packets)
        self._member.restore(slots, outbox, relay_keys, spent, seeds, letters, now, silent_until)
        if guard is not None:
            self._guard.restore(guard)
        self._start_epoch(now)
        for packet in self.store.packets_apart():
            self.mixing.opened(packet, now)
        self._settle(now)

    # Friends.

    def friend_added(self, friend: FriendId) -> None:
        """A friendship that both sides have confirmed."""
        self._neighbourhood.friends.add(friend)

    def friend_removed(self, friend: FriendId) -> None:
        """The driver closes the links of a friend that it removes."""
        self._neighbourhood.friends.discard(friend)
        self._views.forget(friend)
        self._neighbourhood.conduct.pop(friend, None)
        self._admissions.friend_removed(friend)

    def sponsor(self, friend: FriendId) -> None:
        """We invited this friend to the mesh, and will admit one key that it petitions for."""
        self._admissions.sponsor(friend)

    def petition_to(self, friend: FriendId) -> None:
        """This friend invited us to the mesh; it is asked to admit us until we are in the roster."""
        self._admissions.petition_to(friend)
        self._admissions.petition_over(self._links.values())

    # Links.

    def link_opened(self, link: LinkId, friend: FriendId, now: float) -> None:
        self._is_stirred = True
        self._neighbourhood.opened(link, friend)
        self._reception.link_opened(link)
        self._stems.link_opened(link)
        self._settle(now)

    def link_closed(self, link: LinkId, now: float) -> None:
        """Also to be called after ``LinkRefused``, or not; a link that is gone already is no error."""
        if link in self._links:
            self._is_stirred = True
            self._part_from(link)
            self._settle(now)

    def receive(self, link: LinkId, frame: bytes, now: float) -> None:
        """Takes a frame that a friend sent. Never raises, whatever the bytes."""
        opened = self._links.get(link)
        if opened is None:
            return
        try:
            if self._hearing.hear(opened, self._codec.decode_untrusted(frame), now):
                self._is_stirred = True
        except RemoteError as error:
            self.blame(link, error.fault, now)
        self._settle(now)

    def timer(self) -> float | None:
        """When ``handle_timer`` is due next, in seconds since 1970."""
        if self._is_stirred:
            self._is_stirred = False
            self._other_at = self._time_others()
        at = self._agenda.next_at
        return at if at < self._other_at else self._other_at

    def _time_others(self) -> float:
        """When anything but a step of the carriage is due."""
        first_at = min(self._neighbourhood.due_at, self.calendar.ends_at)
        for at in (self._reception.timer(), self._ring_talk.timer(), self._member.timer()):
            if at is not None and at < first_at:
                first_at = at
        return first_at

    def handle_timer(self, now: float) -> None:
        if self._is_stirred:
            self.timer()
        if self._other_at <= now:
            self._is_stirred = True
            self._handle_others(now)
        self._settle(now)

    def _handle_others(self, now: float) -> None:
        """Does what is due, but for the steps of the carriage, which are far more often."""
        if now >= self.calendar.ends_at:
            self._start_epoch(now)
        if (at := self._reception.timer()) is not None and at <= now:
            self._reception.handle_timer(now)
        if (at := self._ring_talk.timer()) is not None and at <= now:
            self._ring_talk.handle_timer(
                self._links, self._neighbourhood.neighbours, self.calendar.epoch, now
            )
        if self._neighbourhood.due_at <= now:
            self._neighbourhood.handle_timer(now)
        self._member.handle_timer(now, lambda: self.gate(now).agreed)

    def frames_to_send(self) -> list[tuple[LinkId, bytes]]:
        """Frames to send, in order for each link; each is returned once."""
        frames = self._outgoing[:]
        self._outgoing.clear()
        return frames

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # Posting.

    def gate(self, now: float, purpose: Purpose | None = Purpose.POST) -> Gate:
        """Whether we may post now what takes a slot of this purpose, or none, and if not, why."""
        friends = self._neighbourhood.friends
        epoch = self.genesis.epoch_at(now)
        views, clocks = self._views.current(friends, epoch), self._views.clocks(friends, epoch)
        return self._member.gate(now, len(friends), views, clocks, purpose)

    def publish(self, draft: AnyDraft, now: float) -> ItemId:
        """Publishes what a person has to say. Durable once the events of this call are.

        Raises ``PostRefused`` if the gate is closed, ``LocalError`` if the draft will not do.
        """
        gate = self.gate(now, draft.purpose)
        if gate.obstacles:
            raise PostRefused(gate.obstacles)
        self._is_stirred = True
        item_id = self._member.write(draft, now)
        self._settle(now)
        return item_id

    def own_mark(self, kind: Kind, target: ItemId) -> MarkBody | None:
        """Our latest heart, flag or vote on an item, whether it has left or not."""
        return self._member.own_mark(kind, target)

    def withdraw(self, item_id: ItemId, now: float) -> bool:
        """Takes back something of ours that has not left yet, or forgets it when it is given up.

        Returns whether it was in time.
        """
        self._is_stirred = True
        in_time = self._member.withdraw(item_id, now)
        self._settle(now)
        return in_time

    def may_withdraw(self, item_id: ItemId, now: float) -> bool:
        """Whether ``withdraw`` would be in time."""
        return self._member.may_withdraw(item_id, now)

    def give_up(self, item_id: ItemId, now: float) -> None:
        """Lets something of ours not leave again; it may have arrived, or be on its way."""
        self._is_stirred = True
        self._member.give_up(item_id)
        self._settle(now)

    def unlink(self, item_ids: Iterable[ItemId], now: float) -> None:
        """Forgets what would let us go on with these as their author. Those that are not ours are passed over."""
        self._is_stirred = True
        self._member.unlink(item_ids)
        self._settle(now)

    # Whispering.

    def whisper(self, about: ItemId, text: str, now: float) -> ItemId:
        """Whispers to the author of a secret, in the conversation about it if there is one. Durable as ``publish``.

        Returns the id of the letter. Raises ``PostRefused`` if the gate is closed, ``LocalError`` if there is no such
        secret, if it is ours, or if the text will not do.
        """
        return self._whisper(lambda epoch: self._correspondence.whisper(about, text, epoch, now), now)

    def answer(self, conversation_id: bytes, text: str, now: float) -> ItemId:
        """Whispers in a conversation that there is. Raises as ``whisper``."""
        return self._whisper(
            lambda epoch: self._correspondence.answer(conversation_id, text, epoch, now), now
        )

    def _whisper(self, write: Callable[[int], ItemId], now: float) -> ItemId:
        obstacles = self.gate(now, None).obstacles
        if obstacles:
            raise PostRefused(obstacles)
        if not self._member.has_onions:
            raise LocalError("Only an onion can carry a whisper.")
        self._is_stirred = True
        letter_id = write(self.genesis.epoch_at(now))
        self._settle(now)
        return letter_id

    def read_whispers(self, conversation_id: bytes, now: float) -> None:
        """Everything in this conversation was read."""
        self._correspondence.read(conversation_id)
        self._settle(now)

    def forget_whispers(self, conversation_id: bytes, now: float) -> None:
        """Erases a conversation, with what waits to leave; one that is gone is passed over."""
        self._is_stirred = True
        self._correspondence.forget(conversation_id)
        self._settle(now)

    def end_whispers(self, conversation_id: bytes, now: float) -> None:
        """Erases a conversation; what the other still whispers in it is dropped unseen."""
        self._is_stirred = True
        self._correspondence.end(conversation_id)
        self._settle(now)

    def close_whispers(self, about: ItemId, now: float) -> None:
        """Drops unseen what anybody whispers who begins about this secret of ours. Raises ``LocalError``."""
        self._is_stirred = True
        self._correspondence.close(about)
        self._settle(now)

    def reopen_whispers(self, about: ItemId, now: float) -> None:
        """Takes it again."""
        self._is_stirred = True
        self._correspondence.reopen(about)
        self._settle(now)

    def proof_made(self, item_id: ItemId, proof: bytes, now: float) -> None:
        """Answers ``ProofWanted``."""
        self._is_stirred = True
        self._circulation.proved(item_id, proof, now)
        self._settle(now)

    def verified(self, batch_id: int, held: list[bool], now: float) -> None:
        """Answers ``VerifyWanted``: whether each proof of the batch holds."""
        self._is_stirred = True
        ring, batch = self._reception.finish(batch_id)
        for arrival, holds in zip(batch, held, strict=True):
            self._circulation.verified(arrival, ring, holds, now)
        self._settle(now)

    # What the reception asks of us.

    def accept(
        self, item: Item, source: LinkId | None, now: float, ring: Ring | None, way: Way = Way.ASKED
    ) -> None:
        """Keeps an item that holds, over this ring if it has one, and announces it."""
        self._circulation.accept(item, source, now, ring, way)

    def blame(self, link: LinkId, fault: Fault, now: float) -> None:
        """Tells a friend what it did wrong, and parts from one that keeps on."""
        self._is_stirred = True
        if self._neighbourhood.blame(link, fault, now):
            self._reception.link_refused(link)
            self._part_from(link)
            self._events.append(LinkRefused(link=link, fault=fault))

    def is_open(self, link: LinkId) -> bool:
        """Whether the link is still there."""
        return link in self._links

    def _part_from(self, link: LinkId) -> None:
        self._neighbourhood.closed(link)
        self._reception.link_closed(link)
        self._stems.link_closed(link)

    # Time.

    def _start_epoch(self, now: float) -> None:
        calendar = self.calendar
        calendar.turn(now)
        self._member.expire()
        events = self._holdings.expire(
            item_epoch=calendar.item_floor,
            relay_epoch=calendar.relay_floor,
            packet_epoch=calendar.packet_floor,
        )
        self._events.extend(events)
        self._member.gone(events)
        self._member.begin_epoch(now)
        self._events.extend(self._guard.renew(now))
        self._member.handle_timer(now, lambda: self.gate(now).agreed)
        self._digests.begin_epoch()
        self._circulation.admit(now)
        self._admissions.petition_over(self._links.values())

    # Everything that follows from what was just done.

    def _settle(self, now: float) -> None:
        if self._agenda.next_at <= now and self._circulation.carry(now):
            self._is_stirred = True
        is_busy = self._reception.is_busy
        if not (is_busy or self._is_stirred):
            return
        self._is_stirred = True
        if is_busy:
            for link, asking in self._reception.requests(now):
                self._links[link].send(Want(item_ids=list(asking)))
            self._events.extend(self._reception.work())
        if self.author.is_busy:
            self._events.extend(self.author.proofs_wanted())
        if self.roster.rings.has_changed:
            self._events.extend(self.roster.rings.changes())
        self._digests.tell_all(self._links.values())
        if self._touched:
            self._neighbourhood.find_due()
