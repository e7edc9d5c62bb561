"""``rumor sim run``: one scenario with real engines."""

from functools import cached_property
from pathlib import Path

import click

from .progress import Teller
from .shared import EXIT_USAGE, Command, fail, json_option, mended, show

__all__ = ["command"]


class ScenarioCommand(Command):
    """A command with an option for each setting of a scenario."""

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        return [*self._settings, *super().get_params(context)]

    @cached_property
    def _settings(self) -> list[click.Parameter]:
        from ..scenario import SETTINGS

        return [
            click.Option(
                [setting.option, setting.name],
                metavar=setting.form or "NUMBER",
                help=f"{setting.help}  [default: {setting.default_text}]",
            )
            for setting in SETTINGS.values()
        ]


@click.command("run", cls=ScenarioCommand)
@click.option(
    "--scenario", "path", type=click.Path(path_type=Path), help="A TOML file with settings; options go first."
)
@json_option
def command(path: Path | None, as_json: bool, **given: str | None) -> None:
    """Run one scenario with real engines and print what was measured.

    A fault is a share of frames or of time, and perhaps how many seconds it stays: 0.02:60.
    """
    from ..scenario import Scenario, ScenarioError

    try:
        options = {name: text for name, text in given.items() if text is not None}
        scenario = Scenario.read(options, path)
    except ScenarioError as error:
        fail(str(error), EXIT_USAGE)
    teller = Teller()
    with mended(scenario.command()):
        from .. import experiment, report

        def tell(progress: experiment.Progress) -> None:
            rate = progress.event_count / max(progress.elapsed_s, 1e-9)
            teller.tell(progress.share, f"{rate:,.0f} events a second")

        try:
            fields = report.result(experiment.run(scenario, tell))
        except ScenarioError as error:
            fail(str(error), EXIT_USAGE)
    show(fields, as_json)
