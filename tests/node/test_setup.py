"""Setting up: what is made, what an interrupted attempt leaves, and sentences for what cannot be."""

import os
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner

from rumor.gossip.presets import parameters
from rumor.node.account import Account, AccountError
from rumor.node.cli import main
from rumor.node.profile import HOME_VARIABLE, Profile
from rumor.node.setup import SetupError, create, found_offline, opened_store, unlock
from rumor.node.storage.store import MemoryStore

LISTEN = "/ip4/127.0.0.1/tcp/14142"


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile.locate("ann", {HOME_VARIABLE: str(tmp_path)})


def test_a_profile_without_passphrase_opens_again(profile: Profile) -> None:
    """What was made is found again: keys, settings, and a mesh founded offline."""
    made = create(profile, None, LISTEN)
    assert made["listen"] == [LISTEN]
    founded = found_offline(profile, str, "town", trial=True)

    async def read() -> Account:
        async with opened_store(profile, unlock(profile, str)) as store:
            return await Account.load(store)

    account = trio.run(read)
    assert account.genesis is not None
    assert account.genesis.mesh_id.hex() == founded["id"]
    with pytest.raises(SetupError, match="in the mesh 'town' already"):
        found_offline(profile, str, "city", trial=True)


def test_a_preset_and_what_is_given_beside_it_go_into_the_genesis(profile: Profile) -> None:
    """A founder's choice is everybody's: it is in the mesh's id."""
    create(profile, None, LISTEN)
    found_offline(profile, str, "town", trial=False, preset="careful", bytes_per_day=300_000_000)

    async def read() -> Account:
        async with opened_store(profile, unlock(profile, str)) as store:
            return await Account.load(store)

    genesis = trio.run(read).genesis
    assert genesis is not None
    assert genesis.parameters == parameters("careful", bytes_per_day=300_000_000)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--trial", "--preset", "quick"], "leave out --preset"),
        (["--trial", "--route-length", "2"], "leave out --route-length"),
        (["--preset", "hasty"], "'hasty' is not one of 'quick', 'balanced', 'careful'"),
        (["--route-length", "6"], "6 is not in the range 1<=x<=5"),
    ],
)
def test_a_choice_that_cannot_be_is_wrong_usage(words: list[str], says: str) -> None:
    refused = CliRunner().invoke(main, ["found", "town", *words])
    assert refused.exit_code == 2
    assert says in refused.stderr


def test_nobody_else_may_read_a_profile(profile: Profile) -> None:
    """Folders and files are the owner's alone."""
    create(profile, None, LISTEN)
    for path in (profile.data_folder, *profile.data_folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_an_interrupted_attempt_is_no_profile_and_is_done_again(profile: Profile) -> None:
    """The key is written last, so whatever else is there is made anew."""
    create(profile, None, LISTEN)
    profile.key_file.unlink()
    assert not profile.exists
    create(profile, None, LISTEN)
    unlock(profile, str)


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "/ip4/127.0.0.1/udp/1", "/dns/example.org/tcp/1", ""])
def test_an_address_that_will_not_do_makes_nothing(profile: Profile, listen: str) -> None:
    """A mistyped address is refused before anything is written."""
    with pytest.raises(SetupError, match="listen must be"):
        create(profile, None, listen)
    assert not profile.data_folder.exists()


def test_an_empty_passphrase_is_refused(profile: Profile) -> None:
    """It would protect nothing."""
    with pytest.raises(SetupError, match="--no-passphrase"):
        create(profile, "", LISTEN)


def test_a_profile_made_meanwhile_is_not_overwritten(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two attempts at once: the second finds the key of the first under the lock."""
    looked = []
    exists = Profile.exists.fget
    assert exists is not None

    def first_no(self: Profile) -> bool:
        looked.append(self)
        return len(looked) > 1 and exists(self)

    create(profile, None, LISTEN)
    before = profile.key_file.read_bytes()
    monkeypatch.setattr(Profile, "exists", property(first_no))
    with pytest.raises(SetupError, match="exists already"):
        create(profile, None, LISTEN)
    assert profile.key_file.read_bytes() == before


def test_damaged_keys_and_stores_get_a_sentence(profile: Profile) -> None:
    """A key file that is none, and a store that the key does not open."""
    create(profile, None, LISTEN)
    profile.database_file.write_bytes(os.urandom(8_192))
    with pytest.raises(SetupError, match=r"rumor\.db"):
        found_offline(profile, str, "town", trial=True)
    profile.key_file.write_bytes(b"garbage")
    with pytest.raises(SetupError, match="key"):
        unlock(profile, str)


async def test_an_account_enters_one_mesh() -> None:
    """Two enterings that cross leave the first, in memory and in the store."""
    store = MemoryStore()
    account = await Account.make(store)
    outcomes = []

    async def found(name: str) -> None:
        try:
            await account.found(name, trial=True)
        except AccountError:
            outcomes.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(found, "one")
        nursery.start_soon(found, "two")
    assert len(outcomes) == 1
    assert (await Account.load(store)).genesis == account.genesis


async def test_a_store_without_keys_is_no_account() -> None:
    """It says what to do."""
    with pytest.raises(AccountError, match="rumor init"):
        await Account.load(MemoryStore())
