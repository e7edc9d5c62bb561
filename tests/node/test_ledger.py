"""The ledger: what an engine made durable comes back, once, and a disk does not show what it was for."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from rumor.crypto import canonical
from rumor.crypto.membership import Purpose
from rumor.crypto.whispers import CONTENT_SIZE_MAX
from rumor.gossip.authoring import SEEDS_MAX
from rumor.gossip.bodies import Kind, PollBody, RelayKeyBody, SecretBody
from rumor.gossip.events import (
    Event,
    GuardChosen,
    ItemAccepted,
    ItemRemoved,
    LetterKept,
    LettersForgotten,
    LettersRead,
    OnionsForgotten,
    OnionSpent,
    OutboxAdded,
    OutboxRemoved,
    OutboxTurned,
    PacketKept,
    PacketRemoved,
    RelayKeyForgotten,
    RelayKeyMade,
    SeedKept,
    SeedsForgotten,
    SlotsForgotten,
    SlotUsed,
)
from rumor.gossip.items import Item, ItemId
from rumor.gossip.letters import Letter, SealedLetter
from rumor.gossip.packets import PAYLOAD_SIZE, Content, Packet
from rumor.node.ledger import Ledger, Remembered
from rumor.node.outbox_rows import SLOTS_PER_ROW_MAX, OutboxFull, OutboxRows
from rumor.node.storage.database import open_store
from rumor.node.storage.store import OUTBOX_ROW_COUNT, MemoryStore, Put, Store, Table, row_key

KEY = bytes(range(32))


def draft(number: int, *, text: str = "x", sent_count: int = 0) -> OutboxAdded:
    return OutboxAdded(
        item_id=ItemId(number.to_bytes(32, "big")),
        epoch=100,
        body=SecretBody(
            slot=number,
            text=text,
            style=1,
            thread_nonce=bytes(32),
            reply_key=bytes(32),
            retraction=bytes(32),
        ),
        seed=number.to_bytes(32, "little"),
        sent_count=sent_count,
    )


def post(number: int, text: str = "x") -> list[Event]:
    """What a post makes durable."""
    return [SlotUsed(purpose=Purpose.POST, epoch=100, slot=number), draft(number, text=text)]


def packet(number: int) -> Packet:
    payload = number.to_bytes(4, "big") * (PAYLOAD_SIZE // 4 + 1)
    return Packet(Content.ONION, 100, number, bytes(32), bytes(500), payload[:PAYLOAD_SIZE])


def secret(number: int) -> Item:
    nonce = number.to_bytes(32, "big")
    body = SecretBody(slot=0, text="x", style=0, thread_nonce=nonce, reply_key=nonce, retraction=nonce)
    return Item(Kind.SECRET, 100, body, (bytes(33), bytes(33)), bytes(100), bytes(32))


def relay_key_item() -> Item:
    return Item(
        Kind.RELAY_KEY, 100, RelayKeyBody(relay_day=4, key=b"k" * 32), (bytes(33),), bytes(100), bytes(32)
    )


async def after(store: Store, events: Iterable[Event]) -> Remembered:
    """What a node finds that starts after these."""
    ledger = Ledger(store)
    await ledger.load()
    await ledger.write(events)
    return await Ledger(store).load()


async def test_what_mixing_made_durable_comes_back() -> None:
    """Packets, relay keys, spent onions, the guard and the number of tries survive, and are gone once forgotten."""
    store = MemoryStore()
    key = RelayKeyMade(relay_day=4, epoch=97, secret=b"s" * 32)
    guard = GuardChosen(seed=b"g" * 32, until_day=20_000)
    onions = [OnionSpent(relay_day=day, replay_tag=bytes([day]) * 16) for day in (3, 4)]
    item = relay_key_item()
    events = [key, guard, *onions, PacketKept(packet=packet(1)), PacketKept(packet=packet(2))]
    remembered = await after(
        store, [*events, *post(7), ItemAccepted(item=item), ItemAccepted(item=secret(1))]
    )
    assert remembered.relay_keys == [key]
    assert remembered.guard == guard
    assert sorted(remembered.spent, key=lambda each: each.relay_day) == onions
    assert list(remembered.packets) == [packet(1), packet(2)]
    assert remembered.outbox == [draft(7)]
    assert remembered.slots == [(Purpose.POST, 100, 7)]
    assert {each.kind for each in remembered.items} == {Kind.RELAY_KEY, Kind.SECRET}
    assert [row.key for row in await store.page(Table.ITEMS)] == [secret(1).item_id]

    turned = OutboxTurned(item_id=draft(7).item_id, sent_count=2)
    assert (await after(store, [turned])).outbox == [draft(7, sent_count=2)]
    gone: list[Event] = [
        RelayKeyForgotten(relay_day=4),
        OnionsForgotten(relay_day=3),
        PacketRemoved(packet_id=packet(1).item_id),
        OutboxRemoved(item_id=draft(7).item_id),
        ItemRemoved(item_id=item.item_id),
        SlotsForgotten(purpose=Purpose.POST, epoch=100),
    ]
    remembered = await after(store, gone)
    assert (remembered.relay_keys, remembered.outbox) == ([], [])
    assert remembered.spent == [onions[1]]
    assert list(remembered.packets) == [packet(2)]
    assert [each.kind for each in remembered.items] == [Kind.SECRET]


def ticks(count: int) -> Iterator[list[Event]]:
    """What a node writes at its ticks: a slot, a row of the outbox, a packet that is opened, an onion relayed."""
    for number in range(count):
        yield [SlotUsed(purpose=Purpose.PACKET, epoch=100, slot=number), OutboxTurned(item_id=None)]
        yield [
            PacketKept(packet=packet(number)),
            OnionSpent(relay_day=4, replay_tag=number.to_bytes(16, "big")),
        ]


def letter(number: int) -> Letter:
    own_secret, other_key = (bytes([number, which]) * 16 for which in range(2))
    return Letter(
        letter_id=ItemId(bytes([number]) * 32),
        about=ItemId(bytes(32)),
        own_key=b"k" * 32,
        own_secret=own_secret,
        other_key=other_key,
        epoch=100,
        place=number,
        is_own=False,
        text=f"letter number {number} " * 40,
    )


def many_slots(number: int) -> list[Event]:
    """Slots of secrets, enough to take a page of their own."""
    return [SlotUsed(purpose=Purpose.POST, epoch=101, slot=20 * number + each) for each in range(20)]


async def shape_after(folder: Path, posts: int) -> list[tuple[int, int]]:
    """Size and pages of a file after each step of a life with so many posts in it."""
    path = folder / f"{posts}.db"
    shapes = []
    async with open_store(path, KEY) as store:
        ledger = Ledger(store)
        await ledger.load()
        for number, events in enumerate(ticks(30)):
            if number % 5 == 0 and number // 5 < posts:
                await ledger.write([*post(number // 5, "y" * 1_000), *many_slots(number)])
            await ledger.write(events)
            if number % 5 == 2 and number // 5 < posts:
                await ledger.write([OutboxTurned(item_id=draft(number // 5).item_id, sent_count=1)])
                await ledger.write([OutboxRemoved(item_id=draft(number // 5).item_id)])
            size = await store.size()
            connection = plain(path)
            shapes.append((size, connection.pragma("page_count") + connection.pragma("freelist_count")))
            connection.close()
    return shapes


def plain(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("pragma cipher = 'chacha20'").fetchall()
    connection.execute(f"pragma key = 'raw:{KEY.hex()}'").fetchall()
    return connection


async def test_no_post_shows_in_the_size_of_the_file(tmp_path: Path) -> None:
    """With many posts and with none, the file has the same size and the same pages after every step."""
    assert await shape_after(tmp_path, 12) == await shape_after(tmp_path, 0)


def pages(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[start : start + 4096] for start in range(0, len(data), 4096)]


@pytest.mark.parametrize("item_id", [None, draft(3).item_id])
async def test_each_tick_changes_one_row_on_the_disk_whatever_left(
    tmp_path: Path, item_id: ItemId | None
) -> None:
    """An image from before a tick and one from after it differ alike for cover and for a secret."""
    path = tmp_path / "rumor.db"
    async with open_store(path, KEY) as store:
        ledger = Ledger(store)
        await ledger.load()
        await ledger.write(post(3))
        before, rows = pages(path), raw_rows(path)
        await ledger.write([OutboxTurned(item_id=item_id, sent_count=1 if item_id else 0)])
        changed = [here != there for here, there in zip(before, pages(path), strict=True)]
        rows_changed = [key for key, value in raw_rows(path).items() if rows[key] != value]
        assert sorted(table for table, _ in rows_changed) == ["letters", "outbox"]
        # The page of each row's beginning, that of its end, and the header's counter of changes.
        assert sum(changed) == 5


def raw_rows(path: Path) -> dict[tuple[str, bytes], bytes]:
    connection = plain(path)
    rows = {
        (table, key): value
        for table in ("outbox", "letters")
        for key, value in connection.execute(f"SELECT key, value FROM {table}")
    }
    connection.close()
    return rows


async def test_a_forgotten_relay_key_is_not_in_the_file(tmp_path: Path) -> None:
    """Who takes the disk, with the passphrase, after the day of grace cannot open what was recorded before."""
    path = tmp_path / "rumor.db"
    halves = [bytes([16 * day + number for number in range(16)] * 2) for day in range(3, 8)]
    async with open_store(path, KEY) as store:
        ledger = Ledger(store)
        await ledger.load()
        for day, half in enumerate(halves):
            await ledger.write([RelayKeyMade(relay_day=day, epoch=day, secret=half)])
        assert halves[0] in plain(path).serialize("main")
        for day in range(4):
            await ledger.write([RelayKeyForgotten(relay_day=day)])
    dump = plain(path).serialize("main")
    assert [half in dump for half in halves] == [False] * 4 + [True]


async def test_a_forgotten_letter_is_not_in_the_file(tmp_path: Path) -> None:
    """Neither its words nor the key that would link us to it, though both were there; the others stay as they are."""
    path = tmp_path / "rumor.db"
    async with open_store(path, KEY) as store:
        kept, gone = letter(1), letter(2)
        remembered = await after(store, [LetterKept(letter=kept), LetterKept(letter=gone)])
        assert sorted(remembered.letters, key=lambda each: each.place) == [kept, gone]
        traces = (gone.text[:15].encode(), gone.own_secret, gone.other_key)
        assert all(trace in plain(path).serialize("main") for trace in traces)
        remembered = await after(store, [LettersForgotten(letter_ids=(gone.letter_id,))])
        assert remembered.letters == [kept]
    dump = plain(path).serialize("main")
    assert not any(trace in dump for trace in traces)
    assert kept.text[:15].encode() in dump


async def test_that_a_letter_was_read_is_written_at_the_next_tick(tmp_path: Path) -> None:
    """So nobody sees on the disk when somebody reads, and after a crash it is unread again."""
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        ledger = Ledger(store)
        await ledger.load()
        await ledger.write([LetterKept(letter=letter(1))])
        assert ledger.changes([LettersRead(letter_ids=(letter(1).letter_id,))]) == []
        assert (await Ledger(store).load()).letters == [letter(1)]
        await ledger.write([OutboxTurned(item_id=None)])
        assert (await Ledger(store).load()).letters == [replace(letter(1), is_read=True)]


async def test_a_whisper_waits_in_a_row_of_the_outbox() -> None:
    """As an item does, though it is none."""
    sealed = SealedLetter(own_key=b"o" * 32, recipient=b"r" * 32, content=b"c" * CONTENT_SIZE_MAX)
    row = OutboxAdded(item_id=ItemId(b"i" * 32), epoch=100, body=sealed)
    assert (await after(MemoryStore(), [row])).outbox == [row]


async def test_a_file_of_schema_1_is_brought_up_to_date(tmp_path: Path) -> None:
    """A node that was updated finds its slots and its items, can write onions, and drops what nobody would take."""
    path = tmp_path / "rumor.db"
    row = canonical.encode([bytes(32), 100, 5, "from before", 1, bytes(32)])
    async with open_store(path, KEY) as store:
        await store.commit([Put(Table.ITEMS, secret(1).item_id, secret(1).encoding, epoch=100)])
        slot = bytes([Purpose.POST]) + (100).to_bytes(8, "big") + (5).to_bytes(4, "big")
        await store.commit([Put(Table.SLOTS, slot, b"")])
    make_first(path, {row_key(Table.OUTBOX, 2): row})

    async with open_store(path, KEY) as store:
        remembered = await after(store, [OnionSpent(relay_day=1, replay_tag=bytes(16))])
        assert remembered.outbox == []
        assert remembered.slots == [(Purpose.POST, 100, 5)]
        assert list(remembered.items) == [secret(1)]
        assert len(remembered.spent) == 1
        remembered = await after(store, [SlotsForgotten(purpose=Purpose.POST, epoch=100)])
        assert remembered.slots == []
    assert plain(path).pragma("user_version") == 3


def make_first(path: Path, rows: dict[bytes, bytes]) -> None:
    """Takes a file back to schema 1, with these in its outbox."""
    connection = plain(path)
    connection.execute("DROP TABLE onions")
    connection.execute("DROP TABLE reading")
    connection.execute("DROP TABLE letters")
    connection.execute("UPDATE outbox SET value = zeroblob(4096)")
    for key, value in rows.items():
        padded = (len(value).to_bytes(2, "big") + value).ljust(4096, b"\0")
        connection.execute("UPDATE outbox SET value = ? WHERE key = ?", (padded, key))
    connection.execute("pragma user_version = 1")
    connection.close()


def test_rows_are_drawn_and_bounded() -> None:
    """Every row serves alike, a full outbox says so, and old slots give way to new ones."""
    rows = OutboxRows(choose=lambda count: count - 1)
    keys = [rows.fill(draft(number)).key for number in range(OUTBOX_ROW_COUNT)]
    assert keys == [row_key(Table.OUTBOX, row) for row in reversed(range(OUTBOX_ROW_COUNT))]
    with pytest.raises(OutboxFull, match="waiting to be published"):
        rows.fill(draft(99))
    for number in range(OUTBOX_ROW_COUNT * (SLOTS_PER_ROW_MAX + 1)):
        rows.mark(Purpose.POST, number, 1)
    kept = {epoch for _, epoch, _ in rows.slots}
    assert len(kept) == OUTBOX_ROW_COUNT * SLOTS_PER_ROW_MAX
    assert OUTBOX_ROW_COUNT * (SLOTS_PER_ROW_MAX + 1) - 1 in kept
    assert rows.empty(draft(99).item_id) is None


def test_the_longest_row_fits() -> None:
    """A poll of 1,000 bytes beside as many slots and seeds as a row keeps."""
    rows = OutboxRows(choose=lambda _: 0)
    for number in range(OUTBOX_ROW_COUNT * SLOTS_PER_ROW_MAX):
        rows.mark(Purpose.REPLY, 2**47 + number, 2**32 - 1)
    for number in range(SEEDS_MAX):
        rows.keep(seed(number))
    body = PollBody(
        slot=2**32 - 1,
        text="ü" * 470,
        style=63,
        thread_nonce=bytes(32),
        reply_key=bytes(32),
        retraction=bytes(32),
        choices=[str(number) * 10 for number in range(6)],
    )
    longest = replace(draft(1), body=body, epoch=2**47, sent_count=4)
    filled = rows.fill(longest)
    again = OutboxRows()
    again.load({filled.key: filled.value})
    assert again.drafts == [longest]
    assert len(list(again.slots)) == SLOTS_PER_ROW_MAX
    assert len(again.seeds) == SEEDS_MAX // OUTBOX_ROW_COUNT


def seed(number: int) -> SeedKept:
    return SeedKept(
        item_id=ItemId(number.to_bytes(32, "big")),
        epoch=number,
        seed=hashlib.sha256(number.to_bytes(4, "big")).digest(),
    )


async def test_an_unlinked_seed_is_not_in_the_file(tmp_path: Path) -> None:
    """Who takes the disk, with the passphrase, does not find what would tie an unlinked item to its author."""
    path = tmp_path / "rumor.db"
    kept = [seed(number) for number in range(5)]
    async with open_store(path, KEY) as store:
        remembered = await after(store, [*post(0), OutboxRemoved(item_id=draft(0).item_id), *kept])
        assert remembered.seeds == kept
        assert all(each.seed in plain(path).serialize("main") for each in kept)
        gone = SeedsForgotten(item_ids=tuple(each.item_id for each in kept[1:4]))
        assert (await after(store, [gone])).seeds == [kept[0], kept[4]]
    dump = plain(path).serialize("main")
    assert [each.seed in dump for each in kept] == [True, False, False, False, True]


async def test_rows_of_the_first_format_keep_their_slots(tmp_path: Path) -> None:
    """A slot that was used before the update is not used after it."""
    old = bytes([1, 1]) + (100).to_bytes(8, "big") + (3).to_bytes(4, "big") + b"an item of another form"
    async with open_store(tmp_path / "rumor.db", KEY) as store:
        await store.commit([Put(Table.OUTBOX, row_key(Table.OUTBOX, 1), old)])
        remembered = await Ledger(store).load()
        assert (remembered.slots, remembered.outbox) == ([(Purpose.POST, 100, 3)], [])
