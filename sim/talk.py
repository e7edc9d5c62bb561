"""Talk: what members say about secrets: replies, hearts, whispers, and answers to these.

Who takes part in a secret's talk is drawn when it is first seen: so many repliers, hearts and whisperers as chance
makes of their means, drawn uniformly among those who are no spies. Each does so at a random time after the secret
has come to its node, as a person would who finds it there; whoever is whispered to answers, or does not. A node that
will not for now, or is down, is asked again every few minutes like those that post, as long as there is time.

Nothing here depends on what anybody but the speaker knows, and each secret and each letter has a stream of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from ..gossip.bodies import Kind
from ..gossip.drafts import MarkDraft, ReplyDraft
from ..gossip.engine import Engine
from ..gossip.items import ItemId
from ..gossip.letters import Letter
from .hosts import Host
from .loop import ticks
from .network import Network
from .seeds import Stream
from .workload import AGAIN_S, Post, Workload

if TYPE_CHECKING:
    from .scenario import Scenario

__all__ = ["Saying", "Talk"]


class Saying(StrEnum):
    """What somebody says about a secret."""

    #: In its thread.
    REPLIES = "replies"
    #: One per member and secret.
    HEARTS = "hearts"
    #: To its author.
    WHISPERS = "whispers"
    #: In a conversation of whispers that there is.
    ANSWERS = "answers"


Words = Callable[[Engine, float], ItemId]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    saying: Saying
    about: ItemId
    conversation_id: bytes = b""
    """Of an answer."""


class Talk:
    """The talk of one run."""

    def __init__(
        self,
        network: Network,
        workload: Workload,
        authors: Sequence[int],
        scenario: "Scenario",
        last: int,
        random: Stream,
    ) -> None:
        """``authors`` are those who talk, ``last`` the tick after which nobody wants to."""
        self.said: dict[Saying, dict[ItemId, Post]] = {saying: {} for saying in Saying}
        """What nodes took from their members, the letters by their ids."""
        self.refused_counts: dict[Saying, int] = dict.fromkeys(Saying, 0)
        """What no time was left for."""
        self._network = network
        self._secrets = workload.posts
        self._authors = authors
        self._scenario = scenario
        self._last = last
        self._random = random
        self._wishes: dict[ItemId, dict[int, list[_Wish]]] = {}
        """By secret and member: what they will want to say once they have it."""
        if scenario.talks:
            network.on_item.append(self._arrived)
            network.on_letter.append(self._came)

    # Who will say what.

    def _arrived(self, tick: int, host: Host, item_id: ItemId) -> None:
        if item_id in self._secrets:
            if item_id not in self._wishes:
                self._wishes[item_id] = self._drawn(item_id)
                # Where nothing travels in onions the author has had it for a while.
                self._find(self._network.hosts[self._secrets[item_id].author], item_id)
            self._find(host, item_id)
            return
        for said in self.said.values():
            if item_id in said and host.index != said[item_id].author:
                said[item_id].arrivals.setdefault(host.index, tick)

    def _drawn(self, about: ItemId) -> dict[int, list[_Wish]]:
        random, scenario = self._random.stream(f"about {about.hex()}"), self._scenario
        others = [member for member in self._authors if member != self._secrets[about].author]
        # The author may speak in the thread, too.
        drawn = [
            (Saying.REPLIES, self._authors, scenario.replies / scenario.replies_each, scenario.replies_each),
            (Saying.HEARTS, others, scenario.hearts, 1),
            (Saying.WHISPERS, others, scenario.whispers, 1),
        ]
        wishes: dict[int, list[_Wish]] = {}
        for saying, members, mean, each in drawn:
            for member in random.sample(members, min(_poisson(mean, random), len(members))):
                wishes.setdefault(member, []).extend([_Wish(saying=saying, about=about)] * each)
        return wishes

    def _find(self, host: Host, about: ItemId) -> None:
        """A member has a secret, if it has, and says its part about it in its own time."""
        if host.engine is None or about not in host.engine.store:
            return
        random = self._random.stream(f"found {about.hex()} {host.index}")
        for wish in self._wishes[about].pop(host.index, ()):
            self._want(host, wish, random)

    def _came(self, tick: int, host: Host, letter: Letter) -> None:
        if letter.is_own:
            return
        for saying in (Saying.WHISPERS, Saying.ANSWERS):
            whispered = self.said[saying].get(letter.letter_id)
            if whispered is not None:
                whispered.arrivals.setdefault(host.index, tick)
                random = self._random.stream(f"letter {letter.letter_id.hex()}")
                if random.random() < self._scenario.answers:
                    wish = _Wish(
                        saying=Saying.ANSWERS, about=letter.about, conversation_id=letter.conversation_id
                    )
                    self._want(host, wish, random)

    # Saying it.

    def _want(self, host: Host, wish: _Wish, random: Stream) -> None:
        tick = self._network.loop.tick + ticks(random.exponential(self._scenario.later_s))
        if tick < self._last:
            self._network.loop.at(tick, self._say, host, (wish, tick))
        else:
            self.refused_counts[wish.saying] += 1

    def _say(self, host: Host, what: tuple[_Wish, int]) -> None:
        wish, asked_tick = what
        words = _words(host.engine, wish) if host.engine is not None else None
        item_id = self._network.say(host, words) if words is not None else None
        if item_id is not None:
            self.said[wish.saying][item_id] = Post(
                author=host.index, asked_tick=asked_tick, item_id=item_id, about=wish.about
            )
            return
        again = self._network.loop.tick + ticks(self._random.exponential(AGAIN_S))
        if again < self._last:
            self._network.loop.at(again, self._say, host, what)
        else:
            self.refused_counts[wish.saying] += 1


def _words(engine: Engine, wish: _Wish) -> Words | None:
    """How it is said at this node; None if what it is about is not there."""
    about, nonce = wish.about, engine.board.secrets.get(wish.about)
    if nonce is None:
        return None
    match wish.saying:
        case Saying.REPLIES:
            reply = ReplyDraft(thread_nonce=nonce, text="a reply")
            return lambda engine, now: engine.publish(reply, now)
        case Saying.HEARTS:
            heart = MarkDraft(kind=Kind.HEART, target=about)
            return lambda engine, now: engine.publish(heart, now)
        case Saying.WHISPERS:
            return lambda engine, now: engine.whisper(about, "a whisper", now)
        case Saying.ANSWERS:
            if engine.whispers.conversation(wish.conversation_id) is None:
                return None
            return lambda engine, now: engine.answer(wish.conversation_id, "an answer", now)


def _poisson(mean: float, random: Stream) -> int:
    """A count of this mean: of arrivals in a unit of time."""
    count, at = 0, random.exponential(1.0)
    while at < mean:
        count += 1
        at += random.exponential(1.0)
    return count
