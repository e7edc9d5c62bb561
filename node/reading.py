"""Reading: what there is to read at this node, and how it is shown.

Puts together what the engine holds, what members think of it (``gossip.board``) and what this person wants to see
(``preferences``): the feed, threads, what is one's own as long as it is linked, and the search. Everything is a plain
dictionary, the same for the command line and the page. Answers go to this person and nobody else.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from ..crypto.membership import Purpose, scope
from ..gossip.bodies import Kind, MarkBody, PollBody, ReplyBody, SecretBody
from ..gossip.engine import Engine
from ..gossip.errors import LocalError
from ..gossip.items import Item, ItemId
from ..gossip.personas import persona
from ..gossip.whispers import takes_whispers
from .preferences import Preferences, Sort
from .search import Search

__all__ = ["FEEDS", "PREFIX_MIN", "Reader", "Unknown", "only"]

FEEDS: Final = ("new", "loved", "subscribed", "mine", "hidden")
#: Hexadecimal digits by which an item may be named, if no other begins so.
PREFIX_MIN: Final = 6


class Unknown(LocalError):
    """There is nothing like that here: it was never seen, has expired, or was taken back."""


def only(text: str, ids: Iterable[bytes], nothing: str) -> bytes:
    """The one of these whose hexadecimal digits begin so. Raises ``Unknown``, which says ``nothing`` if none does."""
    found = [each for each in ids if each.hex().startswith(text)]
    if len(found) != 1:
        raise Unknown(nothing if not found else f"'{text}' may be any of {len(found)}: give more digits.")
    return found[0]


class Reader:
    """One person's view of one engine."""

    def __init__(self, engine: Engine, preferences: Preferences) -> None:
        self._engine = engine
        self._preferences = preferences
        self._search = Search()
        self._search.add(
            (item_id, _text(body))
            for item_id in engine.board.secrets
            if (body := self._secret(item_id)) is not None
        )

    def came(self, item: Item) -> None:
        """An item was accepted."""
        if item.secret is not None:
            self._search.add([(item.item_id, _text(item.secret))])

    def went(self, item_id: ItemId) -> None:
        """An item is gone."""
        self._search.remove(item_id)

    @property
    def mesh_name(self) -> str:
        return self._engine.genesis.name

    # Lists.

    def feed(self, order: str, *, before: str | None, count: int, query: str = "") -> dict[str, Any]:
        """A page of secrets.

        Args:
            order: one of ``FEEDS``.
            before: the id of the last one on the page before; None for the first page.
            count: of a page.
            query: only what has these words, of what is in that order.

        Raises:
            LocalError: for another order.
        """
        ids = self._ordered(order)
        if query:
            found = set(self._search.find(query, len(self._engine.board.secrets)))
            ids = [each for each in ids if each in found]
        last = ItemId(bytes.fromhex(before or ""))
        if last in ids:
            ids = ids[ids.index(last) + 1 :]
        cards: list[dict[str, Any]] = []
        left_out = 0
        more = False
        for item_id in ids:
            if len(cards) == count:
                more = True
                break
            item = self._engine.store.get(item_id)
            if item is None or item.secret is None:
                continue
            if order != "hidden" and self.is_unwanted(item):
                left_out += 1
                continue
            cards.append(self.card(item))
        return {"secrets": cards, "more": more, "left_out": left_out}

    def _ordered(self, order: str) -> list[ItemId]:
        board, preferences = self._engine.board, self._preferences
        newest = list(reversed(board.secrets))
        match order:
            case "new":
                return newest
            case "loved":
                hearts = {each: board.tally(each).hearts for each in board.marked() if each in board.secrets}
                places = {item_id: place for place, item_id in enumerate(newest)}
                loved = [each for each in hearts if hearts[each]]
                return heapq.nsmallest(len(loved), loved, key=lambda each: (-hearts[each], places[each]))
            case "subscribed":
                return [each for each in newest if preferences.has(Sort.SUBSCRIBED, board.secrets[each])]
            case "mine":
                return [each for each in newest if each in self._engine.author.seeds]
            case "hidden":
                return [each for each in newest if self._is_hidden(each)]
        raise LocalError(f"A feed is one of {', '.join(FEEDS)}, and not '{order}'.")

    def _is_hidden(self, item_id: ItemId) -> bool:
        thread = self._engine.board.secrets.get(item_id, b"")
        return self._preferences.has(Sort.HIDDEN, item_id) or self._preferences.has(Sort.MUTED, thread)

    def is_unwanted(self, item: Item) -> bool:
        """Whether a secret or a reply is hidden, or has a word that is filtered."""
        body = item.body
        assert isinstance(body, SecretBody | ReplyBody)
        return self._is_hidden(item.item_id) or self._preferences.is_filtered(_text(body))

    def is_muted(self, item: Item) -> bool:
        """Whether nothing in the thread of a secret or a reply is wanted."""
        body = item.body
        assert isinstance(body, SecretBody | ReplyBody)
        return self._preferences.has(Sort.MUTED, body.thread_nonce)

    def thread(self, item_id: ItemId, *, whole: bool = False) -> dict[str, Any]:
        """A secret, named by itself or by one of its replies, with all of them that are wanted, or all if ``whole``.

        Raises ``Unknown``.
        """
        item = self.get(item_id)
        if isinstance(item.body, ReplyBody):
            starter = self._engine.board.starter(item.body.thread_nonce)
            if starter is None:
                raise Unknown("This replies to a secret that is not here: it has expired, or was taken back.")
            item = self.get(starter)
        assert item.secret is not None
        replies = [self.get(each) for each in self._engine.board.replies(item.secret.thread_nonce)]
        wanted = [reply for reply in replies if whole or not self.is_unwanted(reply)]
        return {
            "secret": self.card(item),
            "replies": [self.reply(reply) for reply in wanted],
            "left_out": len(replies) - len(wanted),
        }

    def said(self, item_id: ItemId) -> int:
        """How much we have said under our face in the thread of this, as far as it is linked to us; also what waits."""
        body, author, board = self.get(item_id).body, self._engine.author, self._engine.board
        assert isinstance(body, SecretBody | ReplyBody)
        nonce = body.thread_nonce
        there = board.said_by(nonce, author.tag(self._scope(nonce))) if author.key is not None else ()
        waiting = (row.body for row in author.outbox if isinstance(row.body, ReplyBody))
        return sum(each in author.seeds for each in there) + sum(
            each.thread_nonce == nonce for each in waiting
        )

    # Single things.

    def get(self, item_id: ItemId) -> Item:
        """A secret or a reply. Raises ``Unknown``."""
        item = self._engine.store.get(item_id)
        if item is None or item.commitment is None:
            raise Unknown(str(Unknown.__doc__))
        return item

    def find(self, text: str) -> ItemId:
        """The id of a secret or a reply by its first hexadecimal digits, six at the least. Raises ``Unknown``."""
        if _is_hex(text) and len(text) == 2 * 32:
            return self.get(ItemId(bytes.fromhex(text))).item_id
        if len(text) < PREFIX_MIN:
            raise Unknown(f"'{text}' is too short: give {PREFIX_MIN} digits of an id at the least.")
        board = self._engine.board
        replies = (each for nonce in board.secrets.values() for each in board.replies(nonce))
        return ItemId(only(text, chain(board.secrets, replies), str(Unknown.__doc__)))

    def card(self, item: Item) -> dict[str, Any]:
        """A secret for a reader: the epoch's start is all that is known of its time."""
        body = item.secret
        assert body is not None
        replies = self._engine.board.replies(body.thread_nonce)
        read = self._preferences.read_count(body.thread_nonce)
        begun = self._engine.whispers.begun(item.item_id)
        return {
            **self._described(item),
            "kind": "poll" if isinstance(body, PollBody) else "secret",
            "style": body.style,
            "replies": len(replies),
            "subscribed": read is not None,
            "unread": max(0, len(replies) - read) if read is not None else 0,
            "muted": self._preferences.has(Sort.MUTED, body.thread_nonce),
            "may_whisper": item.item_id not in self._engine.author.seeds and takes_whispers(body.reply_key),
            "conversation": begun.conversation_id.hex() if begun is not None else None,
            "closed": self._engine.whispers.is_closed(item.item_id),
            "poll": self._poll(item),
        }

    def reply(self, item: Item) -> dict[str, Any]:
        """A reply, with the face of whoever wrote it."""
        body = item.reply
        assert body is not None
        board = self._engine.board
        starter = board.starter(body.thread_nonce)
        face, tag = persona(item.tags[1]), item.tags[1]
        return {
            **self._described(item),
            "secret": starter.hex() if starter is not None else None,
            "persona": {
                "icon": face.icon,
                "colour": face.colour,
                "name": face.name,
                "op": tag == board.author_tag(body.thread_nonce),
                "you": self._is_own(body.thread_nonce, tag),
            },
        }

    def tally(self, item: Item) -> dict[str, Any]:
        """What changes about a secret or a reply once it is there."""
        engine, item_id = self._engine, item.item_id
        tally = engine.board.tally(item_id)
        members = len(engine.roster)
        folded = tally.flags >= engine.genesis.parameters.flags_to_fold(members)
        return {
            "hearts": tally.hearts,
            "hearted": self._mark(Kind.HEART, item_id),
            "flags": tally.flags,
            "flagged": self._mark(Kind.FLAG, item_id),
            "folded": folded and not self._preferences.has(Sort.UNFOLDED, item_id),
        }

    def _described(self, item: Item) -> dict[str, Any]:
        body = item.body
        assert isinstance(body, SecretBody | ReplyBody)
        when = datetime.fromtimestamp(self._engine.genesis.start_of(item.epoch), UTC)
        return {
            "id": item.item_id.hex(),
            "text": body.text,
            "epoch": item.epoch,
            "about": when.isoformat(timespec="seconds"),
            "mine": item.item_id in self._engine.author.seeds,
            "hidden": self._preferences.has(Sort.HIDDEN, item.item_id),
            **self.tally(item),
        }

    def _mark(self, kind: Kind, item_id: ItemId) -> str | None:
        """Whether we have given such a mark: None, "given", or "on_its_way" if not everybody knows of a change yet."""
        return _state(self._engine.own_mark(kind, item_id), lambda: self._is_waiting(kind, item_id))

    def _is_waiting(self, kind: Kind, target: ItemId) -> bool:
        bodies: Iterable[Any] = (row.body for row in self._engine.author.outbox)
        return any(
            isinstance(body, MarkBody) and body.kind is kind and body.target == target for body in bodies
        )

    def _poll(self, item: Item) -> dict[str, Any] | None:
        if item.poll is None:
            return None
        votes = self._engine.board.tally(item.item_id).votes
        own = self._engine.own_mark(Kind.VOTE, item.item_id)
        return {
            "choices": [
                {"text": text, "votes": count} for text, count in zip(item.poll.choices, votes, strict=True)
            ],
            "voted": getattr(own, "choice", None),
            "voted_state": self._mark(Kind.VOTE, item.item_id),
        }

    def _is_own(self, thread_nonce: bytes, tag: bytes) -> bool:
        """Whether this is our face in a thread, as long as anything that we have said there is linked to us.

        The tag follows from our key for ever; but who has unlinked it all does not want to be shown it.
        """
        author, board = self._engine.author, self._engine.board
        if author.key is None:
            return False
        return tag == author.tag(self._scope(thread_nonce)) and any(
            each in author.seeds for each in board.said_by(thread_nonce, tag)
        )

    def _scope(self, thread_nonce: bytes) -> bytes:
        return scope(self._engine.genesis.mesh_id, Purpose.THREAD, thread_nonce)

    def _secret(self, item_id: ItemId) -> SecretBody | None:
        item = self._engine.store.get(item_id)
        return item.secret if item is not None else None


def _state(mark: MarkBody | None, is_waiting: Callable[[], bool]) -> str | None:
    if mark is None:
        return None
    if is_waiting():
        return "on_its_way" if mark.is_set else "being_taken_back"
    return "given" if mark.is_set else None


def _text(body: SecretBody | ReplyBody) -> str:
    choices: Sequence[str] = body.choices if isinstance(body, PollBody) else ()
    return "\n".join((body.text, *choices))


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False
