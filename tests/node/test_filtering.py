"""Filtering: a word that is not wanted is found however it is spelt, and others are not taken for it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.node.filtering import Filter

FILTER = Filter(["spiders", "café", "straße", "big spider", "паук", "거미", "クモ"])


@pytest.mark.parametrize(
    "text",
    [
        "Spiders",
        "no (spiders), please",
        "_spiders_",
        "spi\u200bders",
        "spi\u00adders",
        "spi\u3164ders",
        "spi\u17b4ders",
        "spi\U000e0041ders",
        "spi\ufff9ders",
        "sp\u0456d\u0435rs",
        "\u0405PID\u0395RS",
        "spi\u0301ders",
        "spi\u200b\u0301ders",
        "s\u0338p\u0338i\u0338d\u0338e\u0338r\u0338s\u0338",
        "ｓｐｉｄｅｒｓ",
        "𝐬𝐩𝐢𝐝𝐞𝐫𝐬",
        "ⓢⓟⓘⓓⓔⓡⓢ",
        "ꜱᴘɪᴅᴇʀꜱ",
        "🅢🅟🅘🅓🅔🅡🅢",
        "🆂🅿🅸🅳🅴🆁🆂",
        "spıders",
        "cafe",
        "CAFE\u0301",
        "STRASSE",
        "big\u00a0spider",
        "big\n--spider",
        "big_spider",
        "big\u2800spider",
        "Паук!",
        "ПАУК",
        "거미",
        unicodedata.normalize("NFD", "거미"),
        "ｸﾓ",
    ],
)
def test_a_word_is_found_however_it_is_spelt(text: str) -> None:
    assert FILTER.matches(text)


@pytest.mark.parametrize(
    "text", ["", "spidersilk", "spider", "a big one, a spider", "пауки", "거미줄", "グモ"]
)
def test_another_word_is_not_taken_for_it(text: str) -> None:
    assert not FILTER.matches(text)


def test_what_folds_to_nothing_filters_nothing() -> None:
    """And no filters are no filter."""
    assert not Filter(["\u0301", "\u200b"]).matches("anything")
    assert not Filter([]).matches("anything")


@given(st.text(min_size=1, max_size=20))
def test_every_word_finds_itself(word: str) -> None:
    """Whatever script it is in; what has nothing to see in it is no word."""
    phrase = Filter([word])
    assert phrase._pattern is None or phrase.matches(f"say {word} again")
    assert phrase._pattern is None or phrase.matches(word.casefold())
    assert phrase._pattern is None or phrase.matches(word.upper())
