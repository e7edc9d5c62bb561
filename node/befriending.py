"""Befriending: invitations given and taken, up to the moment when two nodes have met.

An invitation is answered under a key derived from its secret, so the gate of the transport knows its holder by node id
and lets nobody else near. Whoever completes it first has it: it is bound to that node and refused to any other. A
taken invitation is pursued in the background, across restarts, until it works, is refused or expires. What the two
sides say is in ``rumor.crypto.befriending``; what comes after the meeting is in ``friends``.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import SystemRandom
from typing import Any, Final

import msgspec
import trio

from ..crypto.befriending import BefriendingFailed, Inviter, Joiner, Refusal
from ..crypto.errors import CryptoError
from ..crypto.invites import Invitation, invitation_identity
from ..gossip.errors import Malformed
from ..gossip.genesis import Genesis
from ..gossip.wire import decode_untrusted, encode
from .account import Account, AccountError
from .clock import Clock
from .friends import Friendbook, FriendError, Friendship, Role, Stage, shown_name
from .invitations import (
    ANSWERS_MAX,
    RECORD_SIZE_MAX,
    REVEALS_MAX,
    TAKEN_KEY_SIZE,
    USES_MAX,
    Given,
    Pursuit,
    Taken,
    waiting,
)
from .network.transport import Connection, ConnectionLost, NodeId, Transport, Unreachable
from .storage.store import Delete, Put, Store, Table

__all__ = ["Befriender"]

#: Two days, and on to the end of the third (UTC): what is kept names a friend, so it may tell no time finer than a day.
LIFETIME_DAYS: Final = 2
DAY_S: Final = 86_400
#: Invitations open at once; each is a key that the gate lets in.
INVITATIONS_MAX: Final = 64
JOINS_MAX: Final = 16
#: The handshake is two round trips.
HANDSHAKE_S_MAX: Final = 30.0
#: How long ``join`` waits for the first try, so that it can say how it went.
FIRST_TRY_S: Final = 12.0
RETRY_S_MIN: Final = 1.0
RETRY_S_MAX: Final = 60.0


class Befriender:
    """The invitations of one node."""

    def __init__(
        self,
        store: Store,
        book: Friendbook,
        account: Account,
        transport: Transport,
        clock: Clock,
        addresses: Callable[[], list[str]],
        is_member: Callable[[], bool],
        enter: Callable[[Genesis], Awaitable[None]],
        met: Callable[[Friendship], None],
    ) -> None:
        """``addresses`` tells where we listen now, ``is_member`` whether we are in the roster; ``enter`` takes us into
        a mesh, or does nothing if we are in it, or raises ``AccountError``; ``met`` is told of each meeting.
        """
        self._store = store
        self._book = book
        self._transport = transport
        self._account = account
        self._clock = clock
        self._addresses = addresses
        self._is_member = is_member
        self._enter = enter
        self._met = met
        self._taking = trio.Lock()
        self._random = SystemRandom()
        self._given: dict[NodeId, Given] = {}
        self._pursuits: dict[bytes, Pursuit] = {}
        self._nursery: trio.Nursery | None = None

    async def load(self) -> None:
        """Reads what was given and taken before."""
        for key, value in (await self._store.load(Table.INVITATIONS)).items():
            if len(key) == TAKEN_KEY_SIZE:
                taken = decode_untrusted(Taken, value, RECORD_SIZE_MAX)
                invitation = Invitation.from_uri_untrusted(taken.uri)
                self._pursuits[key] = Pursuit(
                    invitation=invitation, name=taken.name, reveal_count=taken.reveal_count
                )
            else:
                self._given[NodeId(key)] = decode_untrusted(Given, value, RECORD_SIZE_MAX)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Pursues taken invitations until cancelled."""
        async with trio.open_nursery() as self._nursery:
            for pursuit in self._pursuits.values():
                self._nursery.start_soon(self._pursue, pursuit)
            task_status.started()
            await trio.sleep_forever()

    # Given.

    def expects(self, peer: NodeId) -> bool:
        """Whether this is the key of a live invitation."""
        given = self._given.get(peer)
        return given is not None and given.expires_at > self._clock.now() and given.answer_count < ANSWERS_MAX

    def open_count(self) -> int:
        """Invitations that nobody has taken yet."""
        return sum(self.expects(peer) and not given.used_by for peer, given in self._given.items())

    async def invite(self, genesis: Genesis, addresses: list[str], name: str, *, sponsor: bool) -> Invitation:
        """Makes an invitation. Raises ``FriendError`` if too many are open."""
        await self._drop_expired()
        if len(self._given) >= INVITATIONS_MAX:
            raise FriendError(f"{INVITATIONS_MAX} invitations are open; wait until some are taken or expire.")
        invitation = Invitation(
            mesh_id=genesis.mesh_id,
            node_key=self._account.node_secret.public,
            addresses=tuple(addresses),
            secret=os.urandom(16),
            expires_at=(int(self._clock.now()) // DAY_S + 1 + LIFETIME_DAYS) * DAY_S,
        )
        peer = NodeId(invitation_identity(invitation.secret).public.raw)
        await self._keep_given(
            peer,
            Given(
                secret=invitation.secret,
                expires_at=invitation.expires_at,
                name=shown_name(name),
                sponsor=sponsor,
            ),
        )
        return invitation

    async def answer(self, connection: Connection) -> None:
        """Somebody holds an invitation of ours. Never raises, whatever they send."""
        given, genesis = self._given.get(connection.peer), self._account.genesis
        if given is None or genesis is None or not self.expects(connection.peer):
            await connection.aclose()
            return
        inviter = Inviter(given.secret, self._account.node_secret, genesis.encode())
        try:
            with trio.fail_after(HANDSHAKE_S_MAX):
                while inviter.result is None:
                    reply = inviter.receive_untrusted(await connection.receive())
                    if inviter.result is None and reply is not None:
                        await self._count_answer(connection.peer)
                        await connection.send(reply)
                assert reply is not None
                await connection.send(await self._taken_by(connection.peer, inviter, reply))
        except BefriendingFailed as failure:
            if failure.reply is not None:
                await _say(connection, failure.reply)
        except _Void:
            await _say(connection, inviter.refuse(Refusal.USED))
        except FriendError:
            await _say(connection, inviter.refuse(Refusal.OTHER))
        except (ConnectionLost, trio.TooSlowError):
            return
        finally:
            await connection.aclose()

    async def _drop_expired(self) -> None:
        gone = [peer for peer in self._given if not self.expects(peer)]
        for peer in gone:
            del self._given[peer]
        if gone:
            await self._store.commit([Delete(Table.INVITATIONS, peer) for peer in gone])

    async def _keep_given(self, peer: NodeId, given: Given) -> None:
        await self._store.commit([Put(Table.INVITATIONS, peer, encode(given))])
        self._given[peer] = given

    async def _count_answer(self, holder: NodeId) -> None:
        """Makes durable that the holder learns our part of the words. Raises ``_Void`` if too many have."""
        async with self._taking:
            given = self._given.get(holder)
            if given is None or given.answer_count >= ANSWERS_MAX:
                raise _Void
            await self._keep_given(
                holder, msgspec.structs.replace(given, answer_count=given.answer_count + 1)
            )

    async def _taken_by(self, holder: NodeId, inviter: Inviter, accepted: bytes) -> bytes:
        """The holder has shown who it is. Returns our last word: ``accepted``, once it is written down, or a refusal.

        Several may hold a copy and come at once, so nobody is looked at while another is written down.
        """
        result = inviter.result
        assert result is not None
        peer = NodeId(result.node_key.raw)
        async with self._taking:
            given = self._given.get(holder)
            if given is None or given.used_by not in (b"", peer) or given.use_count >= USES_MAX:
                return inviter.refuse(Refusal.USED)
            used = msgspec.structs.replace(given, used_by=peer, use_count=given.use_count + 1)
            friendship = await self._book.met(
                peer,
                given.name,
                list(result.addresses),
                result.words,
                Role.SPONSOR if given.sponsor else Role.NONE,
                also=[Put(Table.INVITATIONS, holder, encode(used))],
            )
            self._given[holder] = used
            self._met(friendship)
        return accepted

    async def done(self, peer: NodeId) -> None:
        """The friendship is confirmed or ended; its invitation is of no more use."""
        gone = [holder for holder, given in self._given.items() if given.used_by == peer]
        for holder in gone:
            del self._given[holder]
        if gone:
            await self._store.commit([Delete(Table.INVITATIONS, holder) for holder in gone])

    # Taken.

    def pending(self) -> list[dict[str, str]]:
        """The invitations that we pursue, and the last ones that failed, each with its state."""
        return [pursuit.describe() for pursuit in self._pursuits.values()]

    async def join(self, uri: str, name: str) -> dict[str, Any]:
        """Takes up an invitation and pursues it. Raises ``CryptoError`` or ``FriendError`` with a sentence."""
        invitation = Invitation.from_uri_untrusted(uri)
        invitation.check_current(self._clock.now())
        genesis = self._account.genesis
        if genesis is not None and genesis.mesh_id != invitation.mesh_id:
            raise FriendError(
                "This invitation is to another mesh, and a profile is in one: take it up with another profile."
            )
        if invitation.node_key == self._account.node_secret.public:
            raise FriendError("This is an invitation of your own: give it to a friend.")
        known = self._book.get(NodeId(invitation.node_key.raw))
        if known is not None and known.stage is Stage.FRIENDS:
            raise FriendError(
                f"You and {known.name} are friends already. If they have removed you, remove them too and join again."
            )
        live = [pursuit for pursuit in self._pursuits.values() if pursuit.live]
        if invitation.secret not in self._pursuits and len(live) >= JOINS_MAX:
            raise FriendError(
                f"{JOINS_MAX} invitations are under way; wait until some have worked or expired."
            )
        pursuit = self._pursuits.get(invitation.secret)
        if pursuit is None or not pursuit.live:
            pursuit = Pursuit(invitation=invitation, name=shown_name(name))
            await self._keep_taken(pursuit)
            await trio.lowlevel.checkpoint()  # A node that ended during that pursues it when it runs again.
            pursuit = self._start(pursuit)
        with trio.move_on_after(FIRST_TRY_S):
            await pursuit.tried.wait()
        return pursuit.describe()

    async def _keep_taken(self, pursuit: Pursuit) -> None:
        taken = Taken(uri=pursuit.invitation.to_uri(), name=pursuit.name, reveal_count=pursuit.reveal_count)
        await self._store.commit([Put(Table.INVITATIONS, pursuit.invitation.secret, encode(taken))])

    def _start(self, pursuit: Pursuit) -> Pursuit:
        """Begins a pursuit; or returns the one that another call has begun while this one wrote to the disk."""
        secret = pursuit.invitation.secret
        old = self._pursuits.get(secret)
        if old is not None and old.live:
            return old
        # How the last ones failed has been seen by now.
        self._pursuits = {key: each for key, each in self._pursuits.items() if each.live}
        self._pursuits[secret] = pursuit
        assert self._nursery is not None
        self._nursery.start_soon(self._pursue, pursuit)
        return pursuit

    async def _pursue(self, pursuit: Pursuit) -> None:
        """Tries until it works, is refused for good or expires."""
        wait_s = RETRY_S_MIN
        while pursuit.live:
            try:
                pursuit.invitation.check_current(self._clock.now())
                await self._try(pursuit)
            except (Unreachable, ConnectionLost, trio.TooSlowError) as error:
                pursuit.state = waiting(str(error) or "no answer in time")
            except (CryptoError, FriendError, AccountError, Malformed) as error:
                pursuit.state = f"failed: {error}"
                pursuit.live = False
                await self._store.commit([Delete(Table.INVITATIONS, pursuit.invitation.secret)])
            else:
                pursuit.state = "you have met; compare the words"
                pursuit.live = False
                del self._pursuits[pursuit.invitation.secret]
            pursuit.tried.set()
            if pursuit.live:
                await trio.sleep(wait_s * (0.5 + self._random.random()))
                wait_s = min(2 * wait_s, RETRY_S_MAX)

    async def _count_reveal(self, pursuit: Pursuit) -> None:
        """Makes durable that the other side learns our part of the words. Raises ``FriendError`` after too many."""
        if pursuit.reveal_count >= REVEALS_MAX:
            raise FriendError(
                "Their node breaks off each time; somebody may be between you: ask your friend for a new invitation."
            )
        pursuit.reveal_count += 1
        await self._keep_taken(pursuit)

    async def _try(self, pursuit: Pursuit) -> None:
        invitation = pursuit.invitation
        holder = invitation_identity(invitation.secret)
        connection = await self._transport.dial_as(
            holder.seed, NodeId(invitation.node_key.raw), list(invitation.addresses)
        )
        joiner = Joiner(invitation, self._account.node_secret, self._addresses())
        try:
            with trio.fail_after(HANDSHAKE_S_MAX):
                await connection.send(joiner.start())
                while joiner.result is None:
                    reply = joiner.receive_untrusted(await connection.receive())
                    if reply is not None:
                        await self._count_reveal(pursuit)
                        await connection.send(reply)
        except BefriendingFailed as failure:
            if failure.reply is not None:
                await _say(connection, failure.reply)
            raise
        finally:
            await connection.aclose()
        result = joiner.result
        genesis = Genesis.decode_untrusted(result.genesis)
        await self._enter(genesis)
        # Who is not in the roster yet petitions every friend who invited it: the first may never get to it.
        role = Role.NONE if self._is_member() else Role.NEWCOMER
        friendship = await self._book.met(
            NodeId(result.node_key.raw),
            pursuit.name,
            list(invitation.addresses),
            result.words,
            role,
            also=[Delete(Table.INVITATIONS, invitation.secret)],
        )
        self._met(friendship)
        pursuit.name = friendship.name


class _Void(Exception):
    """Too many have been shown our part of an invitation's words."""


async def _say(connection: Connection, message: bytes) -> None:
    """Tells somebody who need not listen."""
    with suppress(ConnectionLost), trio.move_on_after(HANDSHAKE_S_MAX):
        await connection.send(message)
