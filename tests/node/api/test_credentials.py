"""Tokens, login codes, cookies, and the file that tells the command line."""

from pathlib import Path

import pytest

from rumor.node.api.credentials import (
    LOGIN_COUNT_MAX,
    LOGIN_SECONDS_MAX,
    SESSION_COUNT_MAX,
    Access,
    AccessDenied,
    AccessError,
    Credentials,
    read_access,
    write_access,
)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials()


def cookie(set_cookie: str) -> bytes:
    return set_cookie.split(";")[0].encode()


def test_every_run_has_its_own_secrets() -> None:
    """A token of yesterday opens nothing today."""
    one, other = Credentials(), Credentials()
    one.check_bearer_untrusted(b"Bearer " + one.token.encode())
    with pytest.raises(AccessDenied):
        other.check_bearer_untrusted(b"Bearer " + one.token.encode())
    assert one.cookie_name != other.cookie_name


@pytest.mark.parametrize(
    "header", [b"", b"Bearer ", b"Bearer x", b"Basic TOKEN", b"TOKEN", b"Bearer TOKENx", b"\xff"]
)
def test_only_the_whole_token_counts(credentials: Credentials, header: bytes) -> None:
    """Prefixes, other schemes and any other bytes are denied alike."""
    with pytest.raises(AccessDenied):
        credentials.check_bearer_untrusted(header.replace(b"TOKEN", credentials.token.encode()))


def test_a_login_code_works_once(credentials: Credentials) -> None:
    """It buys a cookie that scripts cannot read and other sites cannot send."""
    code = credentials.new_login(100.0)
    set_cookie = credentials.redeem_untrusted(code, 100.0 + LOGIN_SECONDS_MAX)
    assert set_cookie.startswith(credentials.cookie_name + "=")
    assert set_cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    credentials.check_cookie_untrusted(b"other=1; " + cookie(set_cookie))
    with pytest.raises(AccessDenied):
        credentials.redeem_untrusted(code, 100.0)


@pytest.mark.parametrize("code", ["", "x", "\udcff", "ä" * 43])
def test_other_codes_buy_nothing(credentials: Credentials, code: str) -> None:
    """Whatever the text."""
    credentials.new_login(0.0)
    with pytest.raises(AccessDenied):
        credentials.redeem_untrusted(code, 0.0)


def test_a_login_code_expires(credentials: Credentials) -> None:
    """A link found later in a scrollback is of no use."""
    code = credentials.new_login(100.0)
    with pytest.raises(AccessDenied):
        credentials.redeem_untrusted(code, 100.1 + LOGIN_SECONDS_MAX)


def test_codes_and_sessions_are_few(credentials: Credentials) -> None:
    """The oldest goes first."""
    codes = [credentials.new_login(0.0) for _ in range(LOGIN_COUNT_MAX + 1)]
    with pytest.raises(AccessDenied):
        credentials.redeem_untrusted(codes[0], 0.0)
    cookies = [
        cookie(credentials.redeem_untrusted(credentials.new_login(0.0), 0.0))
        for _ in range(SESSION_COUNT_MAX + 1)
    ]
    with pytest.raises(AccessDenied):
        credentials.check_cookie_untrusted(cookies[0])
    for other in cookies[1:]:
        credentials.check_cookie_untrusted(other)


@pytest.mark.parametrize(
    "header", [b"", b";;=", b"NAME", b"NAME=", b"NAME=x", b"other=VALUE", b"NAME=VALUEx", b"\xff"]
)
def test_only_a_session_s_cookie_counts(credentials: Credentials, header: bytes) -> None:
    """Other names, other values, and any other bytes are denied alike."""
    name, value = cookie(credentials.redeem_untrusted(credentials.new_login(0.0), 0.0)).split(b"=")
    with pytest.raises(AccessDenied):
        credentials.check_cookie_untrusted(header.replace(b"NAME", name).replace(b"VALUE", value))


def test_the_command_line_finds_the_node(tmp_path: Path, credentials: Credentials) -> None:
    """The file is the owner's only, and a fresh one replaces the last run's."""
    path = tmp_path / "token"
    write_access(path, Access(port=1, token=Credentials().token))
    write_access(path, Access(port=65535, token=credentials.token))
    assert read_access(path) == Access(port=65535, token=credentials.token)
    assert path.stat().st_mode & 0o777 == 0o600
    assert credentials.token not in repr(read_access(path))


@pytest.mark.parametrize(
    "data", [b"", b"0 TOKEN\n", b"65536 TOKEN\n", b"80 TOKEN", b"80 short\n", b"80 TOKEN\n\n"]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    """One sentence."""
    (tmp_path / "token").write_bytes(data.replace(b"TOKEN", b"t" * 43))
    with pytest.raises(AccessError, match="is not an access file"):
        read_access(tmp_path / "token")


def test_other_trouble_with_the_file_is_named(tmp_path: Path) -> None:
    """No node, a long file, a folder in its place, no folder to write to."""
    with pytest.raises(AccessError, match="The node is not running"):
        read_access(tmp_path / "token")
    (tmp_path / "long").write_bytes(bytes(1000))
    with pytest.raises(AccessError, match="longer than"):
        read_access(tmp_path / "long")
    with pytest.raises(AccessError, match="cannot be read"):
        read_access(tmp_path)
    with pytest.raises(AccessError, match="cannot be written"):
        write_access(tmp_path / "nowhere" / "token", Access(port=1, token="t" * 43))
