"""Backups: what they keep and what not, and that a profile made of one is the same person, who says nothing twice."""

import tempfile
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import pwhash
from people import BEGAN_AT, Person, pair, town, until

from rumor.crypto import archive, vault
from rumor.crypto.membership import Purpose
from rumor.crypto.roots import Root
from rumor.gossip.bodies import SecretBody
from rumor.gossip.events import OutboxAdded, RelayKeyMade, SeedKept, SlotUsed
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.items import ItemId
from rumor.node.account import Account
from rumor.node.backup import KEPT, BackupError, pack, restore, restore_words, root_of, save, unpack
from rumor.node.files import write_private
from rumor.node.ledger import Ledger
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.setup import check_new, create, opened_store, unlock
from rumor.node.storage.snapshot import snapshot
from rumor.node.storage.store import MemoryStore, Put, Store, Table, row_key

LISTEN = "/ip4/127.0.0.1/tcp/14142"
ROOT = Root(bytes(range(32)))
GENESIS = Genesis.found("town", ROOT.member_secret.key.raw, Parameters()).encode()
WRAPPED = vault._lock(
    bytes(32), "one", b"s" * 16, b"n" * 24, pwhash.argon2id.OPSLIMIT_MIN, pwhash.argon2id.MEMLIMIT_MIN
)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase that takes no second to stretch."""
    monkeypatch.setattr(pwhash.argon2id, "OPSLIMIT_MODERATE", pwhash.argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(pwhash.argon2id, "MEMLIMIT_MODERATE", pwhash.argon2id.MEMLIMIT_MIN)


def located(home: Path, name: str = "ann") -> Profile:
    return Profile.locate(name, {HOME_VARIABLE: str(home)})


def saying(text: str, asked: list[bool] | None = None):  # type: ignore[no-untyped-def]
    """Answers every question for a passphrase."""

    def ask(is_new: bool = False) -> str:
        if asked is not None:
            asked.append(is_new)
        return text

    return ask


async def tables_of(store: Store) -> dict[Table, dict[bytes, bytes]]:
    return {table: await store.load(table) for table in KEPT}


async def test_it_keeps_what_nobody_else_has_and_nothing_that_a_thief_could_use_later() -> None:
    """Seeds and slots stay; a draft, a relay key and an invitation do not, in any form."""
    store = MemoryStore()
    account = await Account.make(store)
    ledger = Ledger(store)
    await ledger.load()
    kept = SeedKept(item_id=ItemId(b"i" * 32), epoch=7, seed=b"s" * 32)
    body = SecretBody(
        slot=1, text="unsaid", style=0, thread_nonce=bytes(32), reply_key=bytes(32), retraction=bytes(32)
    )
    await ledger.write(
        [
            SlotUsed(purpose=Purpose.POST, epoch=7, slot=1),
            SlotUsed(purpose=Purpose.PACKET, epoch=7, slot=99),
            kept,
            OutboxAdded(item_id=ItemId(b"d" * 32), epoch=7, body=body, seed=b"w" * 32),
            RelayKeyMade(relay_day=1, epoch=7, secret=b"r" * 32),
        ]
    )
    await store.commit([Put(Table.FRIENDS, b"bob", b"x"), Put(Table.INVITATIONS, b"open", b"invitation")])
    data = pack(await tables_of(store), 123.9)
    for gone in (b"unsaid", b"w" * 32, b"r" * 32, b"invitation"):
        assert gone not in data
    puts, made_at = unpack(data)
    assert made_at == 123
    other = MemoryStore()
    await other.commit(puts)
    remembered = await Ledger(other).load()
    assert remembered.seeds == [kept]
    assert set(remembered.slots) == {(Purpose.POST, 7, 1), (Purpose.PACKET, 7, 99)}
    assert remembered.outbox == []
    assert (await Account.load(other)).member_secret == account.member_secret
    assert await other.load(Table.FRIENDS) == {b"bob": b"x"}


@settings(max_examples=100)
@given(st.binary(max_size=100) | st.data())
def test_any_other_bytes_are_no_backup(data: object) -> None:
    """Nor is a backup with a byte changed in its frame, or with rows for a table that it never has."""
    whole = pack({}, 1.0)
    if not isinstance(data, bytes):
        at = data.draw(st.integers(0, len(whole) - 1))  # type: ignore[attr-defined]
        data = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]  # type: ignore[attr-defined]
    try:
        puts, _ = unpack(data)
    except BackupError:
        return
    assert all(put.table in KEPT for put in puts)


def test_rows_for_other_tables_are_refused() -> None:
    data = pack({Table.FRIENDS: {b"k" * 32: b"v"}}, 1.0)
    other = data.replace(b"\x67friends", b"\x67packets")
    assert other != data
    with pytest.raises(BackupError):
        unpack(other)


def test_a_profile_is_saved_and_made_again(tmp_path: Path, cheap: None) -> None:
    """Under the passphrase of the backup, with the same keys, and with the moment of the restoring."""
    profile, file = located(tmp_path), tmp_path / "ann.bak"
    create(profile, "one", LISTEN)
    key = unlock(profile, saying("one"))
    with pytest.raises(BackupError, match="passphrase is wrong"):
        save(profile, saying("two"), file, now=1_000.0, replace=False)
    assert not file.exists()
    save(profile, saying("one"), file, now=1_000.0, replace=False)
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(BackupError, match="--force"):
        save(profile, saying("one"), file, now=1_000.0, replace=False)
    save(profile, saying("one"), file, now=1_000.0, replace=True)
    with pytest.raises(BackupError, match="exists already"):
        restore(profile, file, saying("one"), LISTEN, now=2_000.0)
    other = located(tmp_path, "again")
    with pytest.raises(BackupError, match="passphrase is wrong"):
        restore(other, file, saying("two"), LISTEN, now=2_000.0)
    assert not other.exists
    assert restore(other, file, saying("one"), LISTEN, now=2_000.0)["made_at"] == 1_000
    again = unlock(other, saying("one"))
    assert again != key, "a store has a key of its own"
    rows = [
        snapshot(each.database_file, raw, [Table.PROFILE]) for each, raw in ((profile, key), (other, again))
    ]
    assert Account.root_in(rows[0][Table.PROFILE]).raw == Account.root_in(rows[1][Table.PROFILE]).raw  # type: ignore[union-attr]
    assert _account(other, again).restored_at == 2_000


def _account(profile: Profile, key: bytes) -> Account:
    async def read() -> Account:
        async with opened_store(profile, key) as store:
            return await Account.load(store)

    return trio.run(read)


def test_a_clock_that_went_back_does_not_open_the_past_again(tmp_path: Path, cheap: None) -> None:
    profile, file = located(tmp_path), tmp_path / "ann.bak"
    create(profile, "one", LISTEN)
    save(profile, saying("one"), file, now=5_000.0, replace=False)
    other = located(tmp_path, "again")
    restore(other, file, saying("one"), LISTEN, now=10.0)
    assert _account(other, unlock(other, saying("one"))).restored_at == 5_000


def test_a_profile_without_passphrase_gets_one_for_its_backup(tmp_path: Path, cheap: None) -> None:
    profile, file = located(tmp_path), tmp_path / "ann.bak"
    create(profile, None, LISTEN)
    asked: list[bool] = []
    save(profile, saying("new", asked), file, now=1.0, replace=False)
    assert asked == [True]
    restore(located(tmp_path, "again"), file, saying("new"), LISTEN, now=2.0)


def test_the_words_bring_the_keys_back_and_nothing_else(tmp_path: Path, cheap: None) -> None:
    profile = located(tmp_path)
    create(profile, "one", LISTEN)
    root = root_of(profile, saying("one"))
    other = located(tmp_path, "again")
    restore_words(other, Root.from_words_untrusted(root.words), None, LISTEN, now=9.0)
    account = _account(other, unlock(other, str))
    assert account.root is not None
    assert account.root.raw == root.raw
    assert (account.restored_at, account.genesis) == (9, None)


def test_files_that_are_none_get_a_sentence(tmp_path: Path, cheap: None) -> None:
    profile, file = located(tmp_path), tmp_path / "none.bak"
    with pytest.raises(BackupError, match="cannot be read: No such file"):
        restore(profile, file, saying("one"), LISTEN, now=1.0)
    write_private(file, b"not a backup at all")
    with pytest.raises(BackupError, match="not a backup"):
        restore(profile, file, saying("one"), LISTEN, now=1.0)
    assert not profile.data_folder.exists()
    with pytest.raises(BackupError, match="no profile 'ann' yet"):
        save(profile, saying("one"), file, now=1.0, replace=True)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """What may be named for a backup: one that was damaged, one of nothing known, and any other file."""
    kind = draw(st.sampled_from(["damaged", "rows", "content", "foreign"]))
    if kind == "foreign":
        return draw(st.binary(max_size=600))
    tables = st.dictionaries(
        st.sampled_from(KEPT),
        st.dictionaries(
            st.sampled_from([b"keys", b"genesis", b"restored", b"guard", bytes(2)]) | st.binary(max_size=66),
            st.binary(max_size=80) | st.just(GENESIS) | st.just(bytes(5_000)),
            max_size=4,
        ),
        max_size=4,
    )
    content = draw(st.binary(max_size=60))
    if kind != "content":
        rows = draw(tables) if kind == "rows" else {}
        rows.setdefault(Table.OUTBOX, {}).clear()
        content = pack(rows, draw(st.floats(0, 2**48)))
    made = archive._seal(content, bytes(32), WRAPPED, b"n" * 24)
    at = draw(st.integers(0, len(made))) if kind == "damaged" else len(made)
    return made[:at] + draw(st.binary(max_size=3)) + made[at + 1 :]


@settings(max_examples=60, deadline=None)
@given(files())
def test_whatever_file_is_named_gets_one_sentence_and_leaves_nothing(data: bytes) -> None:
    """Unless it is a backup; then there is a profile, with keys."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pwhash.argon2id, "OPSLIMIT_MODERATE", pwhash.argon2id.OPSLIMIT_MIN)
        patch.setattr(pwhash.argon2id, "MEMLIMIT_MODERATE", pwhash.argon2id.MEMLIMIT_MIN)
        patch.setattr(vault, "OPERATIONS_MAX", pwhash.argon2id.OPSLIMIT_MIN)
        patch.setattr(vault, "MEMORY_MAX", pwhash.argon2id.MEMLIMIT_MIN)
        profile, file = located(Path(folder)), Path(folder) / "any.bak"
        write_private(file, data)
        said = ""
        try:
            restore(profile, file, saying("one"), LISTEN, now=1.0)
        except BackupError as error:
            said = str(error)
        if not said:
            _account(profile, unlock(profile, saying("one")))
            return
        assert said.endswith(".")
        assert "\n" not in said
        check_new(profile, LISTEN)  # The next try, with another file, finds the place free.


async def test_a_person_who_lost_the_disk_goes_on_with_an_old_backup(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Friends are back at once; nothing is said for an epoch or two; then all goes on under the same face."""
    async with town() as place:
        ann, bob = await pair(place)
        first = await bob.node.speaker.post("who is there?", 0)
        await ann.until_reads("who is there?")
        item_id = ItemId(bytes.fromhex(first["id"]))
        await ann.node.speaker.reply(item_id, "me")
        await bob.until_reads("me")
        data = pack(await tables_of(ann.store), BEGAN_AT + trio.current_time())
        await ann.node.speaker.post("after the backup", 0)
        await bob.until_reads("after the backup")
        since = await slots_of(ann)
        await ann.stop()

        ann.store = type(ann.store)()
        await ann.store.commit(unpack(data)[0])
        await (await Account.load(ann.store)).restored(int(BEGAN_AT + trio.current_time()))
        known = await slots_of(ann)
        await ann.start(place.nursery)
        post = (await ann.node.status())["post"]
        assert not post["allowed"]
        assert any("restored from a backup" in reason for reason in post["obstacles"])
        await until(lambda: ann.friend("bob")["state"] == "connected")
        await ann.until_may_post()
        await ann.node.speaker.reply(item_id, "me again")
        await ann.node.speaker.post("and back", 0)
        await bob.until_reads("me again", "and back", "after the backup")
        assert not (await slots_of(ann) - known) & (since - known)
        faces = {reply["persona"]["name"] for reply in bob.node.reader.thread(item_id)["replies"]}
        assert len(faces) == 1
        assert all(reply["persona"]["you"] for reply in ann.node.reader.thread(item_id)["replies"])


async def slots_of(person: Person) -> set[tuple[Purpose, int, int]]:
    return set((await Ledger(person.store).load()).slots)


def test_letters_are_kept_and_empty_rows_are_not() -> None:
    """Nobody else has the keys of a conversation; that there are rows for more is in every store."""
    rows = {row_key(Table.LETTERS, row): b"a letter" if row == 5 else b"" for row in range(8)}
    puts, _ = unpack(pack({Table.LETTERS: rows}, 1.0))
    assert puts == [Put(Table.LETTERS, row_key(Table.LETTERS, 5), b"a letter")]
