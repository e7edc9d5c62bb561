"""Friends: whom this node knows, how far each friendship has come, and what there is to wait for.

A friendship begins with an invitation. Once both nodes have met over it, each person sees the same words and confirms
that the other sees them too; the two confirmations may come in any order and while the other side is offline. Until
both are there, nothing but friendship messages passes between the nodes.

    MET ── we confirm ──> CONFIRMED_BY_US ── they confirm ──┐
     └──── they confirm ──> CONFIRMED_BY_THEM ── we confirm ─┴──> FRIENDS

This is the book and its rules. It makes no connections (``befriending`` does) and keeps no times finer than a day.
"""

import base64
import enum
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec
import trio

from ..crypto import labels
from ..gossip.wire import Bytes32, Message, decode_untrusted, encode
from .network.transport import NodeId
from .storage.store import Change, Delete, Put, Store, Table

__all__ = [
    "FriendError",
    "FriendUnknown",
    "Friendbook",
    "Friendship",
    "Role",
    "Stage",
    "shown_name",
    "words_digest",
]

#: A person's friends; each costs a connection.
FRIENDS_MAX: Final = 128
NAME_SIZE_MAX: Final = 64
_RECORD_SIZE_MAX: Final = 4_096


class FriendError(Exception):
    """What a person asked for about a friend cannot be done; the message says why and what to do."""


class FriendUnknown(FriendError):
    """There is no such friend, or not any more."""


class Role(enum.IntEnum):
    """Who brought whom into the mesh."""

    #: Neither: a friendship between two members.
    NONE = 0
    #: We admit them.
    SPONSOR = 1
    #: They admit us.
    NEWCOMER = 2


class Stage(enum.Enum):
    """How far a friendship has come."""

    #: Neither has confirmed.
    MET = "compare the words, then confirm"
    #: We have.
    CONFIRMED_BY_US = "waiting for them to confirm"
    #: They have.
    CONFIRMED_BY_THEM = "they have confirmed; compare the words, then confirm"
    #: Both have.
    FRIENDS = "friends"


class Friendship(Message, frozen=True):
    """What is kept of a friend."""

    node_id: Bytes32
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_SIZE_MAX)]
    """The local nickname; never leaves this node."""
    addresses: Annotated[list[str], msgspec.Meta(max_length=8)]
    words: str
    """What both people compare."""
    role: Annotated[int, msgspec.Meta(ge=0, le=2)] = 0
    confirmed_by_us: bool = False
    confirmed_by_them: bool = False

    @property
    def stage(self) -> Stage:
        if self.confirmed_by_us and self.confirmed_by_them:
            return Stage.FRIENDS
        if self.confirmed_by_us:
            return Stage.CONFIRMED_BY_US
        return Stage.CONFIRMED_BY_THEM if self.confirmed_by_them else Stage.MET

    @property
    def short_id(self) -> str:
        """Eight characters to name a friend by."""
        return base64.b32encode(hashlib.sha256(self.node_id).digest()).decode().lower()[:8]


def words_digest(words: str) -> bytes:
    """What a confirmation says was compared: 32 bytes."""
    return hashlib.sha256(labels.WORDS_CONFIRMED + words.encode()).digest()


class Friendbook:
    """All friendships of a profile, each change on the disk before it counts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._friends: dict[NodeId, Friendship] = {}
        self._changing = trio.Lock()

    async def load(self) -> None:
        for value in (await self._store.load(Table.FRIENDS)).values():
            friend = decode_untrusted(Friendship, value, _RECORD_SIZE_MAX)
            self._friends[NodeId(friend.node_id)] = friend

    def __iter__(self) -> Iterator[Friendship]:
        return iter(list(self._friends.values()))

    def __contains__(self, node_id: NodeId) -> bool:
        return node_id in self._friends

    def get(self, node_id: NodeId) -> Friendship | None:
        return self._friends.get(node_id)

    def find(self, text: str) -> Friendship:
        """The friend that a person means by a nickname or the beginning of an id. Raises ``FriendError``."""
        named = [friend for friend in self if friend.name.casefold() == text.strip().casefold()]
        found = named or [
            friend for friend in self if friend.short_id.startswith(text.strip().lower() or "?")
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise FriendError(f"More than one friend fits '{text}'; use the id that `rumor friends` shows.")
        raise FriendUnknown(f"No friend is called '{text}'; `rumor friends` lists them.")

    async def met(
        self,
        node_id: NodeId,
        name: str,
        addresses: list[str],
        words: str,
        role: Role,
        also: Sequence[Change] = (),
    ) -> Friendship:
        """Two nodes have met over an invitation; ``also`` reaches the disk together with that.

        Whom we have met before we meet afresh, with new words: a friend that takes up an invitation of ours has lost or
        removed us. An empty ``name`` keeps the one that the friend has. Raises ``FriendError``.
        """
        async with self._changing:
            before = self._friends.get(node_id)
            if before is None and len(self._friends) >= FRIENDS_MAX:
                raise FriendError(f"A node has at most {FRIENDS_MAX} friends; remove one first.")
            if before is not None and role is Role.NONE:
                role = Role(before.role)
            friend = Friendship(
                node_id=node_id,
                name=self._free_name(name or (before.name if before else ""), node_id),
                addresses=addresses,
                words=words,
                role=role,
            )
            await self._keep(friend, also)
            return friend

    async def confirm(self, friend: Friendship, words: str) -> Friendship:
        """We have compared the words. Raises ``FriendError`` if they are other words."""
        if _bare(words) != _bare(friend.words):
            raise FriendError(
                "These are not the words that this node shows. If your friend really reads these, somebody may be "
                "between you: remove the friend and start again with a new invitation."
            )
        return await self._change(friend, confirmed_by_us=True, words=friend.words)

    async def confirmed_by_them(self, friend: Friendship, digest: bytes) -> Friendship:
        """They say that they have compared the words. A confirmation of other words is of an earlier meeting."""
        if digest != words_digest(friend.words) or friend.confirmed_by_them:
            return friend
        return await self._change(friend, confirmed_by_them=True, words=friend.words)

    async def moved(self, friend: Friendship, addresses: list[str]) -> Friendship:
        """They say where they listen now."""
        return friend if friend.addresses == addresses else await self._change(friend, addresses=addresses)

    async def admitted(self, node_ids: Sequence[NodeId], also: Sequence[Change]) -> None:
        """We have brought these friends into the mesh, which is done once; ``also`` reaches the disk together with it.

        Who was removed meanwhile is no friend for that.
        """
        async with self._changing:
            changed = [
                msgspec.structs.replace(self._friends[node_id], role=int(Role.NONE))
                for node_id in node_ids
                if node_id in self._friends
            ]
            puts = [Put(Table.FRIENDS, friend.node_id, encode(friend)) for friend in changed]
            await self._store.commit([*puts, *also])
            self._friends.update({NodeId(friend.node_id): friend for friend in changed})

    async def rename(self, friend: Friendship, name: str) -> Friendship:
        """Gives a friend another nickname. Raises ``FriendError`` if nothing of it can be shown."""
        if not _shown(name):
            raise FriendError("A name is at least one character that can be seen.")
        return await self._change(friend, name=self._free_name(name, NodeId(friend.node_id)))

    async def remove(self, friend: Friendship) -> None:
        async with self._changing:
            await self._store.commit([Delete(Table.FRIENDS, friend.node_id)])
            self._friends.pop(NodeId(friend.node_id), None)

    async def _change(self, friend: Friendship, *, words: str | None = None, **changes: object) -> Friendship:
        """Changes what is kept now, which may be newer than what the caller has seen.

        A confirmation is of the words ``words``, and void if the two have met anew meanwhile.
        """
        async with self._changing:
            current = self._friends.get(NodeId(friend.node_id))
            if current is None:
                raise FriendUnknown(f"{friend.name} is no friend any more.")
            if words is not None and words != current.words:
                raise FriendError(f"You have met {current.name} anew meanwhile: compare the new words.")
            changed = msgspec.structs.replace(current, **changes)
            await self._keep(changed)
            return changed

    async def _keep(self, friend: Friendship, also: Sequence[Change] = ()) -> None:
        await self._store.commit([Put(Table.FRIENDS, friend.node_id, encode(friend)), *also])
        self._friends[NodeId(friend.node_id)] = friend

    def _free_name(self, name: str, node_id: NodeId) -> str:
        """The name, made unlike every other friend's."""
        wanted = _shown(name)[: NAME_SIZE_MAX - 8].strip() or "friend"
        taken = {friend.name.casefold() for friend in self._friends.values() if friend.node_id != node_id}
        candidates = [wanted, *(f"{wanted} {number}" for number in range(2, FRIENDS_MAX + 2))]
        return next(candidate for candidate in candidates if candidate.casefold() not in taken)


def shown_name(name: str) -> str:
    """A name as it is kept: what can be shown of it, on one line of at most ``NAME_SIZE_MAX`` characters."""
    return _shown(name)[:NAME_SIZE_MAX].strip()


def _shown(name: str) -> str:
    """What can be shown of a name, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())


def _bare(words: str) -> list[str]:
    return re.findall(r"[a-z]+", words.lower())
