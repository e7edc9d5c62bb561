"""Commands for keeping a profile and for letting go of it: backup, restore, passphrase, export, wipe."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .terminal import EXIT_NOT_RUNNING, client_of, fail, json_option, profile_of, read_passphrase, say, show

if TYPE_CHECKING:
    from ...crypto.roots import Root

__all__ = ["backup", "export", "passphrase", "restore", "wipe"]

force_option = click.option("--force", is_flag=True, help="Write over a file that is there.")
file_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
optional_file_argument = click.argument(
    "file", type=click.Path(dir_okay=False, path_type=Path), required=False
)

#: What the file has not, for whoever thinks that it has everything.
_NOT_KEPT = (
    "Not in it: secrets of others, which your friends give back; what waits in your outbox; open invitations; "
    "config.toml."
)
_WORDS_NOTE = (
    "Write these down on paper. Whoever reads them is you. They bring back your keys, and so your place in the mesh "
    "and your faces in its threads; not your friends, who have to invite you again, nor what is linked to you."
)


@click.command()
@optional_file_argument
@click.option("--words", is_flag=True, help="Print the 24 words of your keys instead.")
@force_option
@json_option
@click.pass_context
def backup(context: click.Context, file: Path | None, words: bool, force: bool, as_json: bool) -> None:
    """Save this profile in FILE, encrypted under its passphrase. The node may run meanwhile."""
    import time

    from ..backup import BackupError, root_of, save

    _one_of(file, words)
    profile = profile_of(context)
    try:
        if file is None:
            root = root_of(profile, _ask_passphrase)
            show({"words": root.words}, as_json, lambda answer: _print_words(answer["words"]))
            return
        made = save(profile, _ask_passphrase, file, now=time.time(), replace=force)
    except BackupError as error:
        fail(str(error))
    show(
        made,
        as_json,
        lambda answer: say(
            f"Saved in {answer['file']}, with {answer['friends']} of your friends. {_NOT_KEPT}\n"
            f"It opens with the passphrase of now, whatever that of your profile will be. To use it, on this machine "
            f"or another: `{profile.command} restore {answer['file']}`."
        ),
    )


def _print_words(words: str) -> None:
    listed = words.split()
    for start in range(0, len(listed), 6):
        line = "  ".join(
            f"{start + at + 1:>2} {word:<8}" for at, word in enumerate(listed[start : start + 6])
        )
        click.echo(line.rstrip())
    say(_WORDS_NOTE, err=True)


def _one_of(file: Path | None, words: bool) -> None:
    if (file is None) != words:
        fail("Name a file, or say --words.", 2)


def _ask_passphrase(is_new: bool) -> str:
    if is_new:
        say(
            "This profile has no passphrase, but a backup has one, as it is made to be carried away.",
            err=True,
        )
    return read_passphrase(confirm=is_new)


@click.command()
@optional_file_argument
@click.option("--words", is_flag=True, help="From the 24 words, on standard input, instead of a file.")
@click.option("--no-passphrase", is_flag=True, help="With --words: keep the keys unprotected on this disk.")
@click.option("--listen", metavar="ADDRESS", help="As for `rumor init`.")
@json_option
@click.pass_context
def restore(
    context: click.Context,
    file: Path | None,
    words: bool,
    no_passphrase: bool,
    listen: str | None,
    as_json: bool,
) -> None:
    """Make a profile of the backup in FILE. Never let the old one run again."""
    import time

    from ..backup import BackupError, restore, restore_words
    from ..setup import SetupError, check_new

    _one_of(file, words)
    if no_passphrase and not words:
        fail("A profile that is restored from a file keeps the passphrase of the file.", 2)
    profile = profile_of(context)
    try:
        check_new(profile, listen)
        if file is not None:
            made = restore(profile, file, lambda: read_passphrase(confirm=False), listen, now=time.time())
            show(made, as_json, lambda answer: _print_restored(answer, profile.command))
            return
        root = _read_words()
        chosen = None if no_passphrase else read_passphrase(confirm=True)
        made = restore_words(profile, root, chosen, listen, now=time.time())
    except (BackupError, SetupError) as error:
        fail(str(error))
    show(
        made,
        as_json,
        lambda answer: say(
            f"Your keys are back, in {answer['folder']}. Your friends are not: have yourself invited again, by "
            f"`{profile.command} run` and `{profile.command} join URI`. The mesh knows your key already, so you count "
            f"as a member as soon as one friend's node has told yours of it. {_SILENCE}"
        ),
    )


_SILENCE = (
    "For one to two epochs, which is one to two hours by default, you can read and not write, and your node makes no "
    "relay key for a day or two: what it may have said before is not to be said twice. Never let the old profile run "
    "again."
)


def _print_restored(answer: dict[str, Any], command: str) -> None:
    from datetime import UTC, datetime

    when = datetime.fromtimestamp(answer["made_at"], UTC)
    say(
        f"Restored as of {when:%Y-%m-%d %H:%M} UTC, with {answer['friends']} of your friends, in {answer['folder']}. "
        "Friends whom you removed since then, and posts that you unlinked, are back with the others: remove and "
        f"unlink them again. {_SILENCE}\nNext: `{command} run`. Your friends learn where you are when your node "
        "reaches theirs."
    )


def _read_words() -> "Root":
    import sys

    from ...crypto.errors import InvalidWords
    from ...crypto.roots import Root

    if sys.stdin.isatty():
        say("Type the 24 words, then Ctrl-D on a line of its own.", err=True)
    text = sys.stdin.read(4_096)
    try:
        return Root.from_words_untrusted(text)
    except InvalidWords as error:
        fail(str(error) or str(InvalidWords.__doc__))


@click.command()
@json_option
@click.pass_context
def passphrase(context: click.Context, as_json: bool) -> None:
    """Change the passphrase. The node may run meanwhile.

    RUMOR_PASSPHRASE is the old one and RUMOR_NEW_PASSPHRASE the new one, where there is no terminal.
    """
    from ..setup import SetupError, change_passphrase

    profile = profile_of(context)
    try:
        change_passphrase(
            profile,
            lambda: read_passphrase(confirm=False),
            lambda: read_passphrase(confirm=True, variable="RUMOR_NEW_PASSPHRASE"),
        )
    except SetupError as error:
        fail(str(error))
    show(
        {"profile": profile.name},
        as_json,
        lambda _: say("Changed. Backups that you have made open with the passphrase of then."),
    )


@click.command()
@file_argument
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True
)
@force_option
@json_option
@click.pass_context
def export(context: click.Context, file: Path, form: str, force: bool, as_json: bool) -> None:
    """Write all secrets and threads that your node holds into FILE.

    A copy to read, not a backup: it is not encrypted, and does not tell which of them are yours.
    """
    from ..client import ClientError, NotRunning
    from ..exporting import ExportError, export

    client = client_of(context)
    try:
        made = export(client.get, file, form, replace=force)
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except (ClientError, ExportError) as error:
        fail(str(error))

    def tell(answer: dict[str, Any]) -> None:
        say(f"{answer['secrets']} secrets and {answer['replies']} replies are in {answer['file']}.")
        if answer["left_out"]:
            say(f"{answer['left_out']} left out, as you wanted.", err=True)

    show(made, as_json, tell)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def wipe(context: click.Context, yes: bool, as_json: bool) -> None:
    """Destroy this profile: the key at once, then everything else.

    Ends the node if it runs. Backups and exports elsewhere stay, and so does what you have posted.
    """
    from ..wiping import wipe

    profile = profile_of(context)
    if not yes:
        _confirm_wipe(profile.name)
    wiped = wipe(profile)

    def tell(answer: dict[str, Any]) -> None:
        if not answer["found"]:
            say(f"There is no profile '{answer['profile']}', so nothing was wiped.", err=True)
            return
        say(f"The key of '{answer['profile']}' was destroyed after {answer['key_ms']:.0f} ms.")
        if answer["ended"]:
            say("Its node was ended.")
        for path, why in answer["left"].items():
            say(f"Left behind: {path}: {why}.", err=True)

    show(wiped, as_json, tell)
    if wiped["left"] or not wiped["found"]:
        raise SystemExit(1)


def _confirm_wipe(name: str) -> None:
    import sys

    if not sys.stdin.isatty():
        fail("There is no terminal to ask on; say --yes.", 2)
    answer: str = click.prompt(
        f"This cannot be undone. Type the profile's name, {name}, to destroy it", err=True
    )
    if answer.strip() != name:
        fail("That is another name; nothing was done.")
