"""Whispers: the conversations of one member, each with somebody who is unknown.

A whisper travels as an onion whose last layer is for the reply key of a secret, or for the one-time key of whoever
answered that: to everybody else it is one more packet. So this node tries its *letter keys* on the onions that become
open here: the reply keys of its own secrets while they are linked to it, and the keys of the conversations that it
began. What opens is kept and nothing else follows from it: nothing is sent, announced or confirmed.

Letters expire like items, and are kept in ``conversations``. Unlinking a secret ends those in which we are its author.
Whom an author does not listen to is in ``stops``.
Specified in docs/protocol.md, section 22.
"""

from collections.abc import Iterable
from typing import Final

from ..crypto import onion, whispers
from ..crypto.errors import CryptoError, InvalidKey, WhisperBroken
from ..crypto.onion import Command, Delivered
from ..crypto.seeds import PostSeed
from .conversations import LETTERS_MAX, Conversation, Conversations, LetterKey
from .errors import LocalError
from .events import Event, LetterKept, LettersForgotten, OutboxAdded
from .items import ItemId
from .letters import Letter, SealedLetter
from .letters import conversation_id as conversation_of
from .randomness import RandomSource
from .stops import Stops
from .suite import Suite
from .text import TEXT_SIZE_MAX, is_tidy, tidy_text

__all__ = ["KEYS_MAX", "Whispers", "takes_whispers"]

#: Letter keys that are tried on an onion, the newest first. Each try takes as long as an agreement of keys.
KEYS_MAX: Final = 64


class Whispers:
    """Our letter keys, conversations and letters."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._reply_keys: dict[ItemId, LetterKey] = {}
        """Of our own secrets, by their ids."""
        self._conversations = Conversations()
        self._stops = Stops()
        self._tried: list[LetterKey] | None = None

    # What there is.

    @property
    def conversations(self) -> list[Conversation]:
        """All of them, the one with the newest letter first."""
        return self._conversations.all

    def conversation(self, conversation_id: bytes) -> Conversation | None:
        return self._conversations.get(conversation_id)

    def begun(self, about: ItemId) -> Conversation | None:
        """The conversation that we began about somebody's secret."""
        return self._conversations.begun(about)

    def letter(self, letter_id: ItemId) -> Letter | None:
        return self._conversations.letter(letter_id)

    def is_closed(self, about: ItemId) -> bool:
        """Whether nobody is listened to who begins to whisper about this secret of ours."""
        key = self._reply_keys.get(about)
        return key is not None and self._stops.has(key.public)

    @property
    def keys(self) -> list[LetterKey]:
        """The keys that are tried on an onion, the newest first."""
        if self._tried is None:
            keys = [*self._reply_keys.values(), *self._conversations.own_keys]
            keys.sort(key=lambda key: key.epoch)
            self._tried = keys[: -KEYS_MAX - 1 : -1]
        return self._tried

    # Secrets of ours.

    def listen(self, about: ItemId, epoch: int, seed: bytes) -> None:
        """A secret of ours may be answered from now on, even before we see it come back."""
        secret = PostSeed(seed).reply_secret
        self._reply_keys[about] = LetterKey(
            about=about, epoch=epoch, secret=secret.raw, public=secret.public.raw
        )
        self._tried = None

    def unlinked(self, item_ids: Iterable[ItemId]) -> list[Event]:
        """These are not ours any more as far as can be known here: what was whispered to their author goes."""
        gone = {item_id for item_id in item_ids if self._reply_keys.pop(item_id, None) is not None}
        self._tried = None
        return [*self._stops.forget(gone), *self._forget(self._conversations.letters_about(gone))]

    # Letters of ours.

    def whisper(
        self, about: ItemId, reply_key: bytes, text: str, epoch: int, random: RandomSource
    ) -> tuple[OutboxAdded, list[Event]]:
        """A letter to the author of this secret. Raises ``LocalError``."""
        if about in self._reply_keys:
            raise LocalError("This secret is yours.")
        begun = self._conversations.begun(about)
        if begun is not None:
            return self._write(begun.key, begun.key.secret, begun.other_key, text, epoch, random)
        # Of a real X25519 key also where onions are only simulated: what is inside is always real.
        secret = random.randbytes(whispers.KEY_SIZE)
        key = LetterKey(about=about, epoch=epoch, secret=secret, public=onion.relay_public(secret))
        return self._write(key, secret, reply_key, text, epoch, random)

    def answer(
        self, conversation: Conversation, text: str, epoch: int, random: RandomSource
    ) -> tuple[OutboxAdded, list[Event]]:
        """One more letter in this conversation. Raises ``LocalError``."""
        key = conversation.key
        own_secret = b"" if conversation.is_author else key.secret
        return self._write(key, own_secret, conversation.other_key, text, epoch, random)

    def _write(
        self,
        key: LetterKey,
        own_secret: bytes,
        other_key: bytes,
        text: str,
        epoch: int,
        random: RandomSource,
    ) -> tuple[OutboxAdded, list[Event]]:
        tidy = tidy_text(text)
        if tidy is None:
            raise LocalError(f"A whisper is 1 to {TEXT_SIZE_MAX:,} bytes of text without control characters.")
        number = int.from_bytes(random.randbytes(8), "big")
        try:
            content, mac = whispers.seal(key.secret, other_key, key.about, number=number, text=tidy)
        except InvalidKey as error:
            raise LocalError("This secret takes no whispers: its reply key is none.") from error
        letter = Letter(
            letter_id=ItemId(mac),
            about=key.about,
            own_key=key.public,
            own_secret=own_secret,
            other_key=other_key,
            epoch=epoch,
            place=self._conversations.next_place,
            is_own=True,
            is_read=True,
            text=tidy,
        )
        sealed = SealedLetter(own_key=key.public, recipient=other_key, content=content)
        row = OutboxAdded(item_id=letter.letter_id, epoch=epoch, body=sealed)
        return row, self._keep(letter, key)

    # Letters to us.

    def came(self, payload: bytes, epoch: int) -> list[Event]:
        """An onion has become open here, and no relay key of ours opens it: tries our letter keys on it."""
        for key in self.keys:
            try:
                layer = self._suite.open_onion(payload, key.secret, key.public)
            except CryptoError:
                continue
            if isinstance(layer, Delivered) and layer.payload.command is Command.WHISPER:
                return self._read_untrusted(layer.payload.content, key, epoch)
            return []
        return []

    def _read_untrusted(self, content: bytes, key: LetterKey, epoch: int) -> list[Event]:
        """What is no whisper, or one that is here already, is passed over: nobody is to blame that we know."""
        try:
            whisper = whispers.open_untrusted(content, key.secret, key.about)
        except WhisperBroken:
            return []
        is_author = key.about in self._reply_keys and self._reply_keys[key.about].public == key.public
        begun = None if is_author else self._conversations.begun(key.about)
        if begun is not None and whisper.sender != begun.other_key:
            return []  # Only the author knows our key, and would have answered with the reply key.
        if self.letter(ItemId(whisper.mac)) is not None or not is_tidy(whisper.text):
            return []
        is_new = conversation_of(key.public, whisper.sender) not in self._conversations
        if self._stops.has(key.public, whisper.sender) or (is_new and self._stops.has(key.public)):
            return []
        letter = Letter(
            letter_id=ItemId(whisper.mac),
            about=key.about,
            own_key=key.public,
            own_secret=b"" if is_author else key.secret,
            other_key=whisper.sender,
            epoch=epoch,
            place=self._conversations.next_place,
            is_own=False,
            text=whisper.text,
        )
        return self._keep(letter, key)

    # Keeping and forgetting.

    def restore(self, letters: Iterable[Letter]) -> list[Event]:
        """Takes back what earlier events said, once ``listen`` was told of all secrets of ours."""
        public = {key.public: key for key in self._reply_keys.values()}
        lost: list[ItemId] = []
        for letter in sorted(letters, key=lambda letter: letter.place):
            key = public.get(letter.own_key)
            if letter.own_secret:
                key = LetterKey(
                    about=letter.about, epoch=letter.epoch, secret=letter.own_secret, public=letter.own_key
                )
            if key is None:
                lost.append(letter.letter_id)
            elif letter.is_stop:
                self._stops.restore(letter)
            else:
                self._add(letter, key)
        return [LettersForgotten(letter_ids=tuple(lost))] if lost else []

    def _keep(self, letter: Letter, key: LetterKey) -> list[Event]:
        events = self._make_room()
        self._add(letter, key)
        return [*events, LetterKept(letter=letter)]

    def _make_room(self) -> list[Event]:
        has_room = len(self._conversations) + len(self._stops) < LETTERS_MAX
        return [] if has_room else self._forget([self._conversations.most_dispensable()])

    def _add(self, letter: Letter, key: LetterKey) -> None:
        self._conversations.add(letter, key)
        self._tried = None

    def _forget(self, letter_ids: Iterable[ItemId]) -> list[Event]:
        self._tried = None
        return self._conversations.forget(letter_ids)

    def withdraw(self, letter_id: ItemId) -> list[Event]:
        """A letter of ours will not leave."""
        return self._forget([letter_id]) if self.letter(letter_id) is not None else []

    def forget(self, conversation_id: bytes) -> list[Event]:
        """Erases a conversation."""
        conversation = self._conversations.get(conversation_id)
        return self._forget(list(conversation.letters)) if conversation is not None else []

    def end(self, conversation_id: bytes) -> list[Event]:
        """Erases a conversation; what the other whispers in it from now on is dropped unseen."""
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            return []
        key, other_key = conversation.key, conversation.other_key
        events = self.forget(conversation_id)
        # Of one that we began only the author knows our key, and that is gone now.
        return events + self._stop(key, other_key) if conversation.is_author else events

    def close(self, about: ItemId) -> list[Event]:
        """Listens to nobody any more who begins to whisper about this secret of ours. Raises ``LocalError``."""
        key = self._reply_keys.get(about)
        if key is None:
            raise LocalError("Only about what is yours and still linked to you can you refuse whispers.")
        return self._stop(key)

    def reopen(self, about: ItemId) -> list[Event]:
        """Listens again to whoever begins to whisper about a secret."""
        key = self._reply_keys.get(about)
        return self._stops.lift(key.public) if key is not None else []

    def _stop(self, key: LetterKey, *other_key: bytes) -> list[Event]:
        if self._stops.has(key.public, *other_key):
            return []
        events, place = self._make_room(), self._conversations.next_place
        return events + self._stops.add(key.about, key.epoch, key.public, *other_key, place=place)

    def expire(self, floor: int) -> list[Event]:
        """Erases what is of epochs before ``floor``."""
        return [*self._stops.expire(floor), *self._forget(self._conversations.letters_before(floor))]

    def read(self, conversation_id: bytes) -> list[Event]:
        """Everything in this conversation was read."""
        return self._conversations.read(conversation_id)


def takes_whispers(reply_key: bytes) -> bool:
    """Whether whispers can be sealed to this key."""
    try:
        onion.check_relay_key(reply_key)
    except InvalidKey:
        return False
    return True
