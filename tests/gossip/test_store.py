"""The store: what is held, in what order it goes, and that records stay."""

import pytest

from rumor.gossip import store as store_module
from rumor.gossip.bodies import AdmissionBody, Kind, SecretBody
from rumor.gossip.genesis import BYTES_PER_EPOCH_MAX, Parameters
from rumor.gossip.items import Item
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet
from rumor.gossip.store import PACKET_EPOCHS, PACKETS, PACKETS_SIZE_MAX, RECORDS, TRANSIENT, ItemStore


def secret(epoch: int, number: int = 0) -> Item:
    body = SecretBody(
        slot=number,
        text="x" * 100,
        style=0,
        thread_nonce=bytes(32),
        reply_key=bytes(32),
        retraction=bytes(32),
    )
    return Item(Kind.SECRET, epoch, body, (bytes(33), bytes(33)), bytes(700), bytes(32))


def record(epoch: int) -> Item:
    body = AdmissionBody(slot=0, key=bytes(33), possession=bytes(64))
    return Item(Kind.ADMISSION, epoch, body, (bytes(33),), bytes(700), bytes(32))


def test_secrets_expire_and_records_stay() -> None:
    store = ItemStore(Parameters())
    items = [secret(3), secret(4), secret(5), record(3)]
    for item in items:
        store.add(item)
    assert store.expire(TRANSIENT, 5) == items[:2]
    assert store.floor(TRANSIENT) == 5
    assert len(store) == 2
    assert [len(kept) for kept in store.sets] == [1, 1, 0, 0]
    assert list(store.records()) == [items[3]]
    assert store.expire(TRANSIENT, 4) == []
    assert store.floor(TRANSIENT) == 5, "the floor never falls"


def test_what_is_too_much_goes_by_whole_epochs_oldest_first() -> None:
    """So that the floor says all that a friend need know about what is missing."""
    one = len(secret(3).encoding)
    store = ItemStore(Parameters(), size_max=5 * one)
    items = [secret(3 + number // 3, number) for number in range(9)]
    for item in items:
        store.add(item)
    assert store.too_large(TRANSIENT)
    dropped = store.expire(TRANSIENT, 0)
    assert {item.item_id for item in dropped} == {item.item_id for item in items[:6]}
    assert store.floor(TRANSIENT) == 5
    assert not store.too_large(TRANSIENT)
    assert store.size == sum(len(item.encoding) for item in items[6:])


def test_adding_twice_counts_once_and_removing_undoes_it() -> None:
    store = ItemStore(Parameters())
    for _ in range(2):
        store.add(secret(3))
    assert store.size == len(secret(3).encoding)
    assert secret(3).item_id in store
    store.remove(secret(3).item_id)
    assert (store.size, len(store), len(store.sets[TRANSIENT]), len(store.sets[RECORDS])) == (0, 0, 0, 0)


def packets(epoch: int, count: int) -> list[Packet]:
    return [
        Packet(Content.ONION, epoch, 0, bytes(32), number.to_bytes(33, "big"), bytes(PAYLOAD_SIZE))
        for number in range(count)
    ]


@pytest.mark.parametrize("bytes_per_day", [200_000_000, 1_000_000_000])
def test_there_is_room_for_four_epochs_at_the_mesh_s_budget(
    bytes_per_day: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fixed limit a mesh with a large budget would drop the packets of the present epoch as the oldest ones."""
    parameters = Parameters(epoch_s=60, bytes_per_day=bytes_per_day)
    monkeypatch.setattr(store_module, "PACKETS_SIZE_MIN", 0)
    store = ItemStore(parameters)
    count = parameters.bytes_per_epoch // 4_096
    for epoch in range(10, 10 + PACKET_EPOCHS):
        for packet in packets(epoch, count):
            store.add(packet)
    assert not store.too_large(PACKETS)
    for packet in packets(10 + PACKET_EPOCHS, count):
        store.add(packet)
    assert len(store.expire(PACKETS, 10)) == count
    assert store.floor(PACKETS) == 11


def test_no_mesh_holds_more_packets_than_memory_has_room_for() -> None:
    parameters = Parameters(bytes_per_day=24 * BYTES_PER_EPOCH_MAX)
    assert parameters.bytes_per_epoch == BYTES_PER_EPOCH_MAX
    assert ItemStore(parameters)._shelves[PACKETS]._size_max == PACKETS_SIZE_MAX
