"""The whole scheme, from a post to everybody's feed, over onions and stems, with what goes wrong on the way."""

import weakref
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from fakenet import MIXING, FakeNetwork, Peer, Seeded, small_mesh

from rumor.crypto.membership import Purpose
from rumor.gossip.bodies import Kind
from rumor.gossip.carriage import Opened, Told
from rumor.gossip.catchup import INTERVAL_S
from rumor.gossip.drafts import Draft
from rumor.gossip.engine import Engine
from rumor.gossip.errors import Fault
from rumor.gossip.events import LinkId
from rumor.gossip.frames import Announce, Stemmed, decode_frame_untrusted
from rumor.gossip.items import Item, ItemId
from rumor.gossip.packets import Packet
from rumor.gossip.store import PACKETS, RECORDS, RELAY_KEYS, TRANSIENT

DAY_S = MIXING.relay_day_epochs * MIXING.epoch_s


def mesh(count: int = 6, **changes: object) -> tuple[FakeNetwork, list[Peer]]:
    """A ring of friends that has relay keys."""
    network, peers = small_mesh(
        count, msgspec.structs.replace(MIXING, **changes), onions=True, strategy="stem"
    )
    network.befriend(peers[0], peers[-1])
    network.run(70.0)
    assert not peers[0].engine.gate(network.now).obstacles
    return network, peers


def post(network: FakeNetwork, author: Peer, text: str = "I did it") -> bytes:
    item_id = author.engine.publish(Draft(text=text), network.now)
    network.drain(author)
    return item_id


def run_until(network: FakeNetwork, peers: list[Peer], text: str, seconds: float = 240.0) -> None:
    end = network.now + seconds
    while not all(text in peer.texts() for peer in peers):
        assert network.now < end, [text in peer.texts() for peer in peers]
        network.run(2.0)


def state(network: FakeNetwork, peer: Peer) -> tuple[object, ...]:
    epoch = network.genesis.epoch_at(network.now)
    sets = peer.engine.store.sets
    items = {collection: frozenset(sets[collection]) for collection in (RECORDS, TRANSIENT, RELAY_KEYS)}
    ring = peer.engine.roster.ring_at(epoch)
    return items, ring and ring.root, peer.engine.relay_book.root(epoch), frozenset(peer.engine.roster)


def rejoin(network: FakeNetwork, peer: Peer, friends: list[Peer]) -> None:
    network.restart(peer)
    for friend in friends:
        peer.engine.friend_added(friend.friend_id)
        network.connect(peer, friend)


def test_a_post_reaches_everybody_once_and_its_row_goes() -> None:
    network, peers = mesh()
    accepted: Counter[str] = Counter()
    for peer in peers:
        write = peer.disk.keep

        def counted(event: object, write: object = write, name: str = peer.name) -> None:
            if type(event).__name__ == "ItemAccepted" and event.item.kind is Kind.SECRET:  # type: ignore[attr-defined]
                accepted[name] += 1
            write(event)  # type: ignore[operator]

        peer.disk.keep = counted  # type: ignore[method-assign]
    post(network, peers[2])
    assert len(peers[2].disk.outbox) == 1
    run_until(network, peers, "I did it")
    network.run(60.0)
    assert accepted == {peer.name: 1 for peer in peers}
    assert peers[2].disk.outbox == {}
    assert len(peers[2].engine.mixing.outbox) == 0
    assert not any(peer.complaints or peer.refused for peer in peers)


def test_relay_keys_are_renewed_each_day_and_old_secrets_erased() -> None:
    """On each day every member always has a key for today, and posts go through on each of them."""
    network, peers = mesh()
    for number in range(2):
        day = network.genesis.parameters.relay_day_at(network.genesis.epoch_at(network.now))
        assert all(set(peer.disk.relay_keys) <= {day - 1, day, day + 1} for peer in peers)
        assert all(day in peer.disk.relay_keys for peer in peers)
        assert len({peer.engine.relay_book.root(day * 4 + 3) for peer in peers}) == 1
        post(network, peers[number], f"day {number}")
        run_until(network, peers, f"day {number}")
        start = (day + 1) * DAY_S
        network.run(max(1.0, start + 50.0 - network.now))
    assert len(peers[0].engine.relay_book.eligible(network.genesis.epoch_at(network.now))) == len(peers)
    assert all(len(peer.disk.spent) < 400 for peer in peers)


@pytest.mark.parametrize("moment_s", [0.0, 4.0, 15.0])
def test_a_crash_of_the_author_loses_no_post_and_uses_no_slot_twice(moment_s: float) -> None:
    """Before the proof, while it waits for a tick, and while its onion is on its way; the disk asserts the slots."""
    network, peers = mesh()
    network.proving = moment_s > 0.0
    item_id = post(network, peers[2])
    network.run(moment_s)
    network.crash(peers[2])
    network.proving = True
    network.run(5.0)
    rejoin(network, peers[2], [peers[1], peers[3]])
    run_until(network, peers, "I did it", 400.0)
    assert item_id in peers[2].engine.store
    assert peers[2].disk.outbox == {}


def test_a_restart_holds_one_packet_apart_at_a_time() -> None:
    """All of them whole beside their encodings would double what a node takes, for as long as it runs."""
    network, peers = mesh()
    network.crash(peers[0])
    disk, alive = peers[0].disk, list[weakref.ref[Packet]]()
    counts: list[int] = []

    def packets() -> Iterator[Packet]:
        for encoding in disk.packets.values():
            packet = Packet.decode_untrusted(encoding)
            alive.append(weakref.ref(packet))
            counts.append(sum(each() is not None for each in alive))
            yield packet

    engine = Engine(network.genesis, Seeded("again"), network.now, secret=peers[0].secret)
    items = map(Item.decode_untrusted, disk.items.values())
    engine.restore(items=items, slots=[], outbox=[], packets=packets(), now=network.now)
    assert len(counts) > 20
    assert engine.store.packet_count == len(counts)
    assert max(counts) <= 2


def test_relays_that_restart_in_the_middle_relay_what_they_held() -> None:
    """Everybody but the author goes down while the onion is under way, and nothing is relayed twice."""
    network, peers = mesh()
    for number in range(3):
        post(network, peers[2], f"held {number}")
    network.run(9.0)
    for peer in (peers[4], peers[5], peers[0]):
        network.crash(peer)
    network.run(3.0)
    for peer, friends in ((peers[4], [peers[3]]), (peers[5], [peers[4]]), (peers[0], [peers[1], peers[5]])):
        rejoin(network, peer, friends)
    for number in range(3):
        run_until(network, peers, f"held {number}", 400.0)


def test_an_offline_guard_does_not_keep_a_post() -> None:
    """The friend that would be first is not there; the next in the private order is."""
    network, peers = mesh()
    stemmed: Counter[str] = Counter()

    def watch(sender: Peer, receiver: Peer, frame: bytes) -> int:
        if sender is peers[2] and isinstance(decode_frame_untrusted(frame), Stemmed):
            stemmed[receiver.name] += 1
        return 1

    network.copies = watch
    network.run(40.0)
    guard, _ = stemmed.most_common(1)[0]
    network.disconnect(peers[2], network.peers[guard])
    post(network, peers[2])
    run_until(network, peers, "I did it")


def test_a_guard_that_swallows_every_stem_delays_and_no_more() -> None:
    """The embargo floods what has not come back."""
    network, peers = mesh()

    def swallow(sender: Peer, _receiver: Peer, frame: bytes) -> int:
        return 0 if sender is peers[2] and isinstance(decode_frame_untrusted(frame), Stemmed) else 1

    network.copies = swallow
    post(network, peers[2])
    run_until(network, peers, "I did it", 400.0)


def test_posts_arrive_although_a_relay_drops_all_that_it_can() -> None:
    """A member that opens onions and relays none, and hands no stem on: retries go over others."""
    network, peers = mesh(8)
    dropper = peers[5].engine
    dropper.mixing._relay = lambda layer, now: []  # type: ignore[method-assign]

    def drop(sender: Peer, _receiver: Peer, frame: bytes) -> int:
        return 0 if sender is peers[5] and isinstance(decode_frame_untrusted(frame), Stemmed) else 1

    network.copies = drop
    for number in range(4):
        post(network, peers[number], f"through {number}")
    for number in range(4):
        run_until(network, peers, f"through {number}", 600.0)


def test_after_a_partition_all_agree_again_within_two_epochs() -> None:
    """On items, roster and relay keys; what either half posted reaches the other."""
    network, peers = mesh(8)
    network.disconnect(peers[0], peers[7])
    network.disconnect(peers[3], peers[4])
    for half in (peers[0], peers[6]):
        if not half.engine.gate(network.now).obstacles:
            post(network, half, f"from {half.name}")
    network.run(1.5 * DAY_S)
    newcomer = network.add("newcomer")
    network.befriend(peers[1], newcomer, invited=True)
    network.run(30.0)
    states = {repr(state(network, peer)[2]) for peer in peers}
    assert len(states) == 2, "the relay keys of the halves have gone apart"
    network.connect(peers[3], peers[4])
    network.connect(peers[0], peers[7])
    everybody = [*peers, newcomer]
    healed = network.now
    # At any one moment something new may be on its way.
    while any(state(network, peer) != state(network, peers[0]) for peer in everybody):
        assert network.now <= healed + 2 * MIXING.epoch_s
        network.run(1.0)
    assert len(peers[6].engine.roster) == 9
    assert peers[0].texts() == peers[6].texts() == newcomer.texts()
    assert not any(peer.refused for peer in everybody)


def test_lost_frames_cost_time_and_nothing_else() -> None:
    network, peers = mesh()
    network.copies = lambda sender, receiver, frame: 0 if network.random.random() < 0.05 else 1
    post(network, peers[3])
    network.run(60.0)
    network.copies = lambda sender, receiver, frame: 1
    for one, other in zip(peers, [*peers[1:], peers[0]], strict=True):
        network.disconnect(one, other)
        network.connect(one, other)
    run_until(network, peers, "I did it", 400.0)
    ends = network.now + 2 * INTERVAL_S  # What a lost packet carried is found by reconciling.
    while any(state(network, peer) != state(network, peers[0]) for peer in peers):
        assert network.now < ends
        network.run(MIXING.epoch_s)


def test_an_admission_by_proof_travels_in_an_onion_and_its_sponsor_tells_nobody_first() -> None:
    network, peers = mesh(founding_size=6)
    newcomer = network.add("newcomer")
    announced: list[str] = []

    def watch(sender: Peer, _receiver: Peer, frame: bytes) -> int:
        decoded = decode_frame_untrusted(frame)
        records = [
            item.item_id for item in peers[2].engine.mixing.outbox.items() if item.kind is Kind.ADMISSION
        ]
        if isinstance(decoded, Announce) and set(records) & set(decoded.item_ids):
            announced.append(sender.name)
        return 1

    network.copies = watch
    network.befriend(peers[2], newcomer, invited=True)
    network.run(0.5)
    key = newcomer.engine.author.key
    assert len(peers[2].engine.mixing.outbox) == 1
    assert key not in peers[2].engine.roster, "its own sponsor has not heard of it yet"
    for _ in range(100):
        network.run(2.0)
        if all(key in peer.engine.roster for peer in (*peers, newcomer)):
            break
    assert all(key in peer.engine.roster for peer in (*peers, newcomer))
    assert "2" not in announced
    assert len(peers[2].engine.mixing.outbox) == 0


def test_no_node_runs_out_of_slots_and_the_disk_has_what_the_memory_has() -> None:
    network, peers = mesh()
    network.run(60.0)
    for peer in peers:
        assert peer.engine.mixing.tally.blocked_count == 0
        assert peer.engine.mixing.tally.injected_count > 30
        assert all(purpose is Purpose.PACKET for purpose, _, _ in peer.disk.slots)
        assert peer.engine.mixing.loops.lost_count <= 0.1 * peer.engine.mixing.loops.returned_count + 1
        assert peer.disk.packets.keys() == {item_id for _, item_id in peer.engine.store.sets[PACKETS]}
        kept = {
            i
            for collection in (RECORDS, TRANSIENT, RELAY_KEYS)
            for _, i in peer.engine.store.sets[collection]
        }
        assert peer.disk.items.keys() == kept
    ids = [frozenset(peer.disk.packets) for peer in peers]
    assert len(ids[0] & ids[3]) > 0.8 * len(ids[0])


def test_an_item_does_not_run_ahead_of_the_packet_that_carries_it() -> None:
    """Nobody announces it before everybody has it: where and when it started would show, whatever the strategy."""
    network, peers = small_mesh(4, msgspec.structs.replace(MIXING, relay_keys_min=0), strategy="diffusion")
    early: set[bytes] = set()
    late: set[bytes] = set()

    def watch(_sender: Peer, _receiver: Peer, frame: bytes) -> int:
        decoded = decode_frame_untrusted(frame)
        if isinstance(decoded, Announce):
            for item_id in decoded.item_ids:
                (late if all(item_id in peer.engine.store for peer in peers) else early).add(item_id)
        return 1

    network.copies = watch
    item_id = post(network, peers[1])
    run_until(network, peers, "I did it")
    network.run(100.0)
    assert early
    assert item_id not in early
    assert item_id in late


def test_a_friend_from_whom_an_opened_packet_parts_us_is_passed_over() -> None:
    """What was to be sent to it in the same turn is forgotten: a packet may say what makes us refuse a friend."""
    network, peers = small_mesh(3, msgspec.structs.replace(MIXING, relay_keys_min=0), strategy="flood")
    engine = peers[0].engine
    circulation = engine._circulation
    opening = circulation._open
    opened = []

    def parting(packet: Packet, source: LinkId, now: float) -> bool:
        opened.append(packet)
        for link in list(circulation._links):
            engine.blame(link, Fault.WRONG_MESH, now)
        return opening(packet, source, now)

    steps = circulation._carriage.due

    def with_words(*given: object) -> list[object]:
        actions = steps(*given)  # type: ignore[arg-type]
        links = list(circulation._links)
        told = [Told(link, ItemId(bytes(32)), b"\x01\x02\x03") for link in links]
        given[2].update({link: [ItemId(bytes(32))] for link in links})  # type: ignore[attr-defined]
        return [*actions, *told] if any(isinstance(action, Opened) for action in actions) else list(actions)

    circulation._open = parting  # type: ignore[method-assign]
    circulation._carriage.due = with_words  # type: ignore[method-assign, assignment]
    post(network, peers[0])
    network.run(200.0)
    assert opened
