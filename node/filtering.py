"""Filtering: whether a text has a word that its reader does not want to see, however somebody has spelt it.

Texts and words are *folded* alike before they are compared: compatible forms, case, accents and signs that nobody sees
are gone, and letters of Greek, Cyrillic and of fancy alphabets that look like Latin ones are taken for these. What is
left through on purpose: letters set apart (``w o r d``), digits for letters, and words within words, since who filters
"ass" wants to read of classes. Nothing of this is kept or shown.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

__all__ = ["Filter"]

#: Signs that nobody sees, and those that stand on, under or around a letter: Unicode's default ignorable code points,
#: annotations, and the combining marks that belong to no script.
_UNSEEN: Final = re.compile(
    "[\u00ad\u0300-\u036f\u0483-\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

#: Small letters, and the Latin ones that they or their capitals look like.
_LOOKALIKES: Final = {
    # Cyrillic.
    "авеѕіјкмнорстухүһԁԍԛԝӏґ": "abesijkmhopctyxyhdgqwir",
    # Greek.
    "αβγεζηικμνορτυχ": "abyeznikmvoptux",
    # Small capitals, and other Latin letters that have no compatible form.
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢıȷłøđħŧƀɑɡ": "abcdefghijklmnopqrstuvwyzijlodhtbag",
}
_ALPHABETS: Final = (0x1F150, 0x1F170, 0x1F1E6)
"""Where alphabets of letters in circles, squares and flags begin."""

_LATIN: Final = {
    **{
        ord(each): latin
        for letters, latins in _LOOKALIKES.items()
        for each, latin in zip(letters, latins, strict=True)
    },
    **{first + place: chr(ord("a") + place) for first in _ALPHABETS for place in range(26)},
}


class Filter:
    """What one reader does not want to read."""

    def __init__(self, phrases: Collection[str]) -> None:
        """Words, or phrases of several words, whatever stands between these."""
        words = [r"[\W_]+".join(map(re.escape, _folded(each).split())) for each in phrases]
        words = [each for each in words if each]
        # An underscore is a letter to regular expressions, and to nobody else.
        self._pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])") if words else None

    def matches(self, text: str) -> bool:
        """Whether any of them is in this text."""
        return self._pattern is not None and self._pattern.search(_folded(text)) is not None


def _folded(text: str) -> str:
    for _ in range(2):  # A small letter may have a compatible form of its own.
        text = unicodedata.normalize("NFKD", text).casefold()
    # Whole again, where a script needs its signs.
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text).translate(_LATIN))
