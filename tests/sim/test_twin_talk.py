"""Twin worlds with talk, in the simulator: nothing that a spy or a link can see tells that a member has said something,
nor whether it was a reply, a heart, a whisper or a secret, until the last relay lets it out."""

from functools import cache

import pytest
from leaks import Leak, early_flush, early_whisper, own_item_answered, visible_retry
from simtwins import SAYINGS, Twin, first_difference

HEARING_S, DEAF_S = 240.0, 600.0
#: Of a world in which the cover that is replaced would have been dropped by its last relay, and of one in which it is
#: a loop.
SEED, LOOPING_SEED = 2, 4


@cache
def twin(says: str | None, *, deaf: bool = False) -> Twin:
    """A world without a leak."""
    with pytest.MonkeyPatch.context() as patch:
        return Twin(
            patch,
            seed=SEED,
            says=SAYINGS[says] if says else None,
            seconds=DEAF_S if deaf else HEARING_S,
            deaf=deaf,
        )


@pytest.mark.parametrize("says", SAYINGS)
def test_nothing_shows_until_the_last_relay_lets_it_out(says: str) -> None:
    """To the same tick and byte, on every link and at every spy."""
    silent, talking = twin(None), twin(says)
    until = talking.released_tick
    assert until is not None
    assert until > talking.after(30.0), "there is something to compare"
    assert len(silent.links(until)) > 300
    assert len(silent.spied(until)) > 100
    assert first_difference(silent.links(until), talking.links(until)) is None
    assert first_difference(silent.spied(until), talking.spied(until)) is None


@pytest.mark.parametrize("says", SAYINGS)
def test_nothing_shows_for_ever_when_nothing_comes_back(says: str) -> None:
    """Neither do the retries: each replaces cover that was due."""
    silent, talking = twin(None, deaf=True), twin(says, deaf=True)
    [row] = talking.member.disk.outbox.values()
    assert row.sent_count >= 3
    until = talking.network.loop.tick
    assert first_difference(silent.links(until), talking.links(until)) is None
    assert first_difference(silent.spied(until), talking.spied(until)) is None


def test_nothing_but_the_outbox_tells_until_then() -> None:
    """On all disks there is the same, but for the author's outbox, slots and letters; nor does anybody count it."""
    silent = twin(None, deaf=True)
    for says in SAYINGS:
        talking = twin(says, deaf=True)
        for quiet, host in zip(silent.network.hosts, talking.network.hosts, strict=True):
            counts = [
                (len(disk.items), len(disk.packets), len(disk.spent), len(disk.relay_keys), len(disk.seeds))
                for disk in (quiet.disk, host.disk)
            ]
            assert counts[0] == counts[1]
            assert list(host.disk.outbox) == ([talking.said] if host is talking.member else [])
            assert list(host.disk.letters) == (
                [talking.said] if says == "whisper" and host is talking.member else []
            )
            assert host.engine is not None
            assert host.engine.board.tally(talking.secret).hearts == 0
            assert not host.engine.board.replies(host.engine.board.secrets[talking.secret])


def whispering(seed: int) -> tuple[Twin, Twin]:
    """Without a whisper and with one. The whisperer gets one loop less back, if any, so relay draws follow from the
    time in both worlds, as they are drawn anew whatever was drawn before."""
    with pytest.MonkeyPatch.context() as patch:
        silent, whispered = (
            Twin(patch, seed=seed, says=says, seconds=500.0, by_time=True)
            for says in (None, SAYINGS["whisper"])
        )
    assert whispered.released_tick is not None
    assert list(whispered.author.disk.letters) == [whispered.said], "it was read"
    return silent, whispered


def test_a_whisper_is_a_loop_to_everybody_but_its_reader_for_ever() -> None:
    """Against no whisper at all, where the cover in its place would have come home: each frame of the mesh has its time
    and size long after the whisper was read."""
    silent, whispered = whispering(LOOPING_SEED)
    until = whispered.network.loop.tick
    assert until > (whispered.released_tick or 0) + 300_000
    assert len(silent.links(until)) > 3_000
    assert first_difference(silent.links(until), whispered.links(until)) is None
    assert first_difference(silent.spied(until), whispered.spied(until)) is None
    keepers = [host.index for host in whispered.network.hosts if host.disk.letters]
    assert keepers == sorted((whispered.author.index, whispered.member.index))


def test_where_cover_would_have_been_dropped_a_whisper_is_one_packet_more() -> None:
    """From its release on: as every loop is against every drop, by a coin that each tick throws."""
    silent, whispered = whispering(SEED)
    until = whispered.network.loop.tick
    found = first_difference(silent.links(until), whispered.links(until))
    assert found is not None
    assert min(sent[0] for sent in found) >= (whispered.released_tick or 0)


#: The protection taken away, and within how many seconds it shows.
LEAKING = [
    ("reply", early_flush, 30.0),
    ("heart", early_flush, 30.0),
    ("whisper", early_whisper, 30.0),
    ("reply", own_item_answered, 150.0),
    ("heart", own_item_answered, 150.0),
    ("heart", visible_retry, 400.0),
    ("whisper", visible_retry, 400.0),
]


@pytest.mark.parametrize(("says", "leak", "seconds"), LEAKING)
def test_a_leak_shows(says: str, leak: Leak, seconds: float) -> None:
    """Sending at once what was said, keeping it like others' items, ticking once more for a retry: the comparisons
    above are worth something."""
    silent = twin(None, deaf=True)
    with pytest.MonkeyPatch.context() as patch:
        leaking = Twin(patch, seed=SEED, says=SAYINGS[says], seconds=seconds, deaf=True, leak=leak)
    until = leaking.network.loop.tick
    assert first_difference(silent.links(until), leaking.links(until)) is not None
    assert first_difference(silent.spied(until), leaking.spied(until)) is not None
