"""An author and whisperers without a network: what one says, the other hears at once."""

from fakenet import Seeded

from rumor.crypto import onion
from rumor.crypto.onion import Command, Payload
from rumor.gossip.items import ItemId
from rumor.gossip.letters import SealedLetter
from rumor.gossip.suite import Real
from rumor.gossip.whispers import Whispers

SEED = b"s" * 32
ABOUT = ItemId(b"a" * 32)
SOURCE = Seeded("whispers")


def pair() -> tuple[Whispers, Whispers, bytes]:
    """An author, a whisperer, and the reply key."""
    author, whisperer = Whispers(Real()), Whispers(Real())
    author.listen(ABOUT, 10, SEED)
    return author, whisperer, author.keys[0].public


def carried(letter: SealedLetter) -> bytes:
    """The innermost onion."""
    payload = Payload(command=Command.WHISPER, content=letter.content)
    return onion.wrap([letter.recipient], payload, SOURCE.randbytes)


def said(speaker: Whispers, reply_key: bytes, text: str, about: ItemId = ABOUT) -> bytes:
    row, _ = speaker.whisper(about, reply_key, text, 10, SOURCE)
    return carried(row.body)


def heard(listener: Whispers) -> list[str]:
    return [letter.text for each in listener.conversations for letter in each.letters.values()]
