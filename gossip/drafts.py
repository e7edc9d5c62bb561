"""Drafts: what a person wants said, and how it becomes the body of an item.

A draft is checked before anything is spent on it. Slots, seeds and turns are drawn by whoever writes it
(``authoring``); from these and its own words it makes the body.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from ..crypto.membership import Purpose
from ..crypto.seeds import PostSeed
from .bodies import (
    STYLE_MAX,
    Body,
    FlagBody,
    HeartBody,
    Kind,
    PollBody,
    ReplyBody,
    RetractionBody,
    SecretBody,
    VoteBody,
    slot_scope,
    thread_nonce,
)
from .errors import LocalError
from .genesis import MeshId
from .items import ItemId
from .text import CHOICES_MAX, CHOICES_MIN, TEXT_SIZE_MAX, is_tidy, tidy_text

__all__ = ["AnyDraft", "Draft", "Frame", "MarkDraft", "ReplyDraft", "RetractionDraft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a body needs besides its words."""

    mesh_id: MeshId
    epoch: int
    slot: int = 0
    seed: bytes = field(default=b"", repr=False)
    tag: Callable[[bytes], bytes]
    """Our tag in a scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A secret, or a poll."""

    purpose: ClassVar[Purpose | None] = Purpose.POST
    has_seed: ClassVar[bool] = True

    text: str
    """1 to 1,000 bytes of UTF-8 once tidied, with the choices."""
    style: int = 0
    """0 to 63."""
    choices: tuple[str, ...] = ()
    """2 to 6, different and of one line each, for a poll."""

    def check(self) -> None:
        """Raises ``LocalError``."""
        _tidied(self.text, "A secret")
        if not 0 <= self.style <= STYLE_MAX:
            raise LocalError(f"A style is a number from 0 to {STYLE_MAX}.")
        if self.choices:
            self._choices()

    def _choices(self) -> list[str]:
        choices = [tidy_text(each) or "" for each in self.choices]
        if not CHOICES_MIN <= len(choices) <= CHOICES_MAX:
            raise LocalError(f"A poll has {CHOICES_MIN} to {CHOICES_MAX} choices.")
        if not is_tidy(_tidied(self.text, "A poll"), choices):
            raise LocalError(
                "The choices of a poll are different from each other, of one line each, and with its text at most "
                f"{TEXT_SIZE_MAX:,} bytes."
            )
        return choices

    def body(self, frame: Frame) -> Body:
        """The body. ``check`` has passed."""
        seed = PostSeed(frame.seed)
        reply_key, retraction = seed.reply_secret.public.raw, seed.retraction_commitment
        slot_tag = frame.tag(slot_scope(frame.mesh_id, Purpose.POST, frame.epoch, frame.slot))
        text, choices = _tidied(self.text, "A secret"), self._choices() if self.choices else []
        nonce = thread_nonce(slot_tag, reply_key, retraction, [text, *choices])
        if choices:
            return PollBody(
                slot=frame.slot,
                text=text,
                style=self.style,
                thread_nonce=nonce,
                reply_key=reply_key,
                retraction=retraction,
                choices=choices,
            )
        return SecretBody(
            slot=frame.slot,
            text=text,
            style=self.style,
            thread_nonce=nonce,
            reply_key=reply_key,
            retraction=retraction,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDraft:
    """An answer in a thread."""

    purpose: ClassVar[Purpose | None] = Purpose.REPLY
    has_seed: ClassVar[bool] = True

    thread_nonce: bytes
    """32 bytes."""
    text: str
    """1 to 1,000 bytes of UTF-8 once tidied."""

    def check(self) -> None:
        """Raises ``LocalError``."""
        _tidied(self.text, "A reply")

    def body(self, frame: Frame) -> Body:
        """The body. ``check`` has passed."""
        return ReplyBody(
            slot=frame.slot,
            text=_tidied(self.text, "A reply"),
            thread_nonce=self.thread_nonce,
            retraction=PostSeed(frame.seed).retraction_commitment,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkDraft:
    """A heart, a flag or a vote."""

    purpose: ClassVar[Purpose | None] = None
    has_seed: ClassVar[bool] = False

    kind: Kind
    target: ItemId
    choice: int = 0
    """Of a vote."""
    turn: int = 0

    def check(self) -> None:
        """Raises ``LocalError``."""

    def body(self, frame: Frame) -> Body:  # noqa: ARG002
        """The body."""
        if self.kind is Kind.VOTE:
            return VoteBody(target=self.target, turn=self.turn, choice=self.choice)
        return {Kind.HEART: HeartBody, Kind.FLAG: FlagBody}[self.kind](target=self.target, turn=self.turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractionDraft:
    """That something of ours is taken back."""

    purpose: ClassVar[Purpose | None] = Purpose.REPLY
    has_seed: ClassVar[bool] = False

    seed: bytes = field(repr=False)
    """Of what is taken back."""

    def check(self) -> None:
        """Raises ``LocalError``."""

    def body(self, frame: Frame) -> Body:
        """The body."""
        return RetractionBody(slot=frame.slot, opening=PostSeed(self.seed).retraction)


AnyDraft = Draft | ReplyDraft | MarkDraft | RetractionDraft


def _tidied(text: str, what: str) -> str:
    tidy = tidy_text(text)
    if tidy is None:
        raise LocalError(f"{what} is 1 to {TEXT_SIZE_MAX:,} bytes of text without control characters.")
    return tidy
