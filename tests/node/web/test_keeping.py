"""Keeping from the page: files that the browser saves, and the commands for all else."""

import json
from pathlib import Path

import pytest
from pages import MISSING, Scene, has_chromium, say, show
from playwright.sync_api import Page, expect
from processes import PASSPHRASE

from rumor.crypto import archive
from rumor.node.backup import unpack

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not has_chromium(), reason=MISSING)]


def saved(page: Page, button: str, path: Path) -> str:
    """Presses a button, keeps what the browser saves, and returns what it was called."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    download.value.save_as(path)
    return download.value.suggested_filename


def test_a_copy_to_read(scene: Scene, tmp_path: Path) -> None:
    """As text and as data, with what the node holds."""
    say(scene, "I never finish a")
    show(scene.anns, "settings")
    assert saved(scene.anns, "Save as text", tmp_path / "copy.md") == "rumor-ann.md"
    assert "    I never finish a" in (tmp_path / "copy.md").read_text()
    assert saved(scene.anns, "Save as data", tmp_path / "copy.json") == "rumor-ann.json"
    texts = [each["text"] for each in json.loads((tmp_path / "copy.json").read_text())["secrets"]]
    assert "I never finish a" in texts


def test_a_backup(scene: Scene, tmp_path: Path) -> None:
    """With the profile's passphrase, which is not left in its field; a wrong one is refused where it was typed."""
    page = scene.anns
    show(page, "settings")
    field = page.get_by_label("Your passphrase, which will open it")
    field.fill("wrong horse")
    page.get_by_role("button", name="Save a backup").click()
    expect(page.get_by_role("alert").filter(has_text="not the passphrase")).to_be_visible()
    page.wait_for_timeout(1_100)  # What a wrong one costs.
    field.fill(PASSPHRASE)
    assert saved(page, "Save a backup", tmp_path / "backup") == "rumor-ann.backup"
    expect(field).to_have_value("")
    expect(page.get_by_role("status").get_by_text("The backup is with")).to_be_visible()
    puts, _ = unpack(archive.open_untrusted((tmp_path / "backup").read_bytes(), PASSPHRASE))
    assert puts


def test_a_backup_without_a_passphrase_of_one_s_own(scene: Scene) -> None:
    """A new one is asked for twice, since nobody could find out what was typed."""
    page = scene.bobs
    show(page, "settings")
    page.get_by_label("A passphrase for the file").fill("one")
    page.get_by_label("The same again").fill("other")
    page.get_by_role("button", name="Save a backup").click()
    expect(page.get_by_role("alert").filter(has_text="two different")).to_be_visible()


def test_the_rest_is_said_with_its_command(scene: Scene) -> None:
    """Word for word, for this profile."""
    show(scene.bobs, "settings")
    section = scene.bobs.get_by_role("region", name="In a terminal only")
    for command in ("restore FILE", "passphrase", "wipe"):
        expect(section.get_by_text(f"rumor --profile bob {command}", exact=True)).to_be_visible()
