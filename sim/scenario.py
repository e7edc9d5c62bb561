"""Scenarios: everything that decides a run, besides the code.

A scenario is a table of settings. Each can be given as an option of ``rumor sim run`` or as a line of a TOML file; the
option ``--mean-degree`` is the key ``mean_degree``. Both are read by the same code, and what is wrong is said in one
sentence that names the option or the line.
"""

# ruff: noqa: RUF009 -- `setting` makes a field, which ruff cannot see.

import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ..gossip.genesis import Parameters
from ..gossip.pace import Pace
from ..gossip.spreading import REGISTRY
from .faults import FAULT_FORM, LATENCY_FORM, Fault, Latency
from .topology import GRAPHS, find_flaw

__all__ = ["SCHEMES", "SETTINGS", "Scenario", "ScenarioError", "Setting"]

#: A ring has at most so many members, and every node is one.
NODES_MAX: Final = 1_024
#: By name: whether onions are used, and the spreading strategy that carries packets.
SCHEMES: Final[Mapping[str, tuple[bool, str]]] = {
    "onion": (True, "stem"),
    **{strategy: (False, strategy) for strategy in REGISTRY},
}
#: A flood is over in seconds; a reconciliation finds within eight minutes what it left out.
QUIET_S: Final = 600.0
CRYPTO: Final = ("ideal", "real")


class ScenarioError(Exception):
    """A scenario that will not do; the message is the sentence for the user."""


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d+", text) or not low <= int(text) <= high:
            raise ValueError(f"is a whole number from {low} to {high}, and not {text!r}")
        return int(text)

    return parse


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d*\.?\d+(e-?\d+)?", text) or not low <= float(text) <= high:
            raise ValueError(f"is a number from {low:g} to {high:g}, and not {text!r}")
        return float(text)

    return parse


def _one_of(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"is one of {', '.join(names)}, and not {text!r}")
        return text

    return parse


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"is true or false, and not {text!r}")
    return text == "true"


def _shares(text: str) -> tuple[float, ...]:
    return tuple(sorted({share(each) for each in text.split(",")}))


def _fault(stability_s: float) -> Callable[[str], Fault]:
    return lambda text: Fault.parse(text, stability_s)


def setting(default: Any, parse: Callable[[str], Any], help: str, form: str = "") -> Any:
    """A field of a scenario, with how it is read."""
    return field(default=default, metadata={"parse": parse, "help": help, "form": form})


NEVER: Final = Fault(0.0, 0.0)
share = _number(0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run, but for its seed a description of a world; the docstring of each setting is its help."""

    nodes: int = setting(200, _whole(2, NODES_MAX), "Members, each with a node.")
    graph: str = setting("powerlaw-cluster", _one_of(*GRAPHS), "Who is whose friend.", "|".join(GRAPHS))
    mean_degree: int = setting(8, _whole(1, NODES_MAX), "Friends of a node in the mean.")
    shape: float = setting(0.5, share, "Share of rewired edges, or of edges that close triangles.")
    scheme: str = setting("onion", _one_of(*SCHEMES), "How items spread.", "|".join(SCHEMES))
    hours: float = setting(6.0, _number(0.001, 10_000), "Hours of virtual time.")
    posts: int = setting(200, _whole(0, 1_000_000), "Posts in all, by members who are no spies.")
    replies: float = setting(
        0.0, _number(0, 1_000), "Replies to a secret in the mean, by members who hold it."
    )
    replies_each: int = setting(
        1, _whole(1, 100), "Replies in a thread of each member who replies there, all under one persona."
    )
    hearts: float = setting(0.0, _number(0, 1_000), "Hearts for a secret in the mean.")
    whispers: float = setting(0.0, _number(0, 1_000), "Whispers to the author of a secret in the mean.")
    answers: float = setting(0.5, share, "Share of whispers that are answered, and of answers.")
    later_s: float = setting(
        600.0,
        _number(0.001, 1e7),
        "Mean seconds from having a secret or a whisper to saying something about it.",
    )
    warmup_s: float = setting(60.0, _number(0, 1e7), "Seconds before the first post.")
    settle_s: float = setting(
        0.0, _number(0, 1e7), "Seconds after the last post and the last fault; 0 for what the scheme needs."
    )
    epoch_s: int = setting(3_600, _whole(1, 86_400), "Seconds of an epoch.")
    relay_day_epochs: int = setting(24, _whole(1, 1_000), "Epochs of a relay day.")
    bytes_per_day: int = setting(200_000_000, _whole(1_000_000, 100_000_000_000), "Budget of a node.")
    route_length: int = setting(3, _whole(1, 5), "Relays of an onion.")
    crypto: str = setting(
        "ideal", _one_of(*CRYPTO), "ideal has the same sizes, and no mathematics.", "ideal|real"
    )
    latency: Latency = setting(
        Latency("lognormal", 0.05, 0.5),
        Latency.parse,
        f"Seconds between two friends: {LATENCY_FORM}.",
        "FORM",
    )
    jitter: float = setting(
        0.1, share, "Mean of what each frame takes longer, as a share of its link's latency."
    )
    loss: Fault = setting(NEVER, _fault(0), "Frames that are lost.", FAULT_FORM)
    duplication: Fault = setting(NEVER, _fault(0), "Frames that arrive twice.", FAULT_FORM)
    reordering: Fault = setting(NEVER, _fault(0), "Frames that others overtake.", FAULT_FORM)
    churn: Fault = setting(
        NEVER, _fault(1_800), "Nodes that are offline, and stay so for a while.", FAULT_FORM
    )
    crash: Fault = setting(
        NEVER, _fault(300), "Nodes that were killed, and start again from their disk.", FAULT_FORM
    )
    partition: Fault = setting(NEVER, _fault(600), "Time during which the mesh is in two halves.", FAULT_FORM)
    slow: Fault = setting(NEVER, _fault(600), "Nodes that are twenty times slower.", FAULT_FORM)
    skew: Fault = setting(NEVER, _fault(3_600), "Nodes whose clock is wrong.", FAULT_FORM)
    skew_s: float = setting(30.0, _number(0, 86_400), "Standard deviation of a wrong clock, in seconds.")
    spies: tuple[float, ...] = setting(
        (0.0,),
        _shares,
        "Members that work for the adversary; of several shares each is judged, and holds the smaller ones.",
        "SHARE[,SHARE…]",
    )
    droppers: float = setting(0.0, share, "Members that pass nothing on; spies, as far as there are enough.")
    delayers: float = setting(0.0, share, "Members that pass everything on late; spies, as for droppers.")
    replayers: float = setting(0.0, share, "Members that repeat what they heard; spies, as for droppers.")
    flooders: float = setting(0.0, share, "Members that send junk; spies, as for droppers.")
    surround: bool = setting(False, _yes_or_no, "All friends of one member are spies.", "true|false")
    observed: float = setting(0.0, share, "Links of which a bystander sees sizes and times.")
    seed: int = setting(1, _whole(0, 2**63 - 1), "Makes another world of the same kind.")

    @classmethod
    def read(cls, options: Mapping[str, str], path: Path | None = None) -> "Scenario":
        """Reads a scenario from options, which come first, and a TOML file. Raises ``ScenarioError``."""
        given: dict[str, tuple[str, str]] = {}
        if path is not None:
            given |= _from_file(path)
        given |= {name: (text, _option(name)) for name, text in options.items()}
        values: dict[str, Any] = {}
        for name, (text, place) in given.items():
            try:
                values[name] = SETTINGS[name].parse(text)
            except ValueError as error:
                raise ScenarioError(f"{place} {error}.") from error
        scenario = cls(**values)
        places = {name: place for name, (_, place) in given.items()}
        flaw = scenario.find_flaw()
        if flaw is not None:
            name, sentence = flaw
            raise ScenarioError(f"{places.get(name, _option(name))}: {sentence}")
        return scenario

    def find_flaw(self) -> tuple[str, str] | None:
        """What settings are impossible together: the one to blame and a sentence; None if all is well."""
        flaw = find_flaw(self.graph, self.nodes, self.mean_degree)
        if flaw is not None:
            return "nodes" if self.graph == "cycle" else "mean_degree", flaw
        if self.warmup_s + self.quiet_s >= self.duration_s:
            least = (self.warmup_s + self.quiet_s) / 3_600
            return "hours", f"{self.hours:g} hours are too few: warming up and settling take {least:.2g}."
        if self.surround and self.spies[-1] == 0:
            return "surround", "Without spies nobody can be surrounded."
        if self.posts and self.spies[-1] == 1:
            return "spies", "Somebody must be left who posts."
        if self.talks and not self.posts:
            return self._talk_setting, "There is nothing to talk about without posts."
        if self.whispers and not self.onions:
            return "whispers", f"Only an onion can carry a whisper, and the scheme is {self.scheme}."
        if len(self.spies) > 1 and any((self.droppers, self.delayers, self.replayers, self.flooders)):
            return "spies", "Several shares are for spies who only look; give one, or nobody who does more."
        return None

    @property
    def duration_s(self) -> float:
        return self.hours * 3_600

    @property
    def onions(self) -> bool:
        return SCHEMES[self.scheme][0]

    @property
    def talks(self) -> bool:
        """Whether members say anything about secrets."""
        return bool(self.replies or self.hearts or self.whispers)

    @property
    def _talk_setting(self) -> str:
        return next(name for name in ("replies", "hearts", "whispers") if getattr(self, name))

    @property
    def strategy(self) -> str:
        return SCHEMES[self.scheme][1]

    @property
    def parameters(self) -> Parameters:
        """The mesh that is founded: a real one, but that people with few friends may post."""
        return Parameters(
            epoch_s=self.epoch_s,
            relay_day_epochs=self.relay_day_epochs,
            bytes_per_day=self.bytes_per_day,
            route_length=self.route_length,
            friends_min=1,
            members_min=min(8, self.nodes),
            relay_keys_min=min(8, self.nodes) if self.onions else 0,
        )

    @property
    def pace(self) -> Pace:
        return Pace.of(self.parameters, self.nodes)

    @property
    def quiet_s(self) -> float:
        """How long nobody posts and nothing goes wrong at the end: with onions, time for two more of them."""
        if self.settle_s:
            return self.settle_s
        return QUIET_S + (2 * (self.pace.interval_s + self.pace.retry_s) if self.onions else 0)

    def command(self) -> str:
        """The one command that repeats this run."""
        words = ["rumor", "sim", "run"]
        for name in SETTINGS:
            value = getattr(self, name)
            if value != SETTINGS[name].default or name == "seed":
                words += [_option(name), _text(value)]
        return shlex.join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What there is to know about one field of a scenario."""

    name: str
    default: Any
    parse: Callable[[str], Any]
    """From text. Raises ``ValueError`` with the end of a sentence."""
    help: str
    form: str
    """What the text looks like; empty for a number."""

    @property
    def option(self) -> str:
        return _option(self.name)

    @property
    def default_text(self) -> str:
        return _text(self.default)


SETTINGS: Final[Mapping[str, Setting]] = {
    each.name: Setting(
        name=each.name,
        default=each.default,
        parse=each.metadata["parse"],
        help=each.metadata["help"],
        form=each.metadata["form"],
    )
    for each in fields(Scenario)
}


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _from_file(path: Path) -> dict[str, tuple[str, str]]:
    """The settings of a file: the text and the place of each. Raises ``ScenarioError``."""
    try:
        source = path.read_text(encoding="utf-8")
        table = tomllib.loads(source)
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # Not TOML, with the line in the message, or not UTF-8.
        raise ScenarioError(f"{path} is no TOML file: {error}.") from error
    read: dict[str, tuple[str, str]] = {}
    for key, value in table.items():
        place = f"{path}, line {_line_of(key, source)}, {key}"
        if key not in SETTINGS:
            raise ScenarioError(f"{place}: there is no such setting.")
        if not isinstance(value, str | int | float):
            raise ScenarioError(f"{place} is one value, and not a table, list or date.")
        read[key] = _text(value), place
    return read


def _line_of(key: str, source: str) -> int:
    """The line that sets a key; tomllib does not tell."""
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]")
    return next((number for number, line in enumerate(source.splitlines(), 1) if pattern.match(line)), 1)
