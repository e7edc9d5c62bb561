"""The account: keys that come from a root, those of before, and the memory of a restoring."""

import pytest

from rumor.crypto.identity import MemberSecret, NodeSecret
from rumor.crypto.roots import Root
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.wire import encode
from rumor.node.account import _KEYS, Account, AccountError, _Keys
from rumor.node.storage.store import MemoryStore, Put, Table


async def test_the_keys_come_from_the_root_and_come_back() -> None:
    store = MemoryStore()
    made = await Account.make(store)
    assert made.root is not None
    for account in (made, await Account.load(store)):
        assert account.node_secret == made.root.node_secret
        assert account.member_secret == made.root.member_secret
        assert account.restored_at is None
    assert made.root.raw.hex() not in repr(made)
    again = await Account.make(MemoryStore(), Root.from_words_untrusted(made.root.words))
    assert again.member_secret == made.member_secret


async def test_a_profile_of_before_there_were_roots_is_read_and_has_none() -> None:
    store = MemoryStore()
    node, member = NodeSecret.generate(), MemberSecret.generate()
    keys = _Keys(node_seed=node.seed, member_secret=member.raw)
    await store.commit([Put(Table.PROFILE, _KEYS, encode(keys))])
    account = await Account.load(store)
    assert (account.node_secret, account.member_secret, account.root) == (node, member, None)


async def test_a_restored_profile_is_silent_to_the_end_of_the_next_epoch() -> None:
    """And so it is after each restart; a profile that was never restored is never silent."""
    store = MemoryStore()
    account = await Account.make(store)
    genesis = Genesis.found("town", account.member_secret.key.raw, Parameters(epoch_s=3_600))
    assert account.silent_until(genesis) == 0
    await account.restored(10 * 3_600 + 3_599)
    for each in (account, await Account.load(store)):
        assert each.silent_until(genesis) == 12


def test_rows_without_keys_have_no_root() -> None:
    with pytest.raises(AccountError, match="rumor init"):
        Account.root_in({})
