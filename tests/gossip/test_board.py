"""The board: what is counted follows from the items, in whatever order they came."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import membership
from rumor.crypto.membership import Ring
from rumor.crypto.seeds import commitment_of
from rumor.gossip.board import Board, Tally
from rumor.gossip.bodies import (
    TURN_MAX,
    Body,
    FlagBody,
    HeartBody,
    MarkBody,
    PollBody,
    ReplyBody,
    RetractionBody,
    VoteBody,
)
from rumor.gossip.genesis import Genesis, Parameters
from rumor.gossip.holdings import Holdings
from rumor.gossip.items import Item
from rumor.gossip.packets import Content, Packet, pad_item

KEYS = [membership.keypair()[1] for _ in range(2)]
GENESIS = Genesis.found("board", KEYS[0], Parameters())
RING = Ring(KEYS)
NONCE = b"n" * 32
OPENING = b"o" * 32


def item(body: Body, tag: bytes, epoch: int = 9) -> Item:
    """An item of whoever leaves this tag."""
    tags = (tag.ljust(33, b"."), b"p" * 33)[: body.scope_count]
    return Item(body.kind, epoch, body, tags, b"".join(tags).ljust(100, b"#"), RING.root)


POLL = item(
    PollBody(
        slot=0,
        text="tea or coffee?",
        style=0,
        thread_nonce=NONCE,
        reply_key=bytes(32),
        retraction=commitment_of(OPENING),
        choices=["tea", "coffee", "water"],
    ),
    b"author",
)
RETRACTION = item(RetractionBody(slot=3, opening=OPENING), b"slot")


def mark(kind: type[HeartBody | FlagBody], member: int, turn: int, epoch: int = 9) -> Item:
    return item(kind(target=POLL.item_id, turn=turn), bytes([kind.purpose, member]), epoch)


def vote(member: int, turn: int, choice: int) -> Item:
    return item(VoteBody(target=POLL.item_id, turn=turn, choice=choice), bytes([10, member]))


marks = st.one_of(
    st.builds(
        mark,
        st.sampled_from([HeartBody, FlagBody]),
        st.integers(0, 3),
        st.integers(0, TURN_MAX),
        st.integers(8, 10),
    ),
    st.builds(vote, st.integers(0, 3), st.integers(0, TURN_MAX), st.integers(0, 5)),
)


def expected(said: Sequence[Item]) -> Tally:
    """The tally by definition: of each member's marks of one kind the last turn, then the first choice."""
    last: dict[bytes, Item] = {}
    for each in said:
        held = last.get(each.tags[0])
        if held is None or each.rank < held.rank:
            last[each.tags[0]] = each
    bodies = [each.body for each in last.values()]
    chosen = [body.choice for body in bodies if isinstance(body, VoteBody)]
    return Tally(
        hearts=sum(isinstance(body, HeartBody) and body.turn % 2 == 0 for body in bodies),
        flags=sum(isinstance(body, FlagBody) and body.turn % 2 == 0 for body in bodies),
        votes=tuple(chosen.count(choice) for choice in range(3)),
    )


def kept(offered: Sequence[Item]) -> Holdings:
    """What a node holds to which all of this was offered in turn, and what it lacks once more at the end."""
    holdings = Holdings(GENESIS)
    for each in [*offered, *sorted(offered, key=lambda each: each.mark is not None)]:
        if holdings.lacking([each.item_id]):
            holdings.keep(each, RING)
    return holdings


@given(st.lists(marks, max_size=12), st.data())
def test_every_node_counts_alike_whatever_the_order_and_however_often(
    said: list[Item], data: st.DataObject
) -> None:
    """Permuted, repeated, and with some lost at first, the tally is that of the definition."""
    offered = data.draw(st.permutations([POLL, *said, *said[:3]]))
    lost = data.draw(st.sets(st.integers(0, len(offered))))
    early = [each for number, each in enumerate(offered) if number not in lost]
    holdings = kept([*early, *offered])
    assert holdings.board.tally(POLL.item_id) == expected(said)
    again = Holdings(GENESIS)
    again.restore([each for each in map(holdings.store.get, _ids(holdings)) if each is not None], [], [])
    assert again.board.tally(POLL.item_id) == holdings.board.tally(POLL.item_id)
    assert holdings.fork().board.tally(POLL.item_id) == holdings.board.tally(POLL.item_id)


@given(st.permutations(range(12)), st.sampled_from([HeartBody, FlagBody, VoteBody]))
def test_a_member_cannot_fill_the_mesh_with_marks_of_one_turn(order: list[int], kind: type[MarkBody]) -> None:
    """One for each epoch, in any order: two are taken at the most, and what they say is counted once."""
    fields = {"choice": 1} if kind is VoteBody else {}
    many = [item(kind(target=POLL.item_id, turn=0, **fields), b"member", epoch) for epoch in range(12)]
    holdings = Holdings(GENESIS)
    holdings.keep(POLL, RING)
    taken = [holdings.keep(many[number], RING) is not None for number in order]
    assert 1 <= sum(taken) <= 2
    tally = holdings.board.tally(POLL.item_id)
    assert (tally.hearts, tally.flags, sum(tally.votes)).count(1) == 1


def _ids(holdings: Holdings) -> list[bytes]:
    return [item_id for _, item_id in holdings.store.sets[1]]


@given(st.lists(marks, max_size=6), st.data())
def test_what_is_taken_back_is_gone_with_all_that_was_thought_of_it(
    said: list[Item], data: st.DataObject
) -> None:
    """Whatever the order, in the end nobody holds the poll, a mark on it, or a packet that shows it."""
    payload = pad_item(POLL.encoding)
    packet = Packet(Content.ITEM, 9, 1, RING.root, b"q" * 200, payload)
    holdings = Holdings(GENESIS)
    holdings.keep_packet(packet)
    for each in data.draw(st.permutations([POLL, RETRACTION, POLL, *said])):
        holdings.keep(each, RING)
    assert _ids(holdings) == [RETRACTION.item_id]
    assert holdings.board.tally(POLL.item_id) == Tally()
    assert not holdings.lacking([POLL.item_id])
    assert packet.item_id not in holdings.store
    again = Holdings(GENESIS)
    again.restore([RETRACTION], [], [])
    assert again.keep(POLL, RING) is None


def test_a_packet_that_comes_after_the_retraction_is_not_kept_either() -> None:
    """Whoever was away has it still, and would bring back what it carries."""
    holdings = Holdings(GENESIS)
    carrier = Packet(Content.ITEM, 9, 0, RING.root, b"t" * 64, pad_item(POLL.encoding))
    onion = Packet(Content.ONION, 9, 1, RING.root, b"u" * 64, carrier.payload)
    other = Packet(Content.ITEM, 9, 2, RING.root, b"v" * 64, pad_item(RETRACTION.encoding))
    holdings.keep(RETRACTION, RING)
    assert holdings.keep_packet(carrier) is None
    assert holdings.lacking([carrier.item_id]) == []
    assert holdings.keep_packet(onion) is not None
    assert holdings.keep_packet(other) is not None


def test_another_opening_takes_nothing_back() -> None:
    holdings = kept([POLL, item(RetractionBody(slot=3, opening=bytes(32)), b"slot")])
    assert POLL.item_id in holdings.store


def test_a_thread_has_its_replies_whichever_came_first() -> None:
    body = ReplyBody(slot=0, text="coffee!", thread_nonce=NONCE, retraction=bytes(32))
    replies = [item(body, bytes([number])) for number in range(3)]
    holdings = kept([*replies[:2], POLL, replies[2]])
    board = holdings.board
    assert list(board.replies(NONCE)) == [reply.item_id for reply in replies]
    assert (board.starter(NONCE), board.author_tag(NONCE)) == (POLL.item_id, POLL.tags[1])
    holdings.keep(RETRACTION, RING)
    assert (len(board.replies(NONCE)), board.starter(NONCE), board.author_tag(NONCE)) == (3, None, None)


def test_nothing_is_left_of_what_is_gone() -> None:
    """A board that has forgotten all is like a new one: it does not grow with what is long over."""
    said = [POLL, mark(HeartBody, 1, 0), vote(1, 0, 1), RETRACTION]
    board = Board()
    for each in said:
        board.add(each)
    for each in said:
        board.remove(each)
    assert all(not index for index in vars(board).values())


def test_expiry_takes_marks_with_their_target() -> None:
    holdings = kept([POLL, mark(HeartBody, 1, 0, epoch=9), mark(FlagBody, 1, 0, epoch=10)])
    holdings.expire(item_epoch=10, relay_epoch=0, packet_epoch=0)
    assert _ids(holdings) == []
