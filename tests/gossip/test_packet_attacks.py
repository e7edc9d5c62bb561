"""What a bad friend or a bad member can do with packets, onions and relay keys: get refused, and harm nobody else."""

import os
from dataclasses import replace

import msgspec
import pytest
from fakenet import (
    MIXING,
    FakeNetwork,
    Peer,
    Puppet,
    Seeded,
    garbled,
    packet_of,
    relay_key_item,
    secret_item,
    small_mesh,
)

from rumor.crypto import canonical, onion
from rumor.crypto.membership import Ring
from rumor.crypto.onion import Command, Payload
from rumor.gossip.drafts import Draft
from rumor.gossip.errors import Fault
from rumor.gossip.events import LinkId, VerifyWanted
from rumor.gossip.frames import Announce, Items, Packets, Steer, Stemmed, Want
from rumor.gossip.genesis import Parameters
from rumor.gossip.intake import Way
from rumor.gossip.items import Item
from rumor.gossip.links import FAULTS_MAX
from rumor.gossip.pace import Pace
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet, pad_item
from rumor.gossip.stems import STEMS_WAITING_MAX, VAIN_STEMS_BURST_COUNT
from rumor.gossip.store import PACKET_EPOCHS

#: Nothing ticks for two hours, so that nearly all packets are the test's.
STILL = msgspec.structs.replace(
    MIXING, bytes_per_day=1_000_000, epoch_s=1_000, relay_day_epochs=40, relay_keys_min=0
)


#: The base point: a key like any other.
GOOD_KEY = b"\x09" + bytes(31)


def mesh(
    parameters: Parameters = STILL, *, onions: bool = False
) -> tuple[FakeNetwork, list[Peer], Peer, Puppet]:
    """A line of four honest friends; a member with a bad mind, and its node, a friend of the second of them.

    Without ``onions`` the honest say nothing of their own.
    """
    network, peers = small_mesh(5, parameters, onions=onions, strategy="stem")
    *honest, member = peers
    network.crash(member)
    del network.peers[member.name]
    mallory = network.add_puppet("mallory", honest[1])
    network.run(5 * parameters.epoch_s)
    mallory.heard.clear()
    return network, honest, member, mallory


def faults(peer: Peer) -> list[Fault | None]:
    """What this node has complained of."""
    return [complaint.fault for complaint in peer.complaints]


def give(mallory: Puppet, victim: Peer, *packets: Packet) -> None:
    """Announces packets and hands them over as though they had been asked for."""
    mallory.say(victim, Announce(item_ids=[packet.item_id for packet in packets]))
    for packet in packets:
        mallory.say(victim, Packets(packets=[packet.encoding]))


def onion_for(
    network: FakeNetwork, *owners: Peer, content: bytes = b"x", command: Command = Command.ITEM
) -> bytes:
    """An onion over today's keys of these."""
    day = network.genesis.parameters.relay_day_at(network.genesis.epoch_at(network.now))
    route = [owner.engine.mixing.relays.public(day) for owner in owners]
    return onion.wrap(route, Payload(command=command, content=content), os.urandom)


def with_keys(network: FakeNetwork, peers: list[Peer]) -> None:
    """All have a relay key for today, which nobody uses yet."""
    day = network.genesis.parameters.relay_day_at(network.genesis.epoch_at(network.now))
    assert all(day in peer.disk.relay_keys for peer in peers)


def holders(peers: list[Peer], packet: Packet | Item) -> list[bool]:
    return [packet.item_id in peer.engine.store for peer in peers]


def assert_only_mallory_is_blamed(peers: list[Peer]) -> None:
    assert not any(peer.complaints or peer.refused for index, peer in enumerate(peers) if index != 1)


def assert_a_post_arrives(network: FakeNetwork, peers: list[Peer], text: str = "still here") -> None:
    """The honest are served as before."""
    for _ in range(60):
        if not peers[0].engine.gate(network.now).obstacles:
            break
        network.run(5.0)
    peers[0].engine.publish(Draft(text=text), network.now)
    network.drain(peers[0])
    for _ in range(60):
        network.run(5.0)
        if all(text in peer.texts() for peer in peers):
            return
    raise AssertionError("a post that did not arrive")


# Packets.


def test_a_packet_of_another_size_is_malformed_and_counted() -> None:
    _, peers, _, mallory = mesh()
    for size in (0, 4_095, 4_097):
        for frame in (Stemmed(packet=bytes(size)), Packets(packets=[bytes(size)])):
            mallory.say(peers[1], frame)
    assert faults(peers[1]) == [Fault.MALFORMED] * 6


@pytest.mark.parametrize(
    ("ahead", "is_taken"), [(2, False), (1, True), (-PACKET_EPOCHS, True), (-PACKET_EPOCHS - 1, False)]
)
@pytest.mark.parametrize("by_stem", [False, True])
def test_a_packet_of_a_wrong_epoch_goes_no_further_and_is_no_misdeed(
    ahead: int, is_taken: bool, by_stem: bool
) -> None:
    """Clocks and queues differ; four epochs back and one ahead is all that is put up with."""
    network, peers, member, mallory = mesh()
    packet = packet_of(
        network, member, bytes(PAYLOAD_SIZE), epoch=network.genesis.epoch_at(network.now) + ahead
    )
    if by_stem:
        mallory.say(peers[1], Stemmed(packet=packet.encoding))
    else:
        give(mallory, peers[1], packet)
    assert faults(peers[1]) == ([] if is_taken else [Fault.WRONG_EPOCH])
    network.run(400.0)
    assert holders(peers, packet) == [is_taken] * 4
    assert peers[1].refused == []


@pytest.mark.parametrize("by_stem", [False, True])
def test_a_slot_beyond_the_quota_is_refused_and_the_last_one_within_is_not(by_stem: bool) -> None:
    network, peers, member, mallory = mesh()
    ring = member.engine.roster.ring_at(network.genesis.epoch_at(network.now))
    quota = Pace.of(STILL, ring.size).packets_per_epoch
    beyond, last = (packet_of(network, member, bytes(PAYLOAD_SIZE), slot=slot) for slot in (quota, quota - 1))
    for packet in (beyond, last):
        if by_stem:
            mallory.say(peers[1], Stemmed(packet=packet.encoding))
        else:
            give(mallory, peers[1], packet)
    assert faults(peers[1]) == [Fault.OVER_QUOTA]
    network.run(400.0)
    assert holders(peers, beyond) == [False] * 4
    assert holders(peers, last) == [True] * 4
    assert_only_mallory_is_blamed(peers)


def test_a_small_ring_of_one_s_choosing_gives_no_more_slots() -> None:
    """In a young mesh a member may name a ring of two, and two have many more slots than a hundred have each."""
    network, peers = small_mesh(8, STILL, onions=True, strategy="stem")
    mallory = network.add_puppet("mallory", peers[1])
    member = peers[-1]
    two = Ring([peers[0].engine.author.key, member.engine.author.key])
    peers[1].engine.roster.rings.remember(two)
    fair, generous = (Pace.of(STILL, size).packets_per_epoch for size in (4, 2))
    assert generous > fair
    last, beyond = (
        packet_of(network, member, bytes(PAYLOAD_SIZE), slot=slot, ring=two) for slot in (fair - 1, fair)
    )
    give(mallory, peers[1], last, beyond)
    assert holders(peers[1:2], last) + holders(peers[1:2], beyond) == [True, False]
    assert faults(peers[1]) == [Fault.WRONG_RING]


def test_of_two_packets_in_one_slot_one_is_left_everywhere_and_no_third_is_taken() -> None:
    network, peers, member, mallory = mesh()
    packets = sorted(
        (packet_of(network, member, number.to_bytes(PAYLOAD_SIZE, "big")) for number in range(6)),
        key=lambda packet: packet.message_hash,
        reverse=True,
    )
    for packet in packets:
        give(mallory, peers[1], packet)
        network.run(100.0)
    assert faults(peers[1]) == [Fault.SLOT_TAKEN] * 4
    assert [holders(peers, packet) for packet in packets] == [[False] * 4, [True] * 4, *[[False] * 4] * 4]
    assert_only_mallory_is_blamed(peers)
    give(mallory, peers[1], packets[0])
    assert len(peers[0].disk.packets) == 1


def test_a_packet_that_nobody_asked_for_is_refused() -> None:
    network, peers, member, mallory = mesh()
    packet = packet_of(network, member, bytes(PAYLOAD_SIZE))
    mallory.say(peers[1], Packets(packets=[packet.encoding]))
    assert faults(peers[1]) == [Fault.UNEXPECTED]
    assert holders(peers, packet) == [False] * 4


def test_a_proof_that_does_not_hold_is_blamed_and_keeps_the_packet_out_of_nowhere() -> None:
    """The id covers no proof: the right one is taken from the next friend."""
    network, peers, member, mallory = mesh()
    packet = packet_of(network, member, bytes(PAYLOAD_SIZE))
    bad = replace(packet, proof=packet.proof[:-1] + bytes([packet.proof[-1] ^ 1]))
    assert bad.item_id == packet.item_id
    give(mallory, peers[1], bad)
    mallory.say(peers[1], Stemmed(packet=bad.encoding))
    assert faults(peers[1]) == [Fault.INVALID_PROOF] * 2
    other = network.add_puppet("other", peers[1])
    give(other, peers[1], packet)
    network.run(100.0)
    assert holders(peers, packet) == [True] * 4
    assert other.complaints == []


def test_a_flipped_bit_anywhere_in_a_packet_is_refused() -> None:
    """In its onion as in its head: the injector's proof covers every byte that is not the proof's own."""
    network, peers, member, _ = mesh()
    packet = packet_of(network, member, os.urandom(PAYLOAD_SIZE))
    for at in (1, 9, 13, 80, 600, 1_021, 1_100, 4_095):
        data = bytearray(packet.encoding)
        data[at] ^= 1
        other = network.add_puppet(f"other {at}", peers[1])
        other.say(peers[1], Stemmed(packet=bytes(data)))
        network.settle()
        assert len(other.complaints) == 1, at
    network.run(400.0)
    assert peers[0].disk.packets == {}


# Stems.


def test_a_stem_over_a_ring_that_nobody_knows_goes_no_further() -> None:
    network, peers, member, mallory = mesh()
    packet = replace(packet_of(network, member, bytes(PAYLOAD_SIZE)), ring_root=b"?" * 32)
    mallory.say(peers[1], Stemmed(packet=packet.encoding))
    network.run(400.0)
    assert holders(peers, packet) == [False] * 4
    assert peers[2].sent["frames"] > 0
    assert faults(peers[1]) == []


def test_stems_that_wait_for_a_verifier_have_a_limit_for_each_friend() -> None:
    network, peers, member, mallory = mesh()
    asked: list[VerifyWanted] = []
    network._answer = lambda peer, wanted: asked.append(wanted)  # type: ignore[method-assign]
    other = network.add_puppet("other", peers[1])
    for number in range(2 * STEMS_WAITING_MAX):
        packet = packet_of(network, member, bytes(PAYLOAD_SIZE))
        payload = number.to_bytes(PAYLOAD_SIZE, "big")
        mallory.say(peers[1], Stemmed(packet=replace(packet, payload=payload).encoding))
    link = next(link for link, (there, _) in peers[1].links.items() if there is mallory.peer)
    assert peers[1].engine._reception._intake.count(link) == STEMS_WAITING_MAX
    other.say(peers[1], Stemmed(packet=packet.encoding))
    assert len(peers[1].engine._reception._intake) == STEMS_WAITING_MAX + 1


@pytest.mark.parametrize("kind", ["on its stem", "open", "too old", "over no ring", "beyond the other"])
def test_stems_that_come_to_nothing_are_put_up_with_for_a_while_only(kind: str) -> None:
    """Each costs us work that no proof pays for; and one in a second is what any friend may send by mistake."""
    network, peers, member, mallory = mesh()
    epoch = network.genesis.epoch_at(network.now)
    old = {"epoch": epoch - PACKET_EPOCHS - 1} if kind == "too old" else {}
    one, other = (packet_of(network, member, bytes([each]) * PAYLOAD_SIZE, **old) for each in range(2))
    packet = max(one, other, key=lambda each: each.message_hash)
    if kind == "open":
        give(mallory, peers[1], packet)
    elif kind == "over no ring":
        packet = replace(packet, ring_root=b"?" * 32)
    elif kind == "beyond the other":
        give(mallory, peers[1], min(one, other, key=lambda each: each.message_hash))
    forgiven = {"too old": Fault.WRONG_EPOCH, "beyond the other": Fault.SLOT_TAKEN}.get(kind)
    spared = 1 if kind == "on its stem" else 0
    for _ in range(VAIN_STEMS_BURST_COUNT + spared):
        mallory.say(peers[1], Stemmed(packet=packet.encoding))
    for _ in range(20):
        network.now += 1.0
        mallory.say(peers[1], Stemmed(packet=packet.encoding))
    assert set(faults(peers[1])) == ({forgiven} if forgiven else set())
    assert peers[1].refused == []
    for _ in range(FAULTS_MAX + 1):
        mallory.say(peers[1], Stemmed(packet=packet.encoding))
    assert len(peers[1].refused) == 1
    assert faults(peers[1])[-1] is Fault.UNEXPECTED


def test_a_word_that_the_stem_does_not_know_is_refused_whether_we_hold_the_packet_or_not() -> None:
    network, peers, member, mallory = mesh()
    packet = packet_of(network, member, bytes(PAYLOAD_SIZE))
    mallory.say(peers[1], Stemmed(packet=packet.encoding))
    for packet_id in (packet.item_id, b"?" * 32):
        mallory.say(peers[1], Steer(packet_id=packet_id, word=b"up"))
    assert faults(peers[1]) == [Fault.UNEXPECTED] * 2


def test_a_packet_on_its_stem_is_told_to_nobody_and_asked_for_like_any_other() -> None:
    """Whoever hands one over learns nothing from asking for it or announcing it."""
    network, peers, member, mallory = mesh()
    packet = packet_of(network, member, bytes(PAYLOAD_SIZE))
    other = network.add_puppet("other", peers[1])
    mallory.say(peers[1], Stemmed(packet=packet.encoding))
    assert packet.item_id in peers[1].engine._carriage._private
    for spy in (mallory, other):
        spy.heard.clear()
        spy.say(peers[1], Want(item_ids=[packet.item_id]))
        assert spy.heard_of(Packets) == []
    network.settle()
    other.say(peers[1], Announce(item_ids=[packet.item_id]))
    network.run(0.1)
    (want,) = other.heard_of(Want)
    assert want.item_ids == [packet.item_id]


# Onions.


def test_an_onion_with_a_flipped_bit_floods_and_is_opened_by_nobody() -> None:
    """Its injector's proof holds, so nobody is to blame; and the relay it was for passes it over like all others."""
    network, peers, member, mallory = mesh(onions=True)
    with_keys(network, peers)
    whole = onion_for(network, peers[3], peers[2])
    packets = []
    for slot, bit in enumerate((0, 31 * 8, 40 * 8, 60 * 8, onion.ONION_SIZE * 8 - 1)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        packets.append(packet_of(network, member, bytes(data), slot=slot))
        give(mallory, peers[1], packets[-1])
    network.run(3_000.0)
    assert [holders(peers, packet) for packet in packets] == [[True] * 4] * 5
    assert all(peer.disk.spent == {} for peer in peers)
    assert faults(peers[1]) == []


def test_a_replayed_onion_is_relayed_once_also_after_a_restart() -> None:
    network, peers, member, mallory = mesh(onions=True)
    with_keys(network, peers)
    data = onion_for(network, peers[3], peers[2], command=Command.DROP)
    first, second = (packet_of(network, member, data, slot=slot) for slot in range(2))
    give(mallory, peers[1], first, second)
    network.run(400.0)
    assert [holders(peers, packet) for packet in (first, second)] == [[True] * 4] * 2
    network.run(6 * Pace.of(STILL, 5).relay_delay_s)
    assert peers[3].engine.mixing.tally.relayed_count == 1
    network.crash(peers[3])
    network.restart(peers[3])
    network.befriend(peers[2], peers[3])
    give(mallory, peers[1], third := packet_of(network, member, data))
    network.run(400.0)
    assert holders(peers, third) == [True] * 4
    network.run(6 * Pace.of(STILL, 5).relay_delay_s)
    assert peers[3].engine.mixing.tally.relayed_count == 0


def test_an_onion_for_a_key_whose_grace_is_over_is_opened_by_nobody() -> None:
    """The secret half is erased, from the disk too."""
    network, peers, member, mallory = mesh(onions=True)
    with_keys(network, peers)
    old = network.genesis.parameters.relay_day_at(network.genesis.epoch_at(network.now))
    data = onion_for(network, peers[3], command=Command.DROP)
    day_s = STILL.relay_day_epochs * STILL.epoch_s
    network.run(2 * day_s)
    assert all(old not in peer.disk.relay_keys for peer in peers)
    give(mallory, peers[1], packet := packet_of(network, member, data))
    network.run(Pace.of(STILL, 5).relay_delay_s)
    assert holders(peers, packet) == [True] * 4
    assert not any(day == old for peer in peers for day, _ in peer.disk.spent)
    assert faults(peers[1]) == []


def test_what_a_relay_finds_in_an_onion_is_published_only_if_it_could_be_an_item() -> None:
    network, peers, member, mallory = mesh(onions=True)
    with_keys(network, peers)
    old = secret_item(network, member, "from tomorrow", epoch=network.genesis.epoch_at(network.now) + 2)
    for slot, content in enumerate((b"rubbish", b"", old.encoding)):
        packet = packet_of(network, member, onion_for(network, peers[3], content=content), slot=slot)
        give(mallory, peers[1], packet)
    network.run(Pace.of(STILL, 5).relay_delay_s * 12)
    assert len(peers[3].disk.spent) == 3
    assert peers[3].engine.mixing.tally.relayed_count == 0


# Items out of packets.


def bare(network: FakeNetwork, member: Peer, item: Item, slot: int = 0) -> Packet:
    return packet_of(network, member, pad_item(item.encoding), content=Content.ITEM, slot=slot)


def test_an_item_that_does_not_hold_in_a_packet_that_does_costs_no_friend_anything() -> None:
    """Its packet's injector is to blame, and nobody knows who that is; whoever hands the packet on cannot be."""
    network, peers, member, mallory = mesh()
    lies = [
        garbled(secret_item(network, member, "a lie")),
        secret_item(network, member, "a slot too many", slot=STILL.secrets_per_epoch),
        secret_item(network, member, "tomorrow's", epoch=network.genesis.epoch_at(network.now) + 2),
        relay_key_item(network, member, bytes(32)),
    ]
    packets = [bare(network, member, lie, slot) for slot, lie in enumerate(lies)]
    for packet in packets:
        give(mallory, peers[1], packet)
    network.run(400.0)
    assert [holders(peers, packet) for packet in packets] == [[True] * 4] * 4
    assert [holders(peers, lie) for lie in lies] == [[False] * 4] * 4
    assert faults(peers[1]) == []
    assert not any(peer.complaints or peer.refused for peer in peers)


def test_what_only_a_later_version_reads_is_carried_and_nobodys_fault() -> None:
    """A kind that is not known here, or a text that another table of Unicode allows: else versions would part."""
    network, peers, member, mallory = mesh()
    packets = [
        packet_of(network, member, pad_item(encoding), content=Content.ITEM, slot=slot)
        for slot, encoding in enumerate((encode_kind(9), b"rubbish"))
    ]
    give(mallory, peers[1], packets[0])
    mallory.say(peers[1], Stemmed(packet=packets[1].encoding))
    network.run(400.0)
    assert [holders(peers, packet) for packet in packets] == [[True] * 4] * 2
    assert not any(peer.complaints for peer in peers)


def encode_kind(kind: int) -> bytes:
    return canonical.encode([1, kind, 1_000, [], [], bytes(64), bytes(32)])


def test_a_packet_whose_item_is_no_length_and_zeros_is_malformed() -> None:
    """Everybody can see that, so whoever hands it on is to blame."""
    network, peers, member, mallory = mesh()
    packet = packet_of(network, member, bytes(PAYLOAD_SIZE), content=Content.ITEM)
    give(mallory, peers[1], packet)
    mallory.say(peers[1], Stemmed(packet=packet.encoding))
    assert faults(peers[1]) == [Fault.MALFORMED] * 2


def test_a_copy_over_an_invented_ring_does_not_keep_an_item_out() -> None:
    """The last relay may publish what it opened with another ring; the author's next onion brings the right one."""
    network, peers, member, mallory = mesh()
    item = secret_item(network, member, "suppress me")
    give(mallory, peers[1], bare(network, member, replace(item, ring_root=b"?" * 32)))
    network.settle()
    assert holders(peers[1:2], item) == [False]
    give(mallory, peers[1], bare(network, member, item, slot=1))
    network.settle()
    assert holders(peers[1:2], item) == [True]


@pytest.mark.parametrize("by_packet", [True, False])
def test_a_wrong_copy_that_is_being_verified_does_not_keep_the_right_one_out(by_packet: bool) -> None:
    """Neither what comes in another packet meanwhile nor what was asked for."""
    network, peers, member, mallory = mesh()
    item = secret_item(network, member, "hurry")
    waiting: list[VerifyWanted] = []
    answer = network._answer
    network._answer = lambda peer, wanted: waiting.append(wanted)  # type: ignore[method-assign]
    peers[1].engine._reception.take(garbled(item), LinkId(0), network.now, Way.CARRIED)
    peers[1].engine.handle_timer(network.now)
    if by_packet:
        peers[1].engine._reception.take(item, LinkId(0), network.now, Way.CARRIED)
        peers[1].engine.handle_timer(network.now)
    else:
        mallory.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
    network.drain(peers[1])
    network._answer = answer  # type: ignore[method-assign]
    assert len(waiting) == 2
    for wanted in waiting:
        network._answer(peers[1], wanted)
    assert holders(peers[1:2], item) == [True]
    assert faults(peers[1]) == []


# Relay keys.


@pytest.mark.parametrize(
    ("key", "epochs", "days", "fault"),
    [
        (bytes(32), 0, 0, Fault.INVALID_PROOF),
        (b"\x01" + bytes(31), 0, 0, Fault.INVALID_PROOF),
        (b"\xff" * 32, 0, 0, Fault.INVALID_PROOF),
        (GOOD_KEY, 0, 2, Fault.OVER_QUOTA),
        (GOOD_KEY, 0, -1, Fault.WRONG_EPOCH),
        (GOOD_KEY, 2, 0, Fault.WRONG_EPOCH),
        (GOOD_KEY, -5, -1, Fault.WRONG_EPOCH),
        (GOOD_KEY, 0, 0, None),
        (GOOD_KEY, 0, 1, None),
        (GOOD_KEY, -5, 0, None),
    ],
    ids=[
        "of order 4",
        "of order 1",
        "not canonical",
        "of a day too far",
        "of the day before",
        "of the future",
        "of a day that is over",
        "of today",
        "of tomorrow",
        "made yesterday",
    ],
)
def test_a_relay_key_needs_a_good_key_and_its_day(
    key: bytes, epochs: int, days: int, fault: Fault | None
) -> None:
    network, peers, member, mallory = mesh()
    network.run(38_000.0)
    epoch = network.genesis.epoch_at(network.now)
    day = STILL.relay_day_at(epoch)
    assert STILL.relay_day_at(epoch - 5) == day - 1
    item = relay_key_item(network, member, key, relay_day=day + days, epoch=epoch + epochs)
    mallory.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
    assert faults(peers[1]) == ([fault] if fault else [])
    network.settle()
    assert holders(peers, item) == [fault is None] * 4


def test_a_relay_key_without_a_proof_is_refused() -> None:
    network, peers, member, mallory = mesh()
    item = garbled(relay_key_item(network, member, GOOD_KEY))
    mallory.say(peers[1], Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
    assert faults(peers[1]) == [Fault.INVALID_PROOF]
    assert holders(peers, item) == [False] * 4


def test_a_member_with_two_relay_keys_for_a_day_has_none_anywhere() -> None:
    """Two halves of the mesh hear of another one first; in the end all agree, and a third changes nothing."""
    network, peers, member, mallory = mesh()
    network.disconnect(peers[1], peers[2])
    other = network.add_puppet("other", peers[3])
    tomorrow = STILL.relay_day_at(network.genesis.epoch_at(network.now)) + 1
    made = [
        relay_key_item(network, member, bytes([number]) + bytes(31), relay_day=tomorrow)
        for number in (9, 10, 11)
    ]

    def roots() -> set[bytes]:
        return {peer.engine.relay_book.root(tomorrow * STILL.relay_day_epochs) for peer in peers}

    nobody = roots()
    for puppet, victim, item in ((mallory, peers[1], made[0]), (other, peers[3], made[1])):
        puppet.say(victim, Announce(item_ids=[item.item_id]), Items(items=[item.encoding]))
    network.settle()
    assert len(roots()) == 2
    network.connect(peers[1], peers[2])
    network.settle()
    assert roots() == nobody
    mallory.say(peers[1], Announce(item_ids=[made[2].item_id]), Items(items=[made[2].encoding]))
    network.settle()
    assert roots() == nobody
    assert [holders(peers, item) for item in made] == [[True] * 4, [True] * 4, [False] * 4]


# At line rate.


@pytest.mark.parametrize("what", ["stems", "packets", "announcements", "old stems", "rubbish"])
def test_junk_at_line_rate_ends_with_its_sender_and_an_honest_post_arrives(what: str) -> None:
    network, peers, _, mallory = mesh(MIXING, onions=True)
    source = Seeded("junk")
    for round_number in range(60):
        epoch = network.genesis.epoch_at(network.now)
        ring = peers[1].engine.roster.ring_at(epoch)
        junk = Packet(
            Content.ONION,
            epoch,
            round_number % 8,
            ring.root,
            source.randbytes(ring.size * 99),
            source.randbytes(PAYLOAD_SIZE),
        )
        frames = {
            "stems": [Stemmed(packet=junk.encoding)],
            "packets": [Announce(item_ids=[junk.item_id]), Packets(packets=[junk.encoding])],
            "announcements": [Announce(item_ids=[source.randbytes(32) for _ in range(500)])],
            "old stems": [Stemmed(packet=replace(junk, epoch=epoch - 50).encoding)],
            "rubbish": [source.randbytes(500)],
        }[what]
        mallory.say(peers[1], *frames)
    is_fault = what not in ("announcements", "old stems")
    assert bool(peers[1].refused) is is_fault
    if is_fault:
        assert len(peers[1].complaints) == FAULTS_MAX
        assert not peers[1].engine._reception._intake
    assert_a_post_arrives(network, peers)
    assert_only_mallory_is_blamed(peers)
