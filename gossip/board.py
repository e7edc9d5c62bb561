"""The board: what belongs together among the items that are held.

Threads, hearts, flags, votes and retractions, found again by the thing that they are about. It follows from the items
alone, and not from the order in which they came, so all nodes that hold the same count the same. Not a judge: what
comes here is kept. What a reader sees of it is the affair of the driver.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from ..crypto.seeds import commitment_of
from .bodies import FlagBody, HeartBody, MarkBody, VoteBody
from .items import Item, ItemId

__all__ = ["Board", "Tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What members think of one item."""

    hearts: int = 0
    flags: int = 0
    votes: tuple[int, ...] = ()
    """By choice, of a poll."""


@dataclass(slots=True)
class _Thread:
    secrets: dict[ItemId, bytes] = field(default_factory=dict)
    """The tag of its author, by the id of the secret. One at the most, but for a moment in a conflict of slots."""
    replies: dict[ItemId, bytes] = field(default_factory=dict)
    """The tag of whoever wrote it, by the id of the reply; in the order of arrival."""


class Board:
    """The index of one node's items."""

    def __init__(self) -> None:
        self._threads: defaultdict[bytes, _Thread] = defaultdict(_Thread)
        self.secrets: dict[ItemId, bytes] = {}
        """The thread of each secret, in the order in which they came."""
        self._replied: set[ItemId] = set()
        self._choices: dict[ItemId, int] = {}
        """How many choices each poll has."""
        self._marks: defaultdict[bytes, dict[ItemId, MarkBody]] = defaultdict(dict)
        self._committed: defaultdict[bytes, set[ItemId]] = defaultdict(set)
        self._opened: defaultdict[bytes, set[ItemId]] = defaultdict(set)
        """Retractions by the commitments that they open."""

    def fork(self) -> "Board":
        """A board of the same items."""
        other = Board()
        for nonce, thread in self._threads.items():
            other._threads[nonce] = _Thread(thread.secrets.copy(), thread.replies.copy())
        other.secrets, other._replied = self.secrets.copy(), self._replied.copy()
        other._choices = self._choices.copy()
        for target, marks in self._marks.items():
            other._marks[target] = marks.copy()
        for commitment, ids in self._committed.items():
            other._committed[commitment] = ids.copy()
        for commitment, ids in self._opened.items():
            other._opened[commitment] = ids.copy()
        return other

    def add(self, item: Item) -> None:
        """An item is held now."""
        item_id = item.item_id
        if item.secret is not None:
            self._threads[item.secret.thread_nonce].secrets[item_id] = item.tags[1]
            self.secrets[item_id] = item.secret.thread_nonce
        if item.poll is not None:
            self._choices[item_id] = len(item.poll.choices)
        if item.reply is not None:
            self._threads[item.reply.thread_nonce].replies[item_id] = item.tags[1]
            self._replied.add(item_id)
        if item.mark is not None:
            self._marks[item.mark.target][item_id] = item.mark
        if item.commitment is not None:
            self._committed[item.commitment].add(item_id)
        if item.retraction is not None:
            self._opened[commitment_of(item.retraction.opening)].add(item_id)

    def remove(self, item: Item) -> None:
        """An item that was added is held no more."""
        item_id = item.item_id
        self._choices.pop(item_id, None)
        self.secrets.pop(item_id, None)
        self._replied.discard(item_id)
        body = item.secret or item.reply
        if body is not None and (thread := self._threads.get(body.thread_nonce)) is not None:
            thread.secrets.pop(item_id, None)
            thread.replies.pop(item_id, None)
            if not thread.secrets and not thread.replies:
                del self._threads[body.thread_nonce]
        if item.mark is not None:
            _discard(self._marks, item.mark.target, item_id)
        if item.commitment is not None:
            _discard(self._committed, item.commitment, item_id)
        if item.retraction is not None:
            _discard(self._opened, commitment_of(item.retraction.opening), item_id)

    # What is asked of it.

    def tally(self, target: ItemId) -> Tally:
        """What members think of an item."""
        hearts = flags = 0
        votes = [0] * self._choices.get(target, 0)
        for mark in self._marks.get(target, {}).values():
            match mark:
                case HeartBody():
                    hearts += mark.is_set
                case FlagBody():
                    flags += mark.is_set
                case VoteBody(choice=choice) if choice < len(votes):
                    votes[choice] += 1
        return Tally(hearts=hearts, flags=flags, votes=tuple(votes))

    def has_thread(self, thread_nonce: bytes) -> bool:
        """Whether anything of this thread is held."""
        return thread_nonce in self._threads

    def has(self, item_id: bytes) -> bool:
        """Whether this is a secret or a reply that is held."""
        return item_id in self.secrets or item_id in self._replied

    def takes(self, mark: MarkBody) -> bool:
        """Whether this may be marked so, and is held: a secret or a reply, or for a vote a poll.

        Nothing else, least of all another mark: marks take no slot, and marks on marks would never end.
        """
        if isinstance(mark, VoteBody):
            return mark.target in self._choices
        return self.has(mark.target)

    def marked(self) -> Collection[ItemId]:
        """All that anybody has marked."""
        return [ItemId(target) for target in self._marks]

    def marks_on(self, target: bytes) -> Collection[ItemId]:
        """The marks on an item."""
        return self._marks.get(target, {}).keys()

    def replies(self, thread_nonce: bytes) -> Collection[ItemId]:
        """The replies in a thread, in the order in which they came."""
        thread = self._threads.get(thread_nonce)
        return thread.replies.keys() if thread is not None else ()

    def starter(self, thread_nonce: bytes) -> ItemId | None:
        """The secret that the thread is about, if it is held."""
        thread = self._threads.get(thread_nonce)
        return next(iter(thread.secrets), None) if thread is not None else None

    def author_tag(self, thread_nonce: bytes) -> bytes | None:
        """The tag of the author of the secret in its own thread, 33 bytes, if the secret is held."""
        thread = self._threads.get(thread_nonce)
        return next(iter(thread.secrets.values()), None) if thread is not None else None

    def said_by(self, thread_nonce: bytes, tag: bytes) -> Collection[ItemId]:
        """What whoever leaves this tag has said in a thread, the secret itself included."""
        thread = self._threads.get(thread_nonce)
        said = (*thread.secrets.items(), *thread.replies.items()) if thread is not None else ()
        return [item_id for item_id, each in said if each == tag]

    def is_retracted(self, commitment: bytes) -> bool:
        """Whether what has this commitment was taken back."""
        return commitment in self._opened

    def committed(self, commitment: bytes) -> Collection[ItemId]:
        """What is held and has this commitment: one item, unless somebody has repeated another's."""
        return self._committed.get(commitment, ())


def _discard(
    index: "defaultdict[bytes, dict[ItemId, MarkBody]] | defaultdict[bytes, set[ItemId]]",
    key: bytes,
    item_id: ItemId,
) -> None:
    ids = index.get(key)
    if ids is None:
        return
    if isinstance(ids, set):
        ids.discard(item_id)
    else:
        ids.pop(item_id, None)
    if not ids:
        del index[key]
