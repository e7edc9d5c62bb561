"""The account: who this profile is, as two keys and at most one mesh, in the store."""

from dataclasses import dataclass, field

import trio

from ..crypto.identity import MemberSecret, NodeSecret
from ..gossip.genesis import GENESIS_SIZE_MAX, TRIAL, Genesis, Parameters
from ..gossip.wire import Bytes32, Message, decode_untrusted, encode
from .storage.store import Put, Store, Table

__all__ = ["Account", "AccountError"]

_KEYS = b"keys"
_GENESIS = b"genesis"


class AccountError(Exception):
    """What was asked does not fit the profile; the message says why and what to do."""


class _Keys(Message, frozen=True):
    node_seed: Bytes32
    member_secret: Bytes32


@dataclass(slots=True)
class Account:
    """A profile's identity."""

    node_secret: NodeSecret
    member_secret: MemberSecret
    genesis: Genesis | None
    """The mesh that the profile is in."""
    _store: Store = field(repr=False)
    _entering: trio.Lock = field(default_factory=trio.Lock, repr=False)

    @classmethod
    async def make(cls, store: Store) -> "Account":
        """Makes new keys and keeps them. Raises ``StoreError``."""
        account = cls(NodeSecret.generate(), MemberSecret.generate(), None, store)
        keys = _Keys(node_seed=account.node_secret.seed, member_secret=account.member_secret.raw)
        await store.commit([Put(Table.PROFILE, _KEYS, encode(keys))])
        return account

    @classmethod
    async def load(cls, store: Store) -> "Account":
        """Reads the account. Raises ``AccountError`` if there is none."""
        rows = await store.load(Table.PROFILE)
        if _KEYS not in rows:
            raise AccountError("This profile has no keys: make one with `rumor init`.")
        keys = decode_untrusted(_Keys, rows[_KEYS], GENESIS_SIZE_MAX)
        genesis = Genesis.decode_untrusted(rows[_GENESIS]) if _GENESIS in rows else None
        return cls(NodeSecret.from_seed(keys.node_seed), MemberSecret(keys.member_secret), genesis, store)

    async def enter(self, genesis: Genesis) -> None:
        """The profile is in this mesh from here on. Raises ``AccountError`` if it is in one already."""
        async with self._entering:
            if self.genesis is not None:
                raise AccountError(
                    f"This profile is in the mesh '{self.genesis.name}' already; "
                    "use another profile for another mesh."
                )
            await self._store.commit([Put(Table.PROFILE, _GENESIS, genesis.encode())])
            self.genesis = genesis

    async def found(self, name: str, *, trial: bool, parameters: Parameters | None = None) -> Genesis:
        """Founds a mesh and enters it. Raises ``AccountError``, or ``LocalError`` for a name that will not do."""
        chosen = parameters or (TRIAL if trial else Parameters())
        genesis = Genesis.found(name, self.member_secret.key.raw, chosen)
        await self.enter(genesis)
        return genesis
