"""HKDF against the vectors of its RFC."""

from rumor.crypto.derivation import hkdf_sha256


def test_the_vectors_of_rfc_5869() -> None:
    """Source: RFC 5869, appendix A.1 and A.3."""
    first = hkdf_sha256(b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42, salt=bytes(range(13)))
    assert first.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    third = hkdf_sha256(b"\x0b" * 22, b"", 42)
    assert third.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
