"""The command line of the simulator: ``rumor sim``, found through the entry points of ``rumor.commands``.

One file a command, which is imported when it is asked for. Of each the result is one JSON object in the last line of
standard output, and progress goes to standard error. Exit codes are those of ``rumor``: 0 done, 1 it went wrong (with
the one command that repeats it), 2 wrong usage.
"""

from importlib import import_module
from typing import Final

import click

__all__ = ["main"]

#: In the order in which a person meets them; each is in the module of its name.
COMMANDS: Final = ("run", "spread", "validate", "compare", "sweep", "plot")


class Commands(click.Group):
    """A group whose commands are modules beside this one."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [*COMMANDS, *super().list_commands(context)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return super().get_command(context, name)
        command: click.Command = import_module(f".{name}", __package__).command
        return command


@click.group(cls=Commands)
def main() -> None:
    """Simulate networks, and ask how anonymous they are."""
