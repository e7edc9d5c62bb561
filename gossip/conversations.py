"""Conversations: the letters that we keep, by whom we whisper with.

Whose they are and how they come is the affair of ``whispers``. Here is what is kept of them, and what goes when there
are too many: first of conversations beyond a share of all, then of strangers, about the secret that most of them write
about. So who writes hundreds, answered or not, under one key or many, pushes out little of what others have written.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from .events import Event, LettersForgotten, LettersRead
from .items import ItemId
from .letters import Letter

__all__ = ["CONVERSATION_MAX", "LETTERS_MAX", "Conversation", "Conversations", "LetterKey"]

#: Letters that are kept, both ways, in all conversations: as many as the disk has rows for.
LETTERS_MAX: Final = 256
#: Letters of one conversation from which on it gives way before all others: a quarter.
CONVERSATION_MAX: Final = LETTERS_MAX // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterKey:
    """A key of ours that somebody may whisper to."""

    about: ItemId
    """The secret that this is about."""
    epoch: int
    """In which it was made."""
    secret: bytes = field(repr=False)
    """32 bytes of X25519, as the public half."""
    public: bytes


@dataclass(slots=True)
class Conversation:
    """What has been whispered between us and one other. There is always a letter in it."""

    key: LetterKey
    is_author: bool
    """Whether it is about a secret of ours."""
    letters: dict[ItemId, Letter] = field(default_factory=dict)
    """In order."""

    @property
    def newest(self) -> Letter:
        return next(reversed(self.letters.values()))

    @property
    def conversation_id(self) -> bytes:
        """32 bytes."""
        return self.newest.conversation_id

    @property
    def about(self) -> ItemId:
        """The secret that it began with."""
        return self.key.about

    @property
    def own_key(self) -> bytes:
        return self.key.public

    @property
    def other_key(self) -> bytes:
        return self.newest.other_key

    @property
    def unread_count(self) -> int:
        return sum(not letter.is_read for letter in self.letters.values())

    @property
    def is_mutual(self) -> bool:
        """Whether we have written in it ourselves."""
        return any(letter.is_own for letter in self.letters.values())


class Conversations:
    """All that one node has."""

    def __init__(self) -> None:
        self._conversations: dict[bytes, Conversation] = {}
        self._places: dict[ItemId, bytes] = {}
        """The conversation of each letter."""
        self.next_place = 0
        """Of the letter that comes next, in the order of all."""

    def __len__(self) -> int:
        """Letters."""
        return len(self._places)

    def __contains__(self, conversation_id: object) -> bool:
        return conversation_id in self._conversations

    @property
    def all(self) -> list[Conversation]:
        """The one with the newest letter first."""
        return sorted(self._conversations.values(), key=lambda each: each.newest.place, reverse=True)

    @property
    def own_keys(self) -> list[LetterKey]:
        """Our keys in those that we began."""
        return [each.key for each in self._conversations.values() if not each.is_author]

    def get(self, conversation_id: bytes) -> Conversation | None:
        return self._conversations.get(conversation_id)

    def begun(self, about: ItemId) -> Conversation | None:
        """The conversation that we began about somebody's secret."""
        found = (each for each in self._conversations.values() if each.about == about and not each.is_author)
        return next(found, None)

    def letter(self, letter_id: ItemId) -> Letter | None:
        place = self._places.get(letter_id)
        return self._conversations[place].letters[letter_id] if place is not None else None

    def letters_about(self, gone: Collection[ItemId]) -> list[ItemId]:
        """Those to us as the author of these secrets."""
        talks = (each for each in self._conversations.values() if each.is_author and each.about in gone)
        return [letter_id for each in talks for letter_id in each.letters]

    def letters_before(self, epoch: int) -> list[ItemId]:
        letters = (letter for each in self._conversations.values() for letter in each.letters.values())
        return [letter.letter_id for letter in letters if letter.epoch < epoch]

    def add(self, letter: Letter, key: LetterKey) -> None:
        """A letter is kept; there is room for it."""
        conversation_id = letter.conversation_id
        conversation = self._conversations.setdefault(
            conversation_id, Conversation(key, is_author=not letter.own_secret)
        )
        conversation.key = key
        conversation.letters[letter.letter_id] = letter
        self._places[letter.letter_id] = conversation_id
        self.next_place = letter.place + 1

    def forget(self, letter_ids: Iterable[ItemId]) -> list[Event]:
        """Erases letters, and conversations with their last."""
        gone = tuple(letter_ids)
        for letter_id in gone:
            conversation_id = self._places.pop(letter_id)
            conversation = self._conversations[conversation_id]
            if len(conversation.letters) > 1:
                del conversation.letters[letter_id]
            else:
                del self._conversations[conversation_id]
        return [LettersForgotten(letter_ids=gone)] if gone else []

    def read(self, conversation_id: bytes) -> list[Event]:
        """Everything in this conversation was read."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            return []
        unread = [letter for letter in conversation.letters.values() if not letter.is_read]
        conversation.letters.update((letter.letter_id, replace(letter, is_read=True)) for letter in unread)
        return [LettersRead(letter_ids=tuple(letter.letter_id for letter in unread))] if unread else []

    def most_dispensable(self) -> ItemId:
        """The oldest of a conversation that has more than its share, or else of those in which we have not written.

        Of these, of the secret that most of them are about, since a stranger may come under any number of keys, and of
        the longest. So who writes much, answered or not, pushes out its own letters and not those of others.
        """
        strangers: Counter[ItemId] = Counter()
        for each in self._conversations.values():
            if not each.is_mutual:
                strangers[each.about] += len(each.letters)

        def rank(each: Conversation) -> tuple[bool, bool, int, int, int]:
            count, oldest = len(each.letters), next(iter(each.letters.values())).place
            is_mutual = each.is_mutual
            crowd = 0 if is_mutual else strangers[each.about]
            return count <= CONVERSATION_MAX, is_mutual, -crowd, -count, oldest

        return next(iter(min(self._conversations.values(), key=rank).letters))
