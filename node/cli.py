"""The command line: ``rumor``. What the commands are is in ``commands``."""

from importlib.metadata import version

import click

from .commands.completion import profile_names
from .commands.friends import friends, invite, join
from .commands.keep import backup, export, passphrase, restore, wipe
from .commands.profile import demo, found, init, open_page, run, status
from .commands.read import feed, filters, hide, mute, subscribe, thread
from .commands.talk import flag, heart, outbox, poll, post, reply, retract, unlink, vote
from .commands.terminal import InOrder
from .commands.whispers import answer, whisper, whispers

__all__ = ["main"]


class Program(InOrder):
    """The whole program: our commands first, then those that other packages register as ``rumor.commands``.

    So `rumor sim` is found, and the two packages know nothing of each other.
    """

    def list_commands(self, context: click.Context) -> list[str]:
        from importlib.metadata import entry_points

        return [*super().list_commands(context), *sorted(entry_points(group="rumor.commands").names)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        from importlib.metadata import entry_points

        command = super().get_command(context, name)
        for entry in entry_points(group="rumor.commands", name=name) if command is None else ():
            command = entry.load()
        return command


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile",
    metavar="NAME",
    default="default",
    show_default=True,
    envvar="RUMOR_PROFILE",
    shell_complete=profile_names,
    help="Which of your profiles; each is a node of its own.",
)
@click.version_option(version("rumor"), prog_name="rumor")
@click.pass_context
def main(context: click.Context, profile: str) -> None:
    """Rumor: secrets among friends, signed by a member and by nobody in particular.

    Start with `rumor init`. Keep `rumor run` going in a terminal of its own; in another one, found a mesh with
    `rumor found NAME` or take up an invitation with `rumor join URI`.
    """
    context.obj = profile


for command in (
    *(init, found, run, invite, join, friends),
    *(post, poll, reply, heart, vote, flag, retract, unlink, outbox),
    *(whisper, answer, whispers),
    *(feed, thread, subscribe, hide, mute, filters),
    *(backup, restore, passphrase, export, wipe),
    *(status, open_page, demo),
):
    main.add_command(command)
