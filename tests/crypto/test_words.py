"""Words that people read to each other."""

from mnemonic import Mnemonic

from rumor.crypto.words import words_of


def test_the_words_are_those_of_bip_39() -> None:
    """The first words of a seed phrase with the same 44 bits. Source: BIP-39's own vectors."""
    for byte in (0x00, 0x7F, 0x80, 0xFF):
        phrase = Mnemonic("english").to_mnemonic(bytes([byte]) * 32)
        assert words_of(bytes([byte]) * 32).split(" ") == phrase.split(" ")[:4]
    assert words_of(b"\x7f" * 32) == "legal winner thank year"


def test_only_the_first_44_bits_count() -> None:
    digest = bytes(range(32))
    assert words_of(digest) == words_of(digest[:5] + bytes([digest[5] ^ 0x0F]) + bytes(26))
    assert words_of(digest) != words_of(digest[:5] + bytes([digest[5] ^ 0x10]) + digest[6:])
