"""Stops: whom an author does not listen to any more, and what is left of that on a disk."""

from whisperers import ABOUT, SEED, heard, pair, said

from rumor.gossip.conversations import LETTERS_MAX
from rumor.gossip.events import LetterKept, LettersForgotten
from rumor.gossip.items import ItemId
from rumor.gossip.letters import Letter
from rumor.gossip.stops import STOPS_MAX
from rumor.gossip.suite import Real
from rumor.gossip.whispers import Whispers


def rows(*steps: list[object]) -> dict[ItemId, Letter]:
    """What a disk has after these events."""
    kept: dict[ItemId, Letter] = {}
    for event in (event for step in steps for event in step):
        match event:
            case LetterKept(letter=letter):
                kept[letter.letter_id] = letter
            case LettersForgotten(letter_ids=letter_ids):
                for letter_id in letter_ids:
                    del kept[letter_id]
    return kept


def again(disk: dict[ItemId, Letter], *about: ItemId) -> Whispers:
    """The author after a restart, with these secrets still linked."""
    author = Whispers(Real())
    for each in about:
        author.listen(each, 10, SEED)
    author.restore(disk.values())
    return author


def test_who_is_ended_is_not_heard_any_more_and_others_are() -> None:
    """Also after a restart; the words are gone, and what comes leaves no trace."""
    author, bully, reply_key = pair()
    friend = Whispers(Real())
    disk = [author.came(said(bully, reply_key, "nasty"), 10)]
    bullying = author.conversations[0].conversation_id
    disk.append(author.came(said(friend, reply_key, "kind"), 10))
    disk.append(author.end(bullying))
    assert author.end(bullying) == []
    assert sorted(letter.text for letter in rows(*disk).values()) == ["", "kind"]
    for listener in (author, again(rows(*disk), ABOUT)):
        assert listener.came(said(bully, reply_key, "nastier"), 11) == []
        assert heard(listener) == ["kind"]
    assert author.came(said(friend, reply_key, "kinder"), 11) != []


def test_about_a_closed_secret_only_those_are_heard_whom_one_knows() -> None:
    """Whoever is ended may come again under another key, until nobody new is heard; another secret is not closed."""
    author, bully, reply_key = pair()
    friend, stranger = Whispers(Real()), Whispers(Real())
    other = ItemId(b"b" * 32)
    author.listen(other, 10, b"t" * 32)
    other_key = next(key.public for key in author.keys if key.about == other)
    disk = [author.came(said(friend, reply_key, "kind"), 10), author.close(ABOUT)]
    assert (author.is_closed(ABOUT), author.is_closed(other)) == (True, False)
    assert author.close(ABOUT) == []
    for listener in (author, again(rows(*disk), ABOUT)):
        assert listener.is_closed(ABOUT)
        assert listener.came(said(bully, reply_key, "nasty"), 10) == []
    assert author.came(said(friend, reply_key, "kinder"), 10) != []
    assert author.came(said(stranger, other_key, "hello", about=other), 10) != []
    assert sorted(heard(author)) == ["hello", "kind", "kinder"]
    author.reopen(ABOUT)
    author.reopen(ABOUT)
    assert not author.is_closed(ABOUT)
    assert author.came(said(stranger, reply_key, "may I?"), 10) != []


def test_unlinking_and_expiry_leave_no_stop() -> None:
    """A stop tells who the author is."""
    author, bully, reply_key = pair()
    disk = [author.came(said(bully, reply_key, "nasty"), 12)]
    disk.append(author.end(author.conversations[0].conversation_id))
    disk.append(author.close(ABOUT))
    assert len(rows(*disk)) == 2
    assert rows(*disk, author.unlinked([ABOUT])) == {}
    assert not author.is_closed(ABOUT)
    later = again(rows(*disk), ABOUT)
    assert (later.expire(10), rows(*disk, later.expire(11))) == ([], {})
    assert len(again(rows(*disk)).restore(rows(*disk).values())) == 1


def test_what_we_began_needs_no_stop() -> None:
    """Its key is gone with it, so that no answer opens."""
    author, whisperer, reply_key = pair()
    author.came(said(whisperer, reply_key, "hi"), 10)
    events = whisperer.end(whisperer.conversations[0].conversation_id)
    assert [type(each) for each in events] == [LettersForgotten]
    assert whisperer.keys == []


def test_stops_have_their_rows_among_the_letters() -> None:
    """There are so many, of which those of single persons give way first; no row is asked for that is not there."""
    author, friend, reply_key = pair()
    disk = [author.close(ABOUT)]
    for number in range(LETTERS_MAX + STOPS_MAX):
        stranger = Whispers(Real())
        author.listen(ItemId(number.to_bytes(32, "big")), 10, number.to_bytes(32, "little"))
        disk.append(author.came(said(friend, reply_key, "x"), 10))
        key = next(key for key in author.keys if key.about == ItemId(number.to_bytes(32, "big")))
        if number < STOPS_MAX + 2:
            disk.append(author.came(said(stranger, key.public, "y", about=key.about), 10))
            disk.append(author.end(author.conversations[0].conversation_id))
        assert len(rows(*disk)) <= LETTERS_MAX
    assert sum(letter.is_stop for letter in rows(*disk).values()) == STOPS_MAX
    assert author.is_closed(ABOUT)
