"""What the node serves to a browser: the right files, rightly named, that lead nowhere else; and the ways in."""

import re
import tomllib
from collections.abc import AsyncIterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from rumor.node.api.credentials import LOGIN_SECONDS_MAX, Credentials
from rumor.node.api.guard import Guard, hosts_of
from rumor.node.api.page import TYPES, Page

WEB = Path(__file__).resolve().parents[3] / "node" / "web"
FILES = sorted(path.name for path in WEB.iterdir())
ORIGIN = "http://127.0.0.1:8123"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def credentials() -> Credentials:
    return Credentials()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(credentials: Credentials, clock: Clock) -> Page:
    return Page(credentials, ORIGIN, clock)


@pytest.fixture
async def stranger(page: Page, credentials: Credentials) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has not logged in."""
    app: Any = Guard(
        Starlette(routes=page.routes),
        hosts=hosts_of(8123),
        credentials=credentials,
        open_paths=page.open_paths,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


@pytest.mark.parametrize("name", FILES)
async def test_every_file_is_served_with_its_type(stranger: httpx.AsyncClient, name: str) -> None:
    """Whatever lies in the folder, and as what it is: browsers refuse a module of another type."""
    answer = await stranger.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.content == (WEB / name).read_bytes()
    assert answer.headers["content-type"] == TYPES[Path(name).suffix]
    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", FILES)
def test_no_file_leads_to_another_host(name: str) -> None:
    """Nothing is loaded from elsewhere; the one name of a host is that of a format."""
    text = (WEB / name).read_text()
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", text, re.IGNORECASE))
    assert hosts <= {"www.w3.org"}
    assert not re.search(r'url\((?!"/[a-z])', text)


@pytest.mark.parametrize("name", FILES)
def test_no_file_parses_markup_or_runs_text(name: str) -> None:
    """No sink for a stranger's text, no inline script, style or handler: the policy allows none either."""
    text = (WEB / name).read_text()
    sinks = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|setHTML|DOMParser"
    assert not re.search(sinks, text)
    if name.endswith(".html"):
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=", text)
    if name.endswith(".js"):
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", text)


def test_all_modules_are_asked_for_at_once() -> None:
    """A module that the page does not name is found one import after another, and the first paint waits."""
    named = set(re.findall(r'(?:href|src)="/([a-z]+\.js)"', (WEB / "index.html").read_text()))
    assert named == {name for name in FILES if name.endswith(".js")}


def test_imports_and_types_are_complete() -> None:
    """Each import names a file that is there."""
    for path in WEB.glob("*.js"):
        assert set(re.findall(r'from "\./([a-z]+\.js)"', path.read_text())) <= set(FILES)
    assert {Path(name).suffix for name in FILES} == set(TYPES)


def test_a_wheel_has_all_of_them() -> None:
    """Each file is package data of the project."""
    project = tomllib.loads((WEB.parent.parent / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["rumor.node"]
    assert [name for name in FILES if not any(fnmatch(f"web/{name}", pattern) for pattern in patterns)] == []


async def test_the_link_works_once(stranger: httpx.AsyncClient, page: Page, credentials: Credentials) -> None:
    """It sets a cookie that neither scripts nor other sites can use, and leaves the address bar; and never again."""
    link = page.new_link()
    assert (await stranger.head(link)).status_code == 200
    answer = await stranger.get(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(rf"{credentials.cookie_name}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Strict", cookie)
    stranger.cookies.clear()
    again = await stranger.get(link)
    assert again.status_code == 401
    assert "rumor open" in again.text
    assert "set-cookie" not in again.headers


async def test_the_link_grows_old(stranger: httpx.AsyncClient, page: Page, clock: Clock) -> None:
    """After five minutes it is worth nothing; nor is a made-up one."""
    link = page.new_link()
    clock.now = LOGIN_SECONDS_MAX + 1
    for path in (link, "/login", "/login?code=x", "/login?code=%ff"):
        assert (await stranger.get(path)).status_code == 401


async def test_another_site_s_link_logs_nobody_in(stranger: httpx.AsyncClient, page: Page) -> None:
    """A page elsewhere can neither use a code nor burn it."""
    link = page.new_link()
    assert (await stranger.get(link, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await stranger.get(link)).status_code == 303


async def test_only_the_token_buys_links(
    stranger: httpx.AsyncClient, page: Page, credentials: Credentials
) -> None:
    """Neither a stranger nor a session of the page makes new sessions."""
    assert (await stranger.post("/api/logins")).status_code == 401
    await stranger.get(page.new_link())
    assert (await stranger.post("/api/logins", headers={"Origin": ORIGIN})).status_code == 403
    stranger.cookies.clear()
    answer = await stranger.post("/api/logins", headers={"Authorization": f"Bearer {credentials.token}"})
    assert answer.status_code == 201
    assert answer.json()["seconds"] == LOGIN_SECONDS_MAX
    assert (await stranger.get(answer.json()["link"])).status_code == 303


def _luminance(rgb: tuple[float, ...]) -> float:
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_white_can_be_read_on_every_card() -> None:
    """4.5:1 (WCAG 2.2, AA) on the lightest part of every pattern, whatever the size of the text."""
    css = (WEB / "cards.css").read_text()
    colours = re.findall(r"\.colour-(\d) \{\s*--card: #([0-9a-f]{6});\s*\}", css)
    assert [number for number, _ in colours] == [str(number) for number in range(8)]
    (light,) = re.findall(r"--light: rgb\(255 255 255 / (\d+)%\)", css)
    share = 1 - (1 - int(light) / 100) ** 2  # Two lines of a pattern may cross.
    for _, colour in colours:
        base = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        brightest = tuple(each + (1 - each) * share for each in base)
        assert 1.05 / (_luminance(brightest) + 0.05) >= 4.5, colour
