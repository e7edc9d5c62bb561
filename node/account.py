"""The account: who this profile is, as two keys and at most one mesh, in the store.

Both keys come from a root, which is what is kept. Profiles of before there were roots keep the keys themselves, and
have no words. A profile that was restored from a backup remembers when, since it cannot know what it said between the
backup and that moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
import trio

from ..crypto.identity import MemberSecret, NodeSecret
from ..crypto.roots import Root
from ..gossip.errors import Malformed
from ..gossip.genesis import GENESIS_SIZE_MAX, TRIAL, Genesis, Parameters
from ..gossip.wire import Bytes32, Message, decode_untrusted, encode
from .storage.store import Put, Store, Table

__all__ = ["Account", "AccountError"]

_KEYS = b"keys"
_GENESIS = b"genesis"
_RESTORED = b"restored"
#: Epochs after that of the restoring in which a profile says nothing either: the clock of the machine that was lost may
#: have been ahead of ours.
_SILENT_EPOCHS_EXTRA: Final = 1


class AccountError(Exception):
    """What was asked does not fit the profile; the message says why and what to do."""


class _Rooted(Message, frozen=True):
    root: Bytes32


class _Keys(Message, frozen=True):
    """As it was before there were roots."""

    node_seed: Bytes32
    member_secret: Bytes32


class _Restored(Message, frozen=True):
    at: Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
    """Seconds since 1970."""


@dataclass(slots=True)
class Account:
    """A profile's identity."""

    node_secret: NodeSecret
    member_secret: MemberSecret
    genesis: Genesis | None
    """The mesh that the profile is in."""
    root: Root | None
    """What the keys come from; None for a profile of before there were roots."""
    restored_at: int | None
    """When the profile was restored, in seconds since 1970; None if it never was."""
    _store: Store = field(repr=False)
    _entering: trio.Lock = field(default_factory=trio.Lock, repr=False)

    @classmethod
    async def make(cls, store: Store, root: Root | None = None) -> "Account":
        """Makes keys and keeps them: new ones, or those of this root. Raises ``StoreError``."""
        root = root or Root.generate()
        await store.commit([Put(Table.PROFILE, _KEYS, encode(_Rooted(root=root.raw)))])
        return cls(root.node_secret, root.member_secret, None, root, None, store)

    @classmethod
    async def load(cls, store: Store) -> "Account":
        """Reads the account. Raises ``AccountError`` if there is none."""
        rows = await store.load(Table.PROFILE)
        if _KEYS not in rows:
            raise AccountError("This profile has no keys: make one with `rumor init`.")
        node_secret, member_secret, root = _read_keys(rows[_KEYS])
        genesis = Genesis.decode_untrusted(rows[_GENESIS]) if _GENESIS in rows else None
        restored_at = (
            decode_untrusted(_Restored, rows[_RESTORED], GENESIS_SIZE_MAX).at if _RESTORED in rows else None
        )
        return cls(node_secret, member_secret, genesis, root, restored_at, store)

    @staticmethod
    def root_in(rows: Mapping[bytes, bytes]) -> Root | None:
        """The root that is kept in the rows of a profile, if there is one. Raises ``AccountError`` without keys."""
        if _KEYS not in rows:
            raise AccountError("This profile has no keys: make one with `rumor init`.")
        return _read_keys(rows[_KEYS])[2]

    async def restored(self, at: int) -> None:
        """The profile is restored at this moment, in seconds since 1970. Raises ``StoreError``."""
        await self._store.commit([Put(Table.PROFILE, _RESTORED, encode(_Restored(at=at)))])
        self.restored_at = at

    def silent_until(self, genesis: Genesis) -> int:
        """The first epoch of this mesh in which the profile may say something."""
        if self.restored_at is None:
            return 0
        return genesis.epoch_at(self.restored_at) + _SILENT_EPOCHS_EXTRA + 1

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


def _read_keys(record: bytes) -> tuple[NodeSecret, MemberSecret, Root | None]:
    try:
        root = Root(decode_untrusted(_Rooted, record, GENESIS_SIZE_MAX).root)
    except Malformed:
        keys = decode_untrusted(_Keys, record, GENESIS_SIZE_MAX)
        return NodeSecret.from_seed(keys.node_seed), MemberSecret(keys.member_secret), None
    return root.node_secret, root.member_secret, root
