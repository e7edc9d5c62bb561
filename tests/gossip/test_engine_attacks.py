"""What a bad friend can do to an engine: nothing to what other friends bring, and little to the engine."""

import hashlib

import msgspec
import pytest
from fakenet import (
    EASY,
    FakeNetwork,
    Peer,
    Puppet,
    admission_item,
    garbled,
    secret_item,
    signed,
    small_mesh,
)

from rumor.crypto import canonical, labels, membership, possession
from rumor.crypto.membership import Ring
from rumor.gossip import frames
from rumor.gossip.bodies import Kind
from rumor.gossip.drafts import Draft
from rumor.gossip.errors import Fault, LocalError
from rumor.gossip.events import VerifyWanted
from rumor.gossip.frames import (
    WANT_IDS_MAX,
    Announce,
    Complaint,
    Digest,
    Hello,
    Items,
    Petition,
    RingDifference,
    RingWanted,
    Want,
)
from rumor.gossip.items import Item
from rumor.gossip.links import FAULTS_MAX
from rumor.gossip.ringsearch import ASK_DELAY_S, ASK_INTERVAL_S, PARKED_BY_LINK_MAX
from rumor.gossip.wire import encode


def mesh_with_mallory(count: int = 3, **changes: object) -> tuple[FakeNetwork, list[Peer], Puppet]:
    """A line of honest friends, and Mallory, a friend of the one in the middle."""
    network, peers = small_mesh(count, msgspec.structs.replace(EASY, **changes))
    mallory = network.add_puppet("mallory", peers[1])
    network.settle()
    mallory.heard.clear()
    return network, peers, mallory


def hand_over(mallory: Puppet, victim: Peer, *items: Item) -> None:
    """Announces items, and sends them at once."""
    mallory.say(victim, Announce(item_ids=[item.item_id for item in items]))
    mallory.say(victim, Items(items=[item.encoding for item in items]))


def test_a_garbled_copy_does_not_keep_the_item_out() -> None:
    """An id covers no proof: whoever sends a wrong proof first is blamed, and the next friend is asked at once."""
    network, peers, mallory = mesh_with_mallory()
    item = secret_item(network, peers[0], "censor me")
    hand_over(mallory, peers[1], garbled(item))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.INVALID_PROOF]
    honest = network.add_puppet("honest", peers[1])
    hand_over(honest, peers[1], item)
    network.settle()
    assert item.item_id in peers[1].engine.store
    assert item.item_id in peers[2].engine.store


def later_item(number: int) -> tuple[bytes, bytes]:
    """The id and the encoding of an item of a kind that a later version might have."""
    named = [1, 99, 100_000, [number, "a picture", b"to", [b"whom"]], [b"t" * 33]]
    item_id = hashlib.sha256(labels.ITEM + canonical.encode(named)).digest()
    return item_id, canonical.encode([*named, b"p" * 200, b"r" * 32])


def test_items_of_a_later_version_are_passed_over_and_asked_for_once() -> None:
    """A friend that was updated before us reconciles all that it holds, and must not be shut out for it."""
    network, peers, friend = mesh_with_mallory()
    later = [later_item(number) for number in range(3 * FAULTS_MAX)]
    friend.say(peers[1], Announce(item_ids=[item_id for item_id, _ in later]))
    friend.say(peers[1], Items(items=[encoding for _, encoding in later]))
    friend.say(peers[1], Announce(item_ids=[item_id for item_id, _ in later]))
    network.settle()
    asked = [item_id for want in friend.heard_of(Want) for item_id in want.item_ids]
    assert sorted(asked) == sorted(item_id for item_id, _ in later)
    assert peers[1].complaints == []
    assert not any(item_id in peers[1].engine.store for item_id, _ in later)


def test_an_item_of_a_later_version_that_nobody_asked_for_is_refused() -> None:
    _, peers, mallory = mesh_with_mallory()
    for number in range(FAULTS_MAX):
        mallory.say(peers[1], Items(items=[later_item(number)[1]]))
    assert len(peers[1].refused) == 1


def test_a_friend_who_announced_meanwhile_is_asked_when_a_copy_does_not_hold() -> None:
    """The honest announcement counts although it came while the bad copy was being looked at."""
    network, peers, mallory = mesh_with_mallory()
    honest = network.add_puppet("honest", peers[1])
    item = secret_item(network, peers[0], "censor me")
    mallory.say(peers[1], Announce(item_ids=[item.item_id]))
    honest.say(peers[1], Announce(item_ids=[item.item_id]))
    mallory.say(peers[1], Items(items=[garbled(item).encoding]))
    network.run(0.1)
    assert honest.heard_of(Want) == [Want(item_ids=[item.item_id])]


def test_announcing_rubbish_takes_no_room_from_others() -> None:
    """A friend that announces without end fills its own share, and an honest announcement still gets asked for."""
    network, peers, mallory = mesh_with_mallory()
    for number in range(90):
        ids = [(number * 512 + index).to_bytes(32, "big") for index in range(512)]
        mallory.say(peers[1], Announce(item_ids=ids))
    secret = peers[0].engine.publish(Draft(text="still heard"), network.now)
    network.drain(peers[0])
    network.settle()
    assert secret in peers[2].engine.store


def test_a_friend_that_is_slow_is_not_blamed_and_its_late_answer_is_taken() -> None:
    """An answer after the deadline is late, not unsolicited."""
    network, peers, mallory = mesh_with_mallory()
    items = [secret_item(network, peers[0], f"slow {slot}", slot=slot) for slot in range(3)]
    mallory.say(peers[1], Announce(item_ids=[item.item_id for item in items]))
    network.run(25.0)
    mallory.say(peers[1], Items(items=[item.encoding for item in items]))
    assert all(item.item_id in peers[1].engine.store for item in items)
    assert peers[1].complaints == []


def test_an_answer_that_another_friend_forestalled_is_not_blamed() -> None:
    """Two friends are asked, one after the other; both answer; neither has done anything wrong."""
    network, peers, slow = mesh_with_mallory()
    quick = network.add_puppet("quick", peers[1])
    item = secret_item(network, peers[0], "twice")
    slow.say(peers[1], Announce(item_ids=[item.item_id]))
    quick.say(peers[1], Announce(item_ids=[item.item_id]))
    network.run(21.0)
    slow.say(peers[1], Items(items=[item.encoding]))
    quick.say(peers[1], Items(items=[item.encoding]))
    assert item.item_id in peers[1].engine.store
    assert peers[1].complaints == []


def test_a_friend_that_leaves_while_another_is_asked_leaves_nothing_behind() -> None:
    """The one asked falls silent and the other announcer has gone: the engine gives the id up without an error."""
    network, peers, mallory = mesh_with_mallory()
    other = network.add_puppet("other", peers[1])
    unknown = b"\x01" * 32
    mallory.say(peers[1], Announce(item_ids=[unknown]))
    other.say(peers[1], Announce(item_ids=[unknown]))
    other.say(peers[1], Announce(item_ids=[b"\x02" * 32]))
    network.disconnect(other.peer, peers[1])
    network.run(50.0)
    assert len(peers[1].engine._reception._wants) == 0


def test_a_bad_ring_root_evicts_no_other_friends_items() -> None:
    """Items over made-up rings wait in their sender's own places."""
    network, peers, mallory = mesh_with_mallory(secrets_per_epoch=1000)
    honest = network.add_puppet("honest", peers[1])
    item = secret_item(network, peers[0], "over a ring you do not know")
    waiting = Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32)
    hand_over(honest, peers[1], waiting)
    rubbish = [
        Item(own.kind, own.epoch, own.body, own.tags, own.proof, slot.to_bytes(32, "big"))
        for slot, own in enumerate(made_up(item, 600))
    ]
    for start in range(0, 600, WANT_IDS_MAX):
        hand_over(mallory, peers[1], *rubbish[start : start + WANT_IDS_MAX])
    assert waiting.item_id in peers[1].engine._reception.searches
    assert len(peers[1].engine._reception.searches) <= 257


def made_up(item: Item, count: int) -> list[Item]:
    """Items like this one with other slots; their proofs hold for none of them."""
    return [
        Item(
            item.kind,
            item.epoch,
            msgspec.structs.replace(item.body, slot=slot),
            item.tags,
            item.proof,
            item.ring_root,
        )
        for slot in range(count)
    ]


def test_a_ring_is_asked_of_others_when_its_sender_keeps_silent() -> None:
    """Whoever sends an item over an unknown ring cannot keep the ring from us by not answering."""
    network, peers, mallory = mesh_with_mallory()
    honest = network.add_puppet("honest", peers[1])
    item = secret_item(network, peers[0], "ring?")
    hand_over(mallory, peers[1], Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32))
    network.run(60.0)
    assert mallory.heard_of(RingWanted)
    assert honest.heard_of(RingWanted)


def test_a_ring_with_another_root_is_a_fault() -> None:
    """Keys that do not hash to the root were made up by whoever sent them, whatever both know of the roster."""
    network, peers, mallory = mesh_with_mallory()
    item = secret_item(network, peers[0], "ring?")
    hand_over(mallory, peers[1], Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32))
    keys = sorted(peers[1].engine.roster)
    for _ in range(FAULTS_MAX):
        mallory.say(peers[1], RingDifference(root=b"\x77" * 32, base_root=b"", added=keys, removed=[]))
    assert [refused.fault for refused in peers[1].refused] == [Fault.MALFORMED]


def test_a_ring_that_cannot_be_judged_yet_is_nobodys_fault() -> None:
    """Keys whose records have not come, and a base that was forgotten meanwhile: it is asked for again."""
    network, peers, friend = mesh_with_mallory()
    item = secret_item(network, peers[0], "ring?")
    hand_over(friend, peers[1], Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32))
    unknown = membership.keypair()[1]
    for _ in range(2 * FAULTS_MAX):
        friend.say(
            peers[1],
            RingDifference(root=b"\x77" * 32, base_root=b"", added=[unknown], removed=[]),
            RingDifference(root=b"\x77" * 32, base_root=b"\x66" * 32, added=[], removed=[]),
        )
    assert peers[1].complaints == []
    network.run(20.0)
    assert friend.heard_of(RingWanted)


def test_a_ring_is_answered_as_a_difference_with_its_records() -> None:
    network, peers, friend = mesh_with_mallory()
    ring = peers[1].engine.roster.ring_at(network.genesis.epoch_at(network.now))
    friend.say(peers[1], RingWanted(root=ring.root, base_root=b""), RingWanted(root=bytes(32), base_root=b""))
    network.run(1.0)
    (answer,) = friend.heard_of(RingDifference)
    assert (answer.added, answer.removed, answer.base_root) == (sorted(ring.keys), [], b"")
    (announced,) = friend.heard_of(Announce)
    assert set(announced.item_ids) == {record.item_id for record in peers[1].engine.store.records()}
    friend.heard.clear()
    friend.say(peers[1], RingWanted(root=ring.root, base_root=ring.root))
    network.run(1.0)
    (answer,) = friend.heard_of(RingDifference)
    assert (answer.added, answer.removed, answer.base_root) == ([], [], ring.root)


def test_a_refusal_in_the_middle_of_a_search_does_not_disturb_it() -> None:
    """The ring that is found is too small, its sender is refused for it, and the other items that it sent go too."""
    network, peers, mallory = mesh_with_mallory(members_min=4)
    item = secret_item(network, peers[0], "small")
    for _ in range(FAULTS_MAX - 1):
        mallory.say(peers[1], b"rubbish")
    ring = peers[1].engine.roster.ring_at(item.epoch)
    find, peers[1].engine._reception.ring_of = peers[1].engine._reception.ring_of, lambda item: None
    hand_over(mallory, peers[1], item)
    other = Item(
        item.kind, item.epoch, msgspec.structs.replace(item.body, slot=1), item.tags, item.proof, bytes(32)
    )
    hand_over(mallory, peers[1], other)
    peers[1].engine._reception.ring_of = lambda item: ring if item.ring_root == ring.root else find(item)
    network.run(2.0)
    assert [refused.fault for refused in peers[1].refused] == [Fault.SMALL_RING]
    assert len(peers[1].engine._reception.searches) == 0


def test_unsolicited_items_are_refused() -> None:
    network, peers, mallory = mesh_with_mallory()
    item = secret_item(network, peers[0], "who asked")
    mallory.say(peers[1], Items(items=[item.encoding]))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.UNEXPECTED]
    assert item.item_id not in peers[1].engine.store


def test_nothing_but_a_hello_may_come_first() -> None:
    network, peers, mallory = mesh_with_mallory()
    network.disconnect(mallory.peer, peers[1])
    network.connect(mallory.peer, peers[1])
    mallory.say(peers[1], Announce(item_ids=[b"\x01" * 32]))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.UNEXPECTED]
    assert len(peers[1].engine._reception._wants) == 0


@pytest.mark.parametrize("what", ["another mesh", "another version", "a second hello", "our own nonce"])
def test_a_hello_that_will_not_do_is_refused(what: str) -> None:
    network, peers, mallory = mesh_with_mallory()
    good = Hello(versions=[1], mesh_id=network.genesis.mesh_id, nonce=b"\xfe" * 32)
    if what != "a second hello":
        network.disconnect(mallory.peer, peers[1])
        network.connect(mallory.peer, peers[1])
    link = next(iter(peers[1].engine._links.values()))
    link = next(opened for opened in peers[1].engine._links.values() if opened.friend == b"mallory")
    hello, fault = {
        "another mesh": (msgspec.structs.replace(good, mesh_id=b"x" * 32), Fault.WRONG_MESH),
        "another version": (msgspec.structs.replace(good, versions=[2, 3]), Fault.WRONG_VERSION),
        "a second hello": (good, Fault.UNEXPECTED),
        "our own nonce": (msgspec.structs.replace(good, nonce=link.nonce), Fault.UNEXPECTED),
    }[what]
    mallory.say(peers[1], hello)
    assert [complaint.fault for complaint in peers[1].complaints] == [fault]
    assert (what in ("another mesh", "another version")) == bool(peers[1].refused)


def test_a_friend_that_keeps_on_is_refused_and_a_new_link_is_no_clean_slate() -> None:
    _, peers, mallory = mesh_with_mallory()
    for _ in range(FAULTS_MAX - 1):
        mallory.say(peers[1], b"rubbish")
    assert peers[1].refused == []
    mallory.say(peers[1], b"rubbish")
    assert [refused.fault for refused in peers[1].refused] == [Fault.MALFORMED]
    mallory.connect(peers[1])
    assert len(peers[1].refused) == 1
    mallory.say(peers[1], b"rubbish")
    assert len(peers[1].refused) == 2


def test_a_fault_now_and_then_is_forgotten() -> None:
    """An honest friend whose queue drops half a reconciliation every few minutes stays."""
    network, peers, mallory = mesh_with_mallory()
    for _ in range(5 * FAULTS_MAX):
        mallory.say(peers[1], b"rubbish")
        network.run(90.0)
    assert peers[1].refused == []


def test_a_refused_friends_other_items_are_not_looked_at() -> None:
    """After eight proofs that do not hold, the rest of what the friend sent costs nothing more."""
    network, peers, _ = mesh_with_mallory(secrets_per_epoch=1000)
    engine = peers[1].engine
    link = next(opened.link_id for opened in engine._links.values() if opened.friend == b"mallory")
    rubbish = made_up(secret_item(network, peers[0], "once"), 2 * WANT_IDS_MAX)
    engine.receive(link, encode(Announce(item_ids=[item.item_id for item in rubbish])), network.now)
    engine.frames_to_send()
    for start in (0, WANT_IDS_MAX):
        part = rubbish[start : start + WANT_IDS_MAX]
        engine.receive(link, encode(Items(items=[item.encoding for item in part])), network.now)
    batches = []
    while (event := engine.next_event()) is not None:
        batches += [event] if isinstance(event, VerifyWanted) else []
    assert len(engine._reception._intake) == 2 * WANT_IDS_MAX
    engine.verified(batches[0].batch_id, [False] * len(batches[0].jobs), network.now)
    assert len(engine._reception._intake) == len(batches[1].jobs)


def test_an_item_that_has_lost_already_is_not_verified() -> None:
    """What gives way to an item that is held costs no verifier anything, and is asked for no more."""
    network, peers, mallory = mesh_with_mallory()
    items = [secret_item(network, peers[0], text) for text in ("one", "two")]
    winner, loser = sorted(items, key=lambda item: item.message_hash)
    hand_over(mallory, peers[1], winner)
    hand_over(mallory, peers[1], garbled(loser))
    assert peers[1].complaints == []
    network.run(1.0)
    mallory.heard.clear()
    mallory.say(peers[1], Announce(item_ids=[loser.item_id]))
    network.run(1.0)
    assert mallory.heard_of(Want) == []


def test_records_are_asked_for_however_much_waits_for_them() -> None:
    """A friend has sent all that may wait for an unknown ring, and has more: the record comes first all the same."""
    network, peers, friend = mesh_with_mallory(secrets_per_epoch=1000)
    items = [
        Item(own.kind, own.epoch, own.body, own.tags, own.proof, b"\x77" * 32)
        for own in made_up(secret_item(network, peers[0], "over an unknown ring"), 800)
    ]
    by_id = {item.item_id: item for item in items}
    link = next(link for link, (there, _) in peers[1].links.items() if there is friend.peer)
    for start in range(0, len(items), 400):
        friend.say(peers[1], Announce(item_ids=list(by_id)[start : start + 400]))
    while wants := friend.heard_of(Want) or (not network.run(0.1) and friend.heard_of(Want)):
        friend.heard.clear()
        for want in wants:
            friend.say(peers[1], Items(items=[by_id[item_id].encoding for item_id in want.item_ids][:45]))
            friend.say(peers[1], Items(items=[by_id[item_id].encoding for item_id in want.item_ids][45:90]))
            friend.say(peers[1], Items(items=[by_id[item_id].encoding for item_id in want.item_ids][90:]))
    assert peers[1].engine._reception.searches.count(link) == PARKED_BY_LINK_MAX, (
        "no more was asked than may wait"
    )
    record = admission_item(network, peers[0], membership.keypair()[0])
    friend.say(peers[1], Announce(item_ids=[record.item_id]))
    network.run(1.0)
    assert friend.heard_of(Want) == [Want(item_ids=[record.item_id])]


@pytest.mark.parametrize("slot", [4, 2**32 - 1])
def test_a_slot_outside_the_quota_is_refused(slot: int) -> None:
    network, peers, mallory = mesh_with_mallory()
    item = secret_item(network, peers[0], "greedy", slot=slot)
    hand_over(mallory, peers[1], item)
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.OVER_QUOTA]
    assert item.item_id not in peers[1].engine.store


def test_an_item_from_the_future_is_refused_now_and_taken_when_its_time_comes() -> None:
    """The refusal of an early item does not stick to its id, and is nobody's fault."""
    network, peers, mallory = mesh_with_mallory()
    epoch = network.genesis.epoch_at(network.now) + 2
    item = secret_item(network, peers[0], "tomorrow", epoch=epoch)
    for _ in range(2 * FAULTS_MAX):
        hand_over(mallory, peers[1], item)
    assert item.item_id not in peers[1].engine.store
    assert peers[1].refused == []
    network.run(15.0)
    hand_over(mallory, peers[1], item)
    assert item.item_id in peers[1].engine.store


def test_an_expired_item_is_refused_for_good() -> None:
    network, peers, mallory = mesh_with_mallory(item_lifetime_epochs=3)
    item = secret_item(network, peers[0], "late")
    network.run(50.0)
    hand_over(mallory, peers[1], item)
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.WRONG_EPOCH]
    network.run(1.0)
    mallory.heard.clear()
    mallory.say(peers[1], Announce(item_ids=[item.item_id]))
    network.run(1.0)
    assert mallory.heard_of(Want) == []


def test_a_secret_over_a_ring_below_the_meshs_minimum_is_refused() -> None:
    network, peers, mallory = mesh_with_mallory(members_min=4)
    item = secret_item(network, peers[0], "three is no crowd")
    hand_over(mallory, peers[1], item)
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.SMALL_RING]
    assert item.item_id not in peers[1].engine.store


def test_an_admission_without_possession_is_refused() -> None:
    """A member may not admit a key that nobody holds, however well it proves its own membership."""
    network, peers, mallory = mesh_with_mallory()
    body = admission_item(network, peers[0], membership.keypair()[0]).body
    other = possession.prove_possession(membership.keypair()[0], network.genesis.mesh_id)
    epoch = network.genesis.epoch_at(network.now)
    ring = peers[0].engine.roster.ring_at(epoch)
    forged = signed(
        network, peers[0].secret, ring, Kind.ADMISSION, epoch, msgspec.structs.replace(body, possession=other)
    )
    hand_over(mallory, peers[1], forged)
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.INVALID_PROOF]
    assert body.key not in peers[1].engine.roster


def test_a_petition_without_possession_is_refused() -> None:
    network, peers, mallory = mesh_with_mallory()
    peers[1].engine.sponsor(mallory.peer.friend_id)
    key = membership.keypair()[1]
    other = possession.prove_possession(membership.keypair()[0], network.genesis.mesh_id)
    mallory.say(peers[1], Petition(key=key, possession=other))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.INVALID_PROOF]
    assert peers[1].engine.author.petition_count == 0


def test_only_the_founder_signs_admissions_plainly() -> None:
    """A plain signature of any other key is refused, and another friend's copy of the record is taken."""
    network, peers, mallory = mesh_with_mallory()
    newcomer = membership.keypair()[0]
    body = admission_item(network, peers[0], newcomer, slot=5).body
    epoch = network.genesis.epoch_at(network.now)
    unsigned = Item(Kind.ADMISSION, epoch, body, (), b"", b"")
    digest = possession.founder_digest(network.genesis.mesh_id, unsigned.message)
    forged, true = (
        Item(2, epoch, body, (), possession.sign(secret, digest), b"")
        for secret in (peers[1].secret, network.founder_secret)
    )
    hand_over(mallory, peers[1], forged)
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.INVALID_PROOF]
    assert membership.public_key(newcomer) not in peers[1].engine.roster
    hand_over(mallory, peers[1], true)
    assert membership.public_key(newcomer) in peers[1].engine.roster


def test_only_a_friend_whom_we_invited_may_petition_and_for_one_key() -> None:
    network, peers, mallory = mesh_with_mallory(founding_size=3)
    secrets = [membership.keypair()[0] for _ in range(2)]
    petitions = [
        Petition(
            key=membership.public_key(secret),
            possession=possession.prove_possession(secret, network.genesis.mesh_id),
        )
        for secret in secrets
    ]
    mallory.say(peers[1], petitions[0])
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.UNEXPECTED]
    peers[1].engine.sponsor(mallory.peer.friend_id)
    network.proving = False
    mallory.say(peers[1], petitions[0], petitions[1])
    network.proving = True
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.UNEXPECTED] * 2
    network.run(40.0)
    mallory.say(peers[1], petitions[1])
    network.run(40.0)
    assert membership.public_key(secrets[1]) not in peers[1].engine.roster


def test_an_invitation_admits_one_key() -> None:
    """Once its key is in the roster, the same friend is a stranger to us as far as admissions go."""
    network, peers, mallory = mesh_with_mallory()
    engine = peers[0].engine
    engine.friend_added(mallory.peer.friend_id)
    engine.sponsor(mallory.peer.friend_id)
    mallory.connect(peers[0])
    for number in range(2):
        secret = membership.keypair()[0]
        proof = possession.prove_possession(secret, network.genesis.mesh_id)
        mallory.say(peers[0], Petition(key=membership.public_key(secret), possession=proof))
        network.run(30.0)
        assert (membership.public_key(secret) in engine.roster) == (number == 0)
    assert [complaint.fault for complaint in peers[0].complaints] == [Fault.UNEXPECTED]


def test_a_newcomer_that_does_not_know_yet_may_ask_again() -> None:
    """A petition for a key that is admitted already is answered with its record, and blamed on nobody."""
    network, peers, mallory = mesh_with_mallory()
    secret = membership.keypair()[0]
    petition = Petition(
        key=membership.public_key(secret),
        possession=possession.prove_possession(secret, network.genesis.mesh_id),
    )
    peers[0].engine.sponsor(mallory.peer.friend_id)
    peers[0].engine.friend_added(mallory.peer.friend_id)
    mallory.connect(peers[0])
    mallory.say(peers[0], petition)
    network.settle()
    assert petition.key in peers[0].engine.roster
    mallory.heard.clear()
    for _ in range(2 * FAULTS_MAX):
        mallory.say(peers[0], petition)
    network.run(1.0)
    assert peers[0].complaints == []
    assert mallory.heard_of(Announce)


def test_a_digest_from_the_far_future_does_not_count() -> None:
    network, peers, mallory = mesh_with_mallory()
    engine = peers[1].engine
    epoch = network.genesis.epoch_at(network.now)
    ring = engine.roster.ring_at(epoch)
    mallory.say(
        peers[1], Digest(epoch=2**48 - 1, ring_root=ring.root, relay_root=engine.relay_book.root(epoch))
    )
    for friend in (peers[0], peers[2]):
        network.disconnect(peers[1], friend)
    agreeing = engine.gate(network.now).agreeing_count
    network.run(25 * 10.0)
    assert (agreeing, engine.gate(network.now).agreeing_count) == (2, 0)


def test_a_style_that_friends_would_refuse_is_refused_here() -> None:
    """Else our own friends would blame us for a post, and our own disk could not be read again."""
    network, peers = small_mesh(2)
    for style in (-1, 64):
        with pytest.raises(LocalError, match="style"):
            peers[0].engine.publish(Draft(text="loud", style=style), network.now)


def test_a_want_with_one_id_many_times_is_answered_once() -> None:
    network, peers, mallory = mesh_with_mallory()
    item_id = peers[1].engine.publish(Draft(text="echo"), network.now)
    network.drain(peers[1])
    network.settle()
    mallory.heard.clear()
    mallory.say(peers[1], Want(item_ids=[item_id] * WANT_IDS_MAX))
    network.run(1.0)
    assert [len(frame.items) for frame in mallory.heard_of(Items)] == [1]


def test_an_item_that_was_wanted_too_early_is_announced_when_it_comes() -> None:
    """A friend that asks for what we do not hold has not been sent it, and is told once we do."""
    network, peers, friend = mesh_with_mallory()
    item = secret_item(network, peers[0], "not yet")
    friend.say(peers[1], Want(item_ids=[item.item_id]))
    hand_over(network.add_puppet("author", peers[1]), peers[1], item)
    network.run(1.0)
    assert friend.heard_of(Announce) == [Announce(item_ids=[item.item_id])]


def test_a_complaint_of_a_later_version_is_noted_and_not_blamed() -> None:
    """A fault whose number we do not know is no known fault; who reports it has done nothing wrong."""
    _, peers, friend = mesh_with_mallory()
    for fault in (Fault.OVER_QUOTA, 200):
        friend.say(peers[1], Complaint(fault=fault))
    assert [(complaint.fault, complaint.ours) for complaint in peers[1].complaints] == [
        (Fault.OVER_QUOTA, True),
        (None, True),
    ]
    for fault in (0, 256):
        friend.say(peers[1], Complaint(fault=fault))
    assert [complaint.fault for complaint in peers[1].complaints[2:]] == [Fault.MALFORMED] * 2


@pytest.mark.parametrize("base_size", [1, 31])
def test_a_root_is_whole_or_missing(base_size: int) -> None:
    _, peers, friend = mesh_with_mallory()
    base = b"\x01" * base_size
    friend.say(peers[1], RingWanted(root=bytes(32), base_root=base))
    friend.say(peers[1], RingDifference(root=bytes(32), base_root=base, added=[], removed=[]))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.MALFORMED] * 2


@pytest.mark.parametrize("field", ["added", "removed"])
@pytest.mark.parametrize("keys", [[b"\x03" * 33, b"\x02" * 33], [b"\x02" * 33] * 2])
def test_the_keys_of_a_difference_strictly_ascend(field: str, keys: list[bytes]) -> None:
    """A difference has one encoding; also where nobody waits for the ring."""
    _, peers, friend = mesh_with_mallory()
    lists = {"added": [], "removed": [], field: keys}
    friend.say(peers[1], RingDifference(root=bytes(32), base_root=b"", **lists))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.MALFORMED]


def test_the_highest_version_in_common_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the order of the lists, both sides choose the same."""
    network, peers, friend = mesh_with_mallory()
    monkeypatch.setattr(frames, "VERSIONS", (1, 2, 3))
    for versions, spoken in (([1], 1), ([2, 1, 9], 2), ([3, 2], 3)):
        network.disconnect(friend.peer, peers[1])
        network.connect(friend.peer, peers[1])
        friend.say(peers[1], Hello(versions=versions, mesh_id=network.genesis.mesh_id, nonce=b"\xfe" * 32))
        link = next(link for link, (there, _) in peers[1].links.items() if there is friend.peer)
        assert peers[1].engine._links[link].version == spoken


def test_a_newcomer_who_lost_to_a_rival_is_answered_and_not_blamed() -> None:
    """We have admitted it and shall not again; that its record does not count is no fault of its own."""
    network, peers, newcomer = mesh_with_mallory()
    secrets = [membership.keypair()[0] for _ in range(2)]
    winner, loser = sorted(
        (admission_item(network, peers[0], secret) for secret in secrets), key=lambda item: item.message_hash
    )
    hand_over(network.add_puppet("other", peers[1]), peers[1], loser, winner)
    assert loser.body.key not in peers[1].engine.roster
    newcomer.heard.clear()
    for _ in range(2 * FAULTS_MAX):
        newcomer.say(peers[1], Petition(key=loser.body.key, possession=loser.body.possession))
    network.run(1.0)
    assert peers[1].complaints == []
    assert Announce(item_ids=[loser.item_id]) in newcomer.heard


def test_a_made_up_root_delays_an_item_by_one_question() -> None:
    """An id covers no root: the next friend that announced the item is asked as soon as the ring was asked in vain."""
    network, peers, liar = mesh_with_mallory(epoch_s=100)
    honest = network.add_puppet("honest", peers[1])
    item = secret_item(network, peers[0], "delay me")
    lie = Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32)
    alone = msgspec.structs.replace(item.body, slot=1)
    only_theirs = Item(item.kind, item.epoch, alone, item.tags, item.proof, b"\x77" * 32)
    hand_over(liar, peers[1], lie, only_theirs)
    honest.say(peers[1], Announce(item_ids=[item.item_id]))
    network.run(ASK_DELAY_S + ASK_INTERVAL_S - 0.1)
    assert honest.heard_of(Want) == []
    network.run(0.2)
    assert honest.heard_of(Want) == [Want(item_ids=[item.item_id])]
    honest.say(peers[1], Items(items=[item.encoding]))
    assert item.item_id in peers[1].engine.store
    assert only_theirs.item_id in peers[1].engine._reception.searches, "nobody else has it, so it waits on"


def test_a_known_ring_that_does_not_fit_delays_an_item_by_one_question() -> None:
    """A ring that we know, but that the item may not name, is no better than one that was made up."""
    network, peers, liar = mesh_with_mallory(epoch_s=100)
    honest = network.add_puppet("honest", peers[1])
    item = secret_item(network, peers[0], "delay me")
    stranger = membership.keypair()[1]
    wrong = Ring([*item_ring(peers[0], item).keys, stranger])
    peers[1].engine.roster.rings.accept(wrong.keys, wrong.root)
    hand_over(liar, peers[1], Item(item.kind, item.epoch, item.body, item.tags, item.proof, wrong.root))
    honest.say(peers[1], Announce(item_ids=[item.item_id]))
    network.run(ASK_DELAY_S + ASK_INTERVAL_S + 0.1)
    assert honest.heard_of(Want) == [Want(item_ids=[item.item_id])]


def test_a_ring_whose_records_are_on_their_way_is_asked_for_once_more() -> None:
    """The friend did answer; that its answer came before the records is no reason to fetch the item anew."""
    network, peers, friend = mesh_with_mallory(epoch_s=100)
    other = network.add_puppet("other", peers[1])
    item = secret_item(network, peers[0], "ring?")
    hand_over(friend, peers[1], Item(item.kind, item.epoch, item.body, item.tags, item.proof, b"\x77" * 32))
    other.say(peers[1], Announce(item_ids=[item.item_id]))
    network.run(2.0)
    unknown = [membership.keypair()[1]]
    friend.say(peers[1], RingDifference(root=b"\x77" * 32, base_root=b"", added=unknown, removed=[]))
    network.run(ASK_INTERVAL_S)
    assert len(friend.heard_of(RingWanted)) == 2
    assert other.heard_of(Want) == []
    network.run(ASK_INTERVAL_S)
    assert other.heard_of(Want) == [Want(item_ids=[item.item_id])]


def item_ring(peer: Peer, item: Item) -> Ring:
    ring = peer.engine.roster.ring_at(item.epoch)
    assert ring is not None
    return ring


@pytest.mark.parametrize("what", ["the bare hash", "another mesh"])
def test_the_founders_signature_is_for_one_purpose_and_one_mesh(what: str) -> None:
    """What the founder's key signs elsewhere, or in another mesh of the same founder, admits nobody here."""
    network, peers, mallory = mesh_with_mallory()
    newcomer = membership.keypair()[0]
    body = admission_item(network, peers[0], newcomer, slot=5).body
    unsigned = Item(Kind.ADMISSION, network.genesis.epoch_at(network.now), body, (), b"", b"")
    digest = {
        "the bare hash": unsigned.message_hash,
        "another mesh": possession.founder_digest(bytes(32), unsigned.message),
    }[what]
    signature = possession.sign(network.founder_secret, digest)
    hand_over(mallory, peers[1], Item(unsigned.kind, unsigned.epoch, body, (), signature, b""))
    assert [complaint.fault for complaint in peers[1].complaints] == [Fault.INVALID_PROOF]
    assert membership.public_key(newcomer) not in peers[1].engine.roster
