"""News: what a page or a terminal that looks on is told while it does.

Turns what the driver says has happened into plain dictionaries, each with the key ``news`` for what it is:

    secret   a secret is there now: its card
    reply    a reply is there now: as in its thread
    tally    what members think of an item has changed: its id, and hearts, flags and votes
    gone     an item has expired or was taken back: its id
    whisper  a letter is there now: the ids of its conversation and its own, and whether it is one's own
    outbox   what waits of one's own has changed: to be asked for anew
    mesh     members have come: the status is to be asked for anew

Of what this person does not want to see nothing comes, but what members think of it. Bounded by the driver, which cuts
off who falls behind.
"""

from collections.abc import AsyncIterator
from typing import Any

from ..gossip.events import ItemAccepted, ItemRemoved, LetterKept, RosterChanged
from ..gossip.items import Item, ItemId
from .driver import Driver
from .reading import Reader, Unknown

__all__ = ["news"]


async def news(
    driver: Driver, reader: Reader, *, count: int, waiting_max: int
) -> AsyncIterator[dict[str, Any]]:
    """The newest ``count`` secrets, the latest last, and then all that happens; each secret comes once.

    Ends when the node does, or for a reader that falls ``waiting_max`` behind.
    """
    with driver.follow(waiting_max) as events:
        page = reader.feed("new", before=None, count=count)["secrets"] if count else []
        for secret in reversed(page):
            yield {"news": "secret", **secret}
        shown = {secret["id"] for secret in page}
        async for event in events:
            match event:
                case ItemAccepted(item=item):
                    if item.item_id.hex() not in shown and (told := _told(reader, item)) is not None:
                        yield told
                case ItemRemoved(item_id=item_id):
                    yield {"news": "gone", "id": item_id.hex()}
                case LetterKept(letter=letter) if letter.is_stop:
                    pass
                case LetterKept(letter=letter):
                    yield {
                        "news": "whisper",
                        "conversation": letter.conversation_id.hex(),
                        "id": letter.letter_id.hex(),
                        "mine": letter.is_own,
                    }
                case RosterChanged():
                    yield {"news": "mesh"}
                case _:
                    yield {"news": "outbox"}


def _told(reader: Reader, item: Item) -> dict[str, Any] | None:
    """What to say of an item that has come; None for what is gone by now, is not wanted, or is nobody's business."""
    try:
        if item.mark is not None:
            target = reader.get(ItemId(item.mark.target))
            return {"news": "tally", **(reader.card(target) if target.secret else reader.reply(target))}
        if item.commitment is None or reader.is_muted(item) or reader.is_unwanted(item):
            return None
        if item.secret is not None:
            return {"news": "secret", **reader.card(reader.get(item.item_id))}
        if item.reply is not None:
            return {"news": "reply", **reader.reply(reader.get(item.item_id))}
    except Unknown:
        pass
    return None
