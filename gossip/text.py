"""Text: what of a person's words may be published.

Not a judge of what they mean. Normalised, so that one text has one encoding, and without characters that terminals
obey. Specified in docs/protocol.md.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["CHOICES_MAX", "CHOICES_MIN", "TEXT_SIZE_MAX", "is_tidy", "tidy_text"]

#: Bytes of UTF-8 in a secret, with the choices of its poll, or in a reply.
TEXT_SIZE_MAX: Final = 1_000
#: Choices of a poll.
CHOICES_MIN: Final = 2
CHOICES_MAX: Final = 6

#: Unicode's category Cc, which is fixed for ever, but for the line feed.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def tidy_text(text: str) -> str | None:
    """The text as it may be published, or None if it may not.

    Normalised to NFC, surrounding white space gone, tabs expanded, every line break a line feed. None if nothing
    is left, if it takes more than ``TEXT_SIZE_MAX`` bytes of UTF-8, or if it holds any other control character
    (terminals obey them) or a lone surrogate.
    """
    tidy = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4))
    tidy = tidy.strip()
    try:
        size = len(tidy.encode("utf-8"))
    except UnicodeEncodeError:
        return None
    if not 1 <= size <= TEXT_SIZE_MAX:
        return None
    return None if _CONTROL.search(tidy) else tidy


def is_tidy(text: str, choices: Sequence[str] = ()) -> bool:
    """Whether a text may be published as it stands, with these choices of a poll: different ones, of one line each."""
    if any(tidy_text(each) != each for each in (text, *choices)):
        return False
    if any("\n" in choice for choice in choices) or len(set(choices)) != len(choices):
        return False
    return len("".join((text, *choices)).encode()) <= TEXT_SIZE_MAX
