"""Invitations as text and as QR codes."""

import base64
import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.crypto import canonical, invites
from rumor.crypto.errors import InvalidInvitation
from rumor.crypto.identity import NodeKey
from rumor.crypto.invites import Invitation, invitation_identity, qr_rows, qr_terminal

INVITATION = Invitation(
    mesh_id=bytes(range(32)),
    node_key=NodeKey(bytes(range(32, 64))),
    addresses=("/ip4/192.168.1.20/tcp/4001", "/dns4/example.org/tcp/443"),
    secret=bytes(range(16)),
    expires_at=1_800_000_000,
)
URI = INVITATION.to_uri()

addresses = st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=127).map("/".__add__),
    min_size=1,
    max_size=8,
)
invitations = st.builds(
    Invitation,
    mesh_id=st.binary(min_size=32, max_size=32),
    node_key=st.binary(min_size=32, max_size=32).map(NodeKey),
    addresses=addresses.map(tuple),
    secret=st.binary(min_size=16, max_size=16),
    expires_at=st.integers(0, 2**64 - 1),
)


def uri_of(message: list[object]) -> str:
    """A URI with a right check, whatever the body."""
    body = canonical.encode(message)
    return "rumor:" + base64.b32encode(body + invites._check(body)).decode().rstrip("=").lower()


def message() -> list[object]:
    fields = INVITATION
    return [
        1,
        fields.mesh_id,
        fields.node_key.raw,
        list(fields.addresses),
        fields.secret,
        fields.expires_at,
    ]


@given(invitation=invitations)
def test_an_invitation_reads_back_from_its_uri_in_either_case(invitation: Invitation) -> None:
    uri = invitation.to_uri()
    assert re.fullmatch("rumor:[a-z2-7]+", uri)
    assert Invitation.from_uri_untrusted(uri) == invitation
    assert Invitation.from_uri_untrusted(uri.upper()) == invitation


@given(seed=st.randoms(use_true_random=False))
def test_white_space_and_line_breaks_do_no_harm(seed: object) -> None:
    """Mail programs break lines and people copy a blank too many."""
    text = "".join(character + seed.choice(["", "", "", " ", "\n", "\r\n", "\t"]) for character in URI)  # type: ignore[attr-defined]
    assert Invitation.from_uri_untrusted(f"\n {text[:900]}"[: len(text) + 2]) == INVITATION


def test_no_letter_but_an_ascii_one_stands_for_an_ascii_one() -> None:
    """The small letter of the kelvin sign is an ASCII k."""
    uri = INVITATION.to_uri()
    place = uri.index("k", len("rumor:"))
    with pytest.raises(InvalidInvitation, match="mistyped"):
        Invitation.from_uri_untrusted(f"{uri[:place]}\N{KELVIN SIGN}{uri[place + 1 :]}")


def test_the_longest_invitation_fits_the_limits() -> None:
    longest = dataclasses.replace(INVITATION, addresses=("/" + "x" * 127,) * 8, expires_at=2**64 - 1)
    uri = longest.to_uri()
    assert (
        Invitation.from_uri_untrusted("\n".join(uri[i : i + 60] for i in range(0, len(uri), 60))) == longest
    )
    assert qr_terminal(uri)


@given(cut=st.integers(len("rumor:"), len(URI) - 1))
def test_a_cut_invitation_says_so(cut: int) -> None:
    with pytest.raises(InvalidInvitation, match="cut short"):
        Invitation.from_uri_untrusted(URI[:cut])


@given(
    place=st.integers(len("rumor:"), len(URI) - 1),
    character=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"),
)
def test_a_mistyped_letter_is_noticed(place: int, character: str) -> None:
    """By the check, or in the last letter's spare bits; never by chance in the other's node."""
    if URI[place] == character:
        return
    with pytest.raises(InvalidInvitation):
        Invitation.from_uri_untrusted(URI[:place] + character + URI[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "rumour", "https://example.org", "umor:abc", "rumor", "x" * 10**6, URI[6:]]
)
def test_other_text_is_not_an_invitation(text: str) -> None:
    with pytest.raises(InvalidInvitation, match="not an invitation"):
        Invitation.from_uri_untrusted(text)


def test_another_version_says_so() -> None:
    for body in ([2, b"anything"], [0], [2**60, *message()[1:]]):
        with pytest.raises(InvalidInvitation, match="version"):
            Invitation.from_uri_untrusted(uri_of(body))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, bytes(31)),
        (2, bytes(33)),
        (3, []),
        (3, ["/ip4/1.2.3.4/tcp/1"] * 9),
        (3, ["/" + "x" * 128]),
        (3, ["ip4/1.2.3.4"]),
        (3, ["/ip4/1.2.3.4 "]),
        (3, ["/ip4/é"]),
        (3, ["/ip4/1\x1b[31m"]),
        (3, [b"/ip4/1.2.3.4"]),
        (3, "/ip4/1.2.3.4"),
        (4, bytes(15)),
        (4, "s" * 16),
        (5, b""),
    ],
)
def test_fields_out_of_range_are_refused(place: int, value: object) -> None:
    body = message()
    body[place] = value
    with pytest.raises(InvalidInvitation):
        Invitation.from_uri_untrusted(uri_of(body))
    for wrong in ([*message(), 0], message()[:-1]):
        with pytest.raises(InvalidInvitation):
            Invitation.from_uri_untrusted(uri_of(wrong))


@given(text=st.one_of(st.text(max_size=80), st.text(max_size=80).map("rumor:".__add__)))
def test_whatever_the_text_it_raises_its_one_error(text: str) -> None:
    with pytest.raises(InvalidInvitation):
        Invitation.from_uri_untrusted(text)


@given(data=st.binary(max_size=120))
def test_whatever_the_body_it_returns_the_invitation_or_raises_its_one_error(data: bytes) -> None:
    checked = data + invites._check(data)
    text = "rumor:" + base64.b32encode(checked).decode().rstrip("=").lower()
    with pytest.raises(InvalidInvitation):
        Invitation.from_uri_untrusted(text)


def test_an_invitation_ends_at_its_time() -> None:
    INVITATION.check_current(INVITATION.expires_at - 0.001)
    with pytest.raises(InvalidInvitation, match="expired"):
        INVITATION.check_current(INVITATION.expires_at)


def test_an_invitation_does_not_show_its_secret() -> None:
    assert INVITATION.secret.hex() not in repr(INVITATION)
    assert repr(INVITATION.secret) not in repr(INVITATION)


def test_the_identity_belongs_to_the_secret() -> None:
    first, other = invitation_identity(bytes(16)), invitation_identity(b"\1" * 16)
    assert first == invitation_identity(bytes(16))
    assert first.public != other.public
    with pytest.raises(InvalidInvitation):
        invitation_identity(bytes(15))


def test_qr_codes_hold_the_invitation_in_capitals() -> None:
    """Alphanumeric mode keeps the code small enough for a terminal of 80 columns."""
    code = invites._qr(URI)
    assert code.mode == "alphanumeric"
    lines = qr_terminal(URI).splitlines()
    assert max(map(len, lines)) <= 80
    assert set("".join(lines)) <= set(" ▀▄█")
    rows = qr_rows(URI)
    assert {len(row) for row in rows} == {len(rows)} == {code.symbol_size(border=0)[0]}
    assert rows[0].startswith("11111110")
    assert set("".join(rows)) == {"0", "1"}
