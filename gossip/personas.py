"""Personas: who somebody is in one thread, for the eyes.

A member has one tag in a thread and another in every other, and its face follows from the tag by a fixed table, so
that every node shows the same one. The colours are those of Okabe and Ito ("Color Universal Design", 2008), which
people with any kind of colour vision tell apart; the icon and the name tell what the colour does not. Two members of a
thread may look alike by chance: who has to be sure compares tags.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from ..crypto import labels

__all__ = ["COLOURS", "ICONS", "Persona", "persona"]

ICONS: Final = (
    ("fox", "🦊"), ("owl", "🦉"), ("bear", "🐻"), ("frog", "🐸"), ("cat", "🐱"), ("dog", "🐶"), ("rabbit", "🐰"),
    ("panda", "🐼"), ("koala", "🐨"), ("tiger", "🐯"), ("lion", "🦁"), ("cow", "🐮"), ("pig", "🐷"), ("monkey", "🐵"),
    ("hen", "🐔"), ("penguin", "🐧"), ("duck", "🦆"), ("eagle", "🦅"), ("bat", "🦇"), ("wolf", "🐺"), ("boar", "🐗"),
    ("horse", "🐴"), ("unicorn", "🦄"), ("bee", "🐝"), ("butterfly", "🦋"), ("snail", "🐌"), ("beetle", "🐞"),
    ("ant", "🐜"), ("turtle", "🐢"), ("snake", "🐍"), ("lizard", "🦎"), ("octopus", "🐙"), ("crab", "🦀"),
    ("fish", "🐟"), ("dolphin", "🐬"), ("whale", "🐳"), ("shark", "🦈"), ("seal", "🦭"), ("elephant", "🐘"),
    ("giraffe", "🦒"), ("zebra", "🦓"), ("camel", "🐫"), ("llama", "🦙"), ("deer", "🦌"), ("otter", "🦦"),
    ("sloth", "🦥"), ("hedgehog", "🦔"), ("squirrel", "🐿"), ("badger", "🦡"), ("raccoon", "🦝"), ("swan", "🦢"),
    ("parrot", "🦜"), ("peacock", "🦚"), ("flamingo", "🦩"), ("dragon", "🐲"), ("mushroom", "🍄"), ("cactus", "🌵"),
    ("clover", "🍀"), ("tulip", "🌷"), ("sunflower", "🌻"), ("cherry", "🍒"), ("lemon", "🍋"), ("pear", "🍐"),
    ("acorn", "🌰"),
)  # fmt: skip
"""Names and signs; 64 of them."""

COLOURS: Final = (
    ("orange", "#e69f00"),
    ("sky", "#56b4e9"),
    ("green", "#009e73"),
    ("yellow", "#f0e442"),
    ("blue", "#0072b2"),
    ("red", "#d55e00"),
    ("pink", "#cc79a7"),
    ("grey", "#8c8c8c"),
)
"""Names and RGB values; 8 of them."""

assert 256 % len(ICONS) == 256 % len(COLOURS) == 0


@dataclass(frozen=True, slots=True)
class Persona:
    """A face."""

    icon: str
    """One of the signs."""
    colour: str
    """One of the names of colours."""
    name: str
    """Such as "blue fox"."""


def persona(tag: bytes) -> Persona:
    """The face of whoever leaves this tag in a thread."""
    digest = hashlib.sha256(labels.PERSONA + tag).digest()
    animal, icon = ICONS[digest[0] % len(ICONS)]
    colour, _ = COLOURS[digest[1] % len(COLOURS)]
    return Persona(icon, colour, f"{colour} {animal}")
