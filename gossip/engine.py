"""The engine: one node's whole gossip protocol, without any input or output of its own.

Bytes, time and randomness come in; frames, a timer and events go out. The engine is driven by a loop that does this,
in this order, after every call: take ``frames_to_send`` and every ``next_event``; make the durable events durable;
only then send the frames; do the work that events ask for and answer with ``proof_made`` and ``verified``; call
``handle_timer`` when ``timer`` is due. Every call takes ``now``, seconds since 1970, which must not go backwards.
The node drives it with trio and libp2p, the simulator with a virtual clock; the engine cannot tell which.

The engine itself only joins its rooms. ``reception`` takes what friends announce and send, up to the proof;
``holdings`` keeps what holds; ``catchup`` finds what a link has missed. ``authoring`` and ``admissions`` make what this
member signs; ``mixing`` decides what leaves and when, and ``carriage`` how a packet reaches everybody. Specified in
docs/protocol.md.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable
from typing import Final, cast

from ..crypto.membership import Purpose, Ring
from .admissions import Admissions
from .authoring import Author, Draft
from .carriage import Carriage, Handed, Opened, Told
from .catchup import CatchUp
from .codec import Codec
from .errors import Fault, PostRefused, RemoteError
from .events import (
    Complained,
    Event,
    FriendId,
    GuardChosen,
    LinkId,
    LinkRefused,
    OnionSpent,
    OutboxAdded,
    RelayKeyMade,
    RosterChanged,
    SlotsForgotten,
)
from .frames import (
    ANNOUNCE_IDS_MAX,
    VERSIONS,
    Announce,
    Complaint,
    Digest,
    Frame,
    Hello,
    Items,
    Packets,
    Petition,
    Reconcile,
    RingDifference,
    RingWanted,
    Steer,
    Stemmed,
    Want,
    version_in_common,
)
from .gate import Gate, inspect
from .genesis import Genesis
from .holdings import Holdings
from .injection import Injector
from .intake import Way
from .items import Item, ItemId, Kind
from .links import Conduct, Link
from .mixing import Mixing
from .pace import exponential
from .packets import Content, Packet, unpad_item
from .randomness import Streams
from .reception import Reception
from .relays import Relays
from .renewal import Renewal
from .ringtalk import RingTalk
from .spreading import GATHERING_S, Neighbour, Situation, Stemming, Strategy
from .store import PACKET_EPOCHS
from .suite import Real, Suite
from .views import View, Views
from .wire import Message

__all__ = ["LATE_HOPS", "PACKET_EPOCHS", "Engine"]

#: An item out of a packet is announced after so many hops' mean delays, and as many again on average: the flood of its
#: packet has reached everybody within four, and within twelve where a tenth drop what they can.
LATE_HOPS: Final = 20
#: The guard is one friend for so many days, and up to so many more.
GUARD_DAYS_MIN: Final = 7
GUARD_DAYS_EXTRA: Final = 23
#: What we open ourselves comes over no link.
OURSELVES: Final = LinkId(0)
_DAY_S: Final = 86_400


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
        self._holdings = holdings or Holdings(genesis)
        self.roster = self._holdings.roster
        self.store = self._holdings.store
        self.relay_book = self._holdings.relay_book
        suite = suite or Real()
        self.author = Author(genesis, suite, random.stream("authoring"), secret)
        self._mesh_id = genesis.mesh_id
        self._random = random
        self._carrying = random.stream("carriage")
        self._onions = onions and secret is not None
        self._carriage = Carriage(strategy or Stemming(), self.store.is_packet)
        self._agenda = self._carriage.agenda
        self._relays = Relays(suite)
        self._relay_secrets = random.stream("relay keys")
        self._renewal = Renewal(genesis, self._relays, random.stream("renewal"))
        self._injector = Injector(
            genesis,
            suite,
            secret or b"",
            self.author.key or b"",
            self.author.slots,
            self.roster.ring_at,
            random.stream("jitter"),
            random.stream("slots"),
        )
        self.mixing = Mixing(genesis, suite, self._holdings, self._injector, self._relays, random)
        self._suite = suite
        self._guard = GuardChosen(seed=b"", until_day=0)
        self._friends: set[FriendId] = set()
        self._admissions = Admissions(self.author, self.roster)
        self._views = Views()
        self._links: dict[LinkId, Link] = {}
        self._neighbours: list[Neighbour] = []
        self._conduct: dict[FriendId, Conduct] = {}
        self._events: deque[Event] = deque()
        self._outgoing: list[tuple[LinkId, bytes]] = []
        self._codec = codec or Codec()
        self._reception = Reception(genesis, self._holdings, self._codec, self)
        self._ring_talk = RingTalk(self._holdings, self._reception, random)
        self._epoch = genesis.epoch_at(now)
        self._epoch_ends_at = genesis.start_of(self._epoch + 1)
        self._digest_sent: View | None = None
        self._touched: set[LinkId] = set()
        """Links with which something has happened since the last ``_settle``."""
        self._links_at = math.inf
        """When the first of the links has something to do."""
        self._is_stirred = True
        """Whether anything has happened but that friends announced what we have or asked for it, and that we did.

        If not, nothing but the carriage's steps is due at another time than was last found out, and nothing follows.
        """
        self._other_at = 0.0
        """When anything but a step of the carriage is due."""
        self._viewed_version = -1
        """The versions of roster and relay book, summed, of which friends know our view."""

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
    ) -> None:
        """Takes back what earlier durable events said, before any link opens. All of it is trusted.

        ``rings`` are the keys of the rings that were kept (``RingKept``). Onions that were held back when the node
        ended are opened again among the ``packets``.
        """
        self._is_stirred = True
        self._holdings.restore(items, rings, packets)
        for purpose, epoch, slot in slots:
            self.author.slots.mark(purpose, epoch, slot)
        self._relays.restore(relay_keys, spent)
        self._guard = guard or self._guard
        for row in outbox:
            self.author.restore(row)
            if row.item_id in self.store:
                self._events.extend(self.author.published(row.item_id))
        self._start_epoch(now)
        for packet in self.store.packets_apart():
            self.mixing.opened(packet, now)
        self._settle(now)

    # Friends.

    def friend_added(self, friend: FriendId) -> None:
        """A friendship that both sides have confirmed."""
        self._friends.add(friend)

    def friend_removed(self, friend: FriendId) -> None:
        """The driver closes the links of a friend that it removes."""
        self._friends.discard(friend)
        self._views.forget(friend)
        self._conduct.pop(friend, None)
        self._admissions.friend_removed(friend)

    def sponsor(self, friend: FriendId) -> None:
        """We invited this friend to the mesh, and will admit one key that it petitions for."""
        self._admissions.sponsor(friend)

    def petition_to(self, friend: FriendId) -> None:
        """This friend invited us to the mesh; it is asked to admit us until we are in the roster."""
        self._admissions.petition_to(friend)
        self._petition(self._links.values())

    # Links.

    def link_opened(self, link: LinkId, friend: FriendId, now: float) -> None:
        self._is_stirred = True
        nonce = self._random.randbytes(32)
        self._links[link] = opened = Link(link, friend, nonce, self._outgoing, self._codec.encode)
        self._reception.link_opened(link)
        self._touched.add(link)
        opened.send(Hello(versions=list(VERSIONS), mesh_id=self._mesh_id, nonce=nonce))
        self._settle(now)

    def link_closed(self, link: LinkId, now: float) -> None:
        """Also to be called after ``LinkRefused``, or not; a link that is gone already is no error."""
        if link in self._links:
            self._is_stirred = True
            self._forget_link(link)
            self._settle(now)

    def receive(self, link: LinkId, frame: bytes, now: float) -> None:
        """Takes a frame that a friend sent. Never raises, whatever the bytes."""
        opened = self._links.get(link)
        if opened is None:
            return
        try:
            self._dispatch(opened, self._codec.decode_untrusted(frame), now)
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
        first_at = min(self._links_at, self._epoch_ends_at)
        for at in (
            self._reception.timer(),
            self._ring_talk.timer(),
            self.mixing.wakes_at() if self._onions else None,
            self._renewal.timer() if self._onions else None,
        ):
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
        if now >= self._epoch_ends_at:
            self._start_epoch(now)
        if (at := self._reception.timer()) is not None and at <= now:
            self._reception.handle_timer(now)
        if (at := self._ring_talk.timer()) is not None and at <= now:
            self._ring_talk.handle_timer(self._links, self._neighbours, self._epoch, now)
        if self._links_at <= now:
            for link in list(self._links.values()):
                if link.due_at <= now:
                    self._serve(link, now)
        if self._onions:
            self._mix(now)

    def _serve(self, link: Link, now: float) -> None:
        """Does what has become due for one link."""
        self._touched.add(link.link_id)
        if link.catch_up:
            self._send_all(link, link.catch_up.handle_timer(now))
        self._announce(link, link.backlog.step(self.store, now))
        self._send_wanted(link, now)

    def frames_to_send(self) -> list[tuple[LinkId, bytes]]:
        """Frames to send, in order for each link; each is returned once."""
        frames = self._outgoing[:]
        self._outgoing.clear()
        return frames

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # Posting.

    def gate(self, now: float) -> Gate:
        """Whether we may post now, and if not, why."""
        epoch = self.genesis.epoch_at(now)
        ring = self.roster.ring_at(epoch)
        return inspect(
            genesis=self.genesis,
            now=now,
            eligible_at=self._eligible_at(epoch, ring),
            ring=ring,
            friend_count=len(self._friends),
            relay_keys=self.relay_book.eligible(epoch),
            relay_root=self.relay_book.root(epoch),
            views=self._views.current(self._friends, epoch),
            secrets_left=self.author.slots.left_count(
                Purpose.POST, epoch, self.genesis.parameters.secrets_per_epoch
            ),
        )

    def _eligible_at(self, epoch: int, ring: Ring | None) -> int | None:
        """The epoch from which our key stands in the ring; a mesh beyond its limit has members without a place."""
        key = self.author.key
        at = self.roster.eligible_at(key) if key is not None else None
        if at is not None and at <= epoch and ring is not None and key not in ring.keys:
            return None
        return at

    def publish(self, item: Draft, now: float) -> ItemId:
        """Publishes a secret. Durable once the events of this call are.

        Raises ``PostRefused`` if the gate is closed, ``LocalError`` if the text will not do.
        """
        gate = self.gate(now)
        if gate.obstacles:
            raise PostRefused(gate.obstacles)
        epoch = self.genesis.epoch_at(now)
        ring = self.roster.ring_at(epoch)
        assert ring is not None, "an open gate has a ring"
        self._is_stirred = True
        item_id, events = self.author.write(item, ring, epoch)
        self._events.extend(events)
        self._settle(now)
        return item_id

    def proof_made(self, item_id: ItemId, proof: bytes, now: float) -> None:
        """Answers ``ProofWanted``."""
        self._is_stirred = True
        injected = self._injector.finish(item_id, proof)
        finished = self.author.finish(item_id, proof) if injected is None else None
        if injected is not None:
            packet, bare = injected
            self._carriage.injected(packet, bare, self._situation(now))
        elif finished is not None:
            self._whole(*finished, now)
        self._settle(now)

    def _whole(self, item: Item, ring: Ring, now: float) -> None:
        """An item of ours is signed. Where onions can carry it, it waits for one, and is kept when it comes back."""
        if not self._onions and item.kind is not Kind.ADMISSION:
            self._events.extend(self.mixing.publish_openly(item, now))
        elif item.kind is Kind.ADMISSION and not self.mixing.can_hide(now):
            self.accept(item, None, now, ring)
        else:
            row = self.author.row(item.item_id)
            self.mixing.outbox.put(item, now, sent_count=row.sent_count if row is not None else 0)

    def verified(self, batch_id: int, held: list[bool], now: float) -> None:
        """Answers ``VerifyWanted``: whether each proof of the batch holds."""
        self._is_stirred = True
        ring, batch = self._reception.finish(batch_id)
        for arrival, holds in zip(batch, held, strict=True):
            if not holds:
                self._reception.failed(arrival, Fault.INVALID_PROOF, now)
            elif arrival.way is Way.STEM:
                assert isinstance(arrival.item, Packet)
                self._carriage.stemmed(arrival.item, arrival.link, self._situation(now))
            else:
                if isinstance(arrival.item, Packet):
                    self._open(arrival.item, arrival.link, now)
                else:
                    self.accept(arrival.item, arrival.link, now, ring, arrival.way)
                self._reception.done(arrival.item.item_id)
        self._settle(now)

    # What friends say.

    def _dispatch(self, link: Link, frame: Frame, now: float) -> None:
        if link.catch_up is None and not isinstance(frame, Hello | Complaint):
            raise RemoteError(Fault.UNEXPECTED, "a frame before the hello")
        # Two frames in three are announcements, and most of those tell nothing new.
        if isinstance(frame, Announce):
            item_ids = cast(list[ItemId], frame.item_ids)
            link.knows(item_ids)
            if self._reception.announced(link.link_id, item_ids):
                self._is_stirred = True
        elif isinstance(frame, Want):
            link.answers.want(cast(list[ItemId], frame.item_ids))
            self._send_wanted(link, now)
            if link.answers:
                self._is_stirred = True
                self._touched.add(link.link_id)
        else:
            self._is_stirred = True
            self._dispatch_rare(link, frame, now)

    def _dispatch_rare(self, link: Link, frame: Frame, now: float) -> None:
        match frame:
            case Packets():
                self.mixing.tally.packets_in_count += len(frame.packets)
                self._reception.packets_came(link.link_id, frame.packets, now)
            case Stemmed():
                self.mixing.tally.packets_in_count += 1
                self.mixing.tally.stems_in_count += 1
                is_known_from = self._carriage.is_known_from
                self._reception.take_stem(frame.packet, link.link_id, now, is_known_from)
            case Hello():
                self._greet(link, frame, now)
            case Complaint():
                self._events.append(Complained(link=link.link_id, fault=Fault.of(frame.fault), ours=True))
            case Digest():
                # What they call the epoch is their affair; a report does not keep longer for it.
                epoch = min(frame.epoch, self._epoch)
                self._views.report(link.friend, epoch, (frame.ring_root, frame.relay_root))
            case Items():
                self._reception.items_came(link.link_id, frame.items, now)
            case Steer():
                self._carriage.told(ItemId(frame.packet_id), link.link_id, frame.word, self._situation(now))
            case Reconcile():
                self._reconcile(link, frame, now)
            case RingWanted():
                self._announce(link, self._ring_talk.wanted(link, frame, now))
            case RingDifference():
                self._ring_talk.came(frame, now)
            case Petition():
                self._petitioned(link, frame, now)

    def _greet(self, link: Link, hello: Hello, now: float) -> None:
        if hello.mesh_id != self._mesh_id:
            raise RemoteError(Fault.WRONG_MESH, "a friend of another mesh")
        version = version_in_common(hello.versions)
        if link.ready or hello.nonce == link.nonce:
            raise RemoteError(Fault.UNEXPECTED, "a second hello")
        link.version = version
        self._touched.add(link.link_id)
        link.catch_up = CatchUp(self.store, self._random, link.nonce < hello.nonce, now)
        self._neighbours.append(Neighbour(link=link.link_id, friend=link.friend))
        self._send_all(link, link.catch_up.handle_timer(now))
        view = self._view()
        if view is not None:
            link.send(Digest(epoch=self._epoch, ring_root=view[0], relay_root=view[1]))
        self._petition([link])

    def _view(self) -> View | None:
        """The ring and the relay keys that we would post with now."""
        ring = self.roster.ring_at(self._epoch)
        return (ring.root, self.relay_book.root(self._epoch)) if ring is not None else None

    def _send_wanted(self, link: Link, now: float) -> None:
        for frame, item_ids in link.answers.frames(self.store, now):
            link.send(frame)
            link.knows(item_ids)
            self.mixing.tally.packets_out_count += len(item_ids) if isinstance(frame, Packets) else 0

    def accept(
        self, item: Item, source: LinkId | None, now: float, ring: Ring | None, way: Way = Way.ASKED
    ) -> None:
        """Keeps an item that holds, over this ring if it has one, and announces it."""
        members = self.roster.version
        events = self._holdings.keep(item, ring)
        if events is None:
            return
        self._events.extend(events)
        # Whether or not it waits to leave: before a restart it may have left already, and be proved again by now.
        self.mixing.item_came(item.item_id)
        self._events.extend(self.author.published(item.item_id))
        delay_s = GATHERING_S
        if way is Way.CARRIED:
            # At once it would run ahead of its packet and show where that was opened; later it helps who missed that.
            late_s = LATE_HOPS * self.mixing.pace(now).hop_s
            delay_s = late_s + exponential(late_s, self._carrying.random())
        links = tuple(neighbour.link for neighbour in self._neighbours if neighbour.link != source)
        self._carriage.announce(item.item_id, links, delay_s, now)
        if self.roster.version != members:
            self._roster_changed(now)

    # Packets.

    def _open(self, packet: Packet, source: LinkId, now: float) -> None:
        """Keeps a packet that holds and spreads it; what it says to us or to everybody is heard."""
        events = self._holdings.keep_packet(packet)
        if events is None:
            return
        self._is_stirred = True
        self._events.extend(events)
        self.mixing.tally.packets_kept_count += 1
        self._carriage.opened(packet, source if source != OURSELVES else None, self._situation(now))
        if self._onions:
            self.mixing.opened(packet, now)
        if packet.content is Content.ITEM:
            try:
                item = Item.decode_untrusted(unpad_item(packet.payload))
                self._reception.take(item, source, now, Way.CARRIED)
            except RemoteError:
                return  # Its injector is to blame, and nobody knows who that is.

    def _situation(self, now: float) -> Situation:
        return Situation(
            neighbours=self._neighbours,
            guard_seed=self._guard.seed,
            epoch=self._epoch,
            relay_day=self.genesis.parameters.relay_day_at(self._epoch),
            pace=self.mixing.pace(now),
            random=self._carrying,
            now=now,
        )

    def _mix(self, now: float) -> None:
        """Lets the own clock tick and makes the relay keys that are due."""
        at = self._renewal.timer()
        for relay_day in self._renewal.due(now) if at is not None and at <= now else ():
            secret, _ = self._suite.relay_keypair(self._relay_secrets.randbytes)
            made = RelayKeyMade(relay_day=relay_day, epoch=self._epoch, secret=secret)
            self._relays.add(made)
            self._events.append(made)
            self._publish_relay_keys()
        at = self.mixing.wakes_at()
        if at is not None and at <= now:
            self._events.extend(self.mixing.handle_timer(now, lambda: self.gate(now).agreed))

    def _publish_relay_keys(self) -> None:
        """Starts the records of our relay keys that are neither known to the mesh nor under way."""
        today = self.genesis.parameters.relay_day_at(self._epoch)
        for made in (self._relays.key(today), self._relays.key(today + 1)):
            if made is None:
                continue
            ring = self._injector.ring(made.epoch)
            public = self._relays.public(made.relay_day)
            waiting = self.mixing.is_leaving(public) or self.author.is_writing(public)
            if ring is not None and not waiting and not self.relay_book.knows(made.relay_day, public):
                self.author.write_relay_key(made.relay_day, public, made.epoch, ring)

    # The roster, and the rings that are not known.

    def _roster_changed(self, now: float) -> None:
        self._events.append(RosterChanged(member_count=len(self.roster)))
        self._reception.retry(None, now)
        self.author.resume(self.roster, self.mixing.outbox)
        self._admit(now)

    # Admission.

    def _petition(self, links: Iterable[Link]) -> None:
        for link in links:
            petition = self._admissions.petition_for(link.friend) if link.ready else None
            if petition is not None:
                link.send(petition)

    def _petitioned(self, link: Link, frame: Petition, now: float) -> None:
        # If the key is admitted already the record is what the newcomer waits for.
        self._announce(link, self._ring_talk.records_of({frame.key}))
        if self._admissions.petitioned(link.friend, frame):
            self._admit(now)

    def _admit(self, now: float) -> None:
        items, events = self._admissions.admit(self._epoch, self.mixing.leaving_admissions())
        self._events.extend(events)
        for item in items:
            self.accept(item, None, now, None)

    # Time.

    def _start_epoch(self, now: float) -> None:
        self._epoch = self.genesis.epoch_at(now)
        self._epoch_ends_at = self.genesis.start_of(self._epoch + 1)
        parameters = self.genesis.parameters
        floor = self._epoch - parameters.item_lifetime_epochs
        today = parameters.relay_day_at(self._epoch)
        packet_floor = self._epoch - PACKET_EPOCHS
        for purpose, epoch in self.author.slots.forget_before(floor, packet_floor):
            self._events.append(SlotsForgotten(purpose=purpose, epoch=epoch))
        self._events.extend(self.author.expire(floor))
        self._events.extend(
            self._holdings.expire(
                item_epoch=floor,
                relay_epoch=today * parameters.relay_day_epochs,
                packet_epoch=packet_floor,
            )
        )
        self._events.extend(self._relays.forget_before(today - 1))
        self._injector.forget_before(packet_floor)
        self.mixing.expire(self.store)
        self.author.resume(self.roster, self.mixing.outbox)
        if self._onions and self._injector.ring(self._epoch) is not None:
            self.mixing.start(now)
            self._renewal.plan(now)
            self._publish_relay_keys()
        self._choose_guard(now)
        if self._onions:
            self._mix(now)
        self._digest_sent, self._viewed_version = None, -1
        self._admit(now)
        self._petition(self._links.values())

    def _choose_guard(self, now: float) -> None:
        day = int(now // _DAY_S)
        if day >= self._guard.until_day:
            until = day + GUARD_DAYS_MIN + self._carrying.randrange(GUARD_DAYS_EXTRA + 1)
            self._guard = GuardChosen(seed=self._carrying.randbytes(32), until_day=until)
            self._events.append(self._guard)

    # Everything that follows from what was just done.

    def _settle(self, now: float) -> None:
        if self._agenda.next_at <= now:
            self._carry(now)
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
        if self.roster.version + self.relay_book.version != self._viewed_version:
            self._show_view()
        if self._touched:
            self._time_links()

    def _show_view(self) -> None:
        """Tells friends our view of ring and relay keys when it has changed, and at the start of each epoch."""
        self._viewed_version = self.roster.version + self.relay_book.version
        view = self._view()
        if view is not None and view != self._digest_sent:
            self._digest_sent = view
            for link in self._links.values():
                if link.ready:
                    link.send(Digest(epoch=self._epoch, ring_root=view[0], relay_root=view[1]))

    def _time_links(self) -> None:
        for link_id in self._touched:
            if (touched := self._links.get(link_id)) is not None:
                touched.find_due()
        self._touched.clear()
        self._links_at = min((link.due_at for link in self._links.values()), default=math.inf)

    def _carry(self, now: float) -> None:
        """Takes the steps of the carriage that are due."""
        announced: dict[LinkId, list[ItemId]] = {}
        while self._agenda.next_at <= now:
            for action in self._carriage.due(self._links, lambda: self._situation(now), announced, now):
                match action:
                    case Handed(link, packet):
                        self._links[link].send(Stemmed(packet=packet.encoding))
                        self.mixing.tally.packets_out_count += 1
                    case Opened(packet):
                        self._open(packet, OURSELVES, now)
                    case Told(link, packet_id, word):
                        self._links[link].send(Steer(packet_id=packet_id, word=word))
        for link_id, item_ids in announced.items():
            told = self._links[link_id]
            known, packets, store = told.known, self.store.packets, self.store
            new = [
                item_id
                for item_id in item_ids
                if item_id not in known and (item_id in packets or item_id in store)
            ]
            if new:
                self._announce(told, new)

    def _announce(self, link: Link, item_ids: list[ItemId]) -> None:
        if 0 < len(item_ids) <= ANNOUNCE_IDS_MAX:
            link.send(Announce(item_ids=cast(list[bytes], item_ids)))
            return
        for start in range(0, len(item_ids), ANNOUNCE_IDS_MAX):
            link.send(Announce(item_ids=list(item_ids[start : start + ANNOUNCE_IDS_MAX])))

    def _reconcile(self, link: Link, frame: Reconcile, now: float) -> None:
        assert link.catch_up is not None
        self._touched.add(link.link_id)
        replies, have = link.catch_up.receive_untrusted(frame, now)
        self._send_all(link, replies)
        link.backlog.add(have)
        self._announce(link, link.backlog.step(self.store, now))

    def _send_all(self, link: Link, frames: Iterable[Message]) -> None:
        for frame in frames:
            link.send(frame)

    def blame(self, link: LinkId, fault: Fault, now: float) -> None:
        """Tells a friend what it did wrong, and parts from one that keeps on."""
        blamed = self._links.get(link)
        if blamed is None:
            return
        self._is_stirred = True
        blamed.send(Complaint(fault=fault))
        self._events.append(Complained(link=link, fault=fault, ours=False))
        if self._conduct.setdefault(blamed.friend, Conduct()).blame(fault, now):
            self._reception.link_refused(link)
            self._forget_link(link)
            self._events.append(LinkRefused(link=link, fault=fault))

    def is_open(self, link: LinkId) -> bool:
        """Whether the link is still there."""
        return link in self._links

    def _forget_link(self, link: LinkId) -> None:
        del self._links[link]
        self._touched.add(link)
        self._neighbours = [neighbour for neighbour in self._neighbours if neighbour.link != link]
        self._reception.link_closed(link)
