"""How answers of the node look on a terminal. Nothing here decides anything."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_friends", "print_report", "print_status", "safe"]

# Names and reasons come from others: brackets and colons in them are no markup.
_console = Console(highlight=False, markup=False, emoji=False)
#: Characters that change how what follows is shown: direction overrides, invisible joiners and the like.
_INVISIBLE = re.compile("[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")

#: Marks on one letter: no script has words with more than a few.
PILE_MAX = 6


def safe(text: str) -> str:
    """A stranger's text without what could rearrange the terminal; control characters never got this far.

    Unicode's own line and paragraph separators are line feeds, so that whoever indents lines knows all of them. Marks
    that pile up on one letter are cut off where they would cover the lines above.
    """
    text = _INVISIBLE.sub("", re.sub("[\u2028\u2029]", "\n", text))
    kept, pile = [], 0
    for each in text:
        pile = pile + 1 if unicodedata.combining(each) else 0
        if pile <= PILE_MAX:
            kept.append(each)
    return "".join(kept)


def print_friends(answer: dict[str, Any], command: str = "rumor") -> None:
    """``command`` starts the program for this profile."""
    if answer["friends"] or answer["joining"]:
        _print_friend_table(answer, command)
    elif not answer["invitations"]:
        _console.print(
            f"No friends yet. Invite one with `{command} invite`, or take up an invitation: `{command} join URI`."
        )
    if answer["invitations"]:
        _console.print(f"Invitations that nobody has taken up yet: {answer['invitations']}.")


def _print_friend_table(answer: dict[str, Any], command: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    # A state may be a long sentence, which is what wraps; the words are read aloud from one line.
    table.add_column("id", no_wrap=True)
    table.add_column("name")
    table.add_column("state")
    table.add_column("words", no_wrap=True)
    for friend in answer["friends"]:
        table.add_row(friend["id"], Text(friend["name"]), Text(friend["state"]), friend["words"] or "")
    for join in answer["joining"]:
        table.add_row("", Text(join["name"]), Text(join["state"]), "")
    _console.print(table)
    if any(friend["words"] for friend in answer["friends"]):
        _console.print(
            f"\nCall your friend. If both of you see the same four words, confirm them:\n"
            f"  {command} friends confirm NAME WORDS"
        )


def print_status(status: dict[str, Any]) -> None:
    mesh = status["mesh"]
    grid = Table.grid(padding=(0, 2))
    grid.add_row("mesh", _mesh_line(mesh) if mesh else "none yet: found one or join one")
    if mesh:
        grid.add_row("members", f"{mesh['members']}")
        grid.add_row("ring", f"{mesh['ring_size']} (the members among whom an author hides now)")
        grid.add_row("items", f"{mesh['items']}")
    connected = ", ".join(status["connected"])
    grid.add_row("friends", f"{status['friends']} confirmed; connected now: {connected or 'nobody'}")
    grid.add_row("disk", f"{status['disk_bytes'] / 1e6:.1f} MB")
    grid.add_row("listening", "\n".join(status["addresses"]))
    grid.add_row("pending", "\n".join(status["pending"]) or "nothing")
    grid.add_row("posting", _post_line(status["post"]))
    if status["mixing"]:
        _add_mixing(grid, status)
    _console.print(grid)


def _add_mixing(grid: Table, status: dict[str, Any]) -> None:
    mixing, meter = status["mixing"], status["meter"]
    clock = mixing["own_clock"]
    if meter is not None:
        grid.add_row("hiding", " ".join(filter(None, [meter["sentence"], meter["assumes"]])))
    grid.add_row(
        "relay keys", f"{mixing['relay_keys']} may be used now; the mesh asks for {mixing['relay_keys_min']}"
    )
    slot, relaying = _seconds(mixing["slot_wait_s"]), _seconds(mixing["relaying_s"])
    if status["post"]["allowed"]:
        grid.add_row(
            "a post now", f"would wait about {slot} for a slot, and then be about {relaying} on its way"
        )
    if status["outbox"]:
        grid.add_row("your secrets", "\n".join(entry["sentence"] for entry in status["outbox"]))
    if not clock["running"]:
        grid.add_row("own clock", f"does not run yet. {clock['waits_for']}")
        return
    running = f"runs since {datetime.fromtimestamp(clock['since']).astimezone():%d %b %H:%M:%S}"
    each = f"ticks every {_seconds(clock['interval_s'])} on average, whatever you do"
    grid.add_row("own clock", f"{running}; {each}")
    grid.add_row(
        "since start",
        f"{mixing['ticks']} ticks, {mixing['cover_packets']} of them with cover; {mixing['relayed']} onions relayed; "
        f"{mixing['loops_returned']} loops came home, {mixing['loops_lost']} did not",
    )
    grid.add_row(
        "packets",
        f"{mixing['packets_in']} in, {mixing['packets_out']} out; each came {mixing['copies_per_packet']:.2f} times; "
        f"budget {clock['bytes_per_day'] / 1e6:.0f} MB a day",
    )


def _seconds(seconds: float) -> str:
    from ..gossip.gate import in_words

    return in_words(seconds)


def _mesh_line(mesh: dict[str, Any]) -> str:
    return f"{mesh['name']}{' (trial: hides nobody)' if mesh['trial'] else ''}"


def _post_line(post: dict[str, Any]) -> str:
    if post["allowed"]:
        return f"now, among {post['ring_size']} members"
    lines = list(post["obstacles"])
    if post["open_at"] is not None:
        lines.append(f"From {datetime.fromtimestamp(post['open_at']).astimezone():%H:%M:%S} on.")
    return "\n".join(lines)


def print_report(report: dict[str, Any]) -> None:
    latency = report["latency_s"]
    grid = Table.grid(padding=(0, 2))
    grid.add_row(
        "nodes", f"{report['nodes']}, {report['members']} members, {report['friendships']} friendships"
    )
    grid.add_row("secrets", f"{report['posted']} posted, {report['delivered_fraction']:.1%} delivered")
    grid.add_row("latency", f"half within {latency['p50']:.2f} s, 95 % within {latency['p95']:.2f} s")
    grid.add_row("ring", f"each signed by one of {report['ring_size']}")
    grid.add_row(
        "mixing",
        f"{report['onions']} onions over {report['relay_keys']} relay keys; {report['cover_packets']} ticks with cover",
    )
    grid.add_row(
        "packets",
        f"each came to each node {report['copies_per_node']:.2f} times, "
        f"{report['stem_copies_per_node']:.2f} of them before its flood",
    )
    grid.add_row(
        "cost", f"{report['bytes_per_node'] / 1e3:.0f} kB and {report['cpu_s_per_node']:.2f} s of CPU a node"
    )
    _console.print(grid)
