"""First contacts: runs on a graph that end when the first spy is told, for whoever asks for no more.

The same packets as in ``runs``, draw for draw, but only as far as they are needed: most meet a spy on their stem, and
floods meet one after some nodes. Timers are left out, since a stem that meets a spy soon outruns nearly all of them.

Cost: a microsecond a packet, whatever the size of the graph.
"""

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .counter import Key, derived, exponential, whole
from .heap import Heap, pop, push
from .runs import AUTHOR, CHOICES, DANDELION, LINKS, SEEN, STEM, WALK
from .stems import Walk, private_stem, relay_walk

__all__ = ["SEEN", "make_contacts"]


@compiled
def make_contacts(
    starts: NDArray[np.int64],
    friends: NDArray[np.int32],
    spies: NDArray[np.bool_],
    honest: NDArray[np.int32],
    seed: Key,
    first_run: int,
    scheme: int,
    end: float,
    entries: Heap,
    room: Walk,
    seen: NDArray[np.void],
) -> None:
    """Fills ``author``, ``first_friend``, ``first_at``, ``on_stem`` and ``hops`` of as many runs as ``seen`` has.

    Hops of a stem on a graph of relays are counted up to the first spy.

    ``entries`` has room for an entry a link, and ``honest`` are the nodes that are no spies.
    """
    node_count = len(starts) - 1
    reached = np.zeros(node_count, dtype=np.int64)
    nodes = np.empty(len(friends) + 2, dtype=np.int32)
    hop_at, hop_from, hop_to, _, flood_node, flood_at, counts = room
    for number in range(len(seen)):
        key = derived(seed, first_run + number)
        author = honest[whole(key, AUTHOR, len(honest))]
        choices, walk_key, links = derived(key, CHOICES), derived(key, WALK), derived(key, LINKS)
        if scheme == STEM:
            private_stem(starts, friends, choices, walk_key, author, end, 0.0, False, 0.0, room)
        elif scheme >= DANDELION:
            relay_walk(
                starts,
                friends,
                (starts, friends),
                spies,
                choices,
                walk_key,
                author,
                end,
                0.0,
                scheme - DANDELION,
                0.0,
                True,
                room,
            )
        else:
            flood_node[0], flood_at[0] = author, 0.0
            counts[0], counts[1] = 0, 1
        row = seen[number]
        row["author"], row["first_friend"], row["hops"] = author, -1, counts[0]
        row["first_at"], row["on_stem"] = np.inf, False
        for hop in range(counts[0]):
            if spies[hop_to[hop]] and not spies[hop_from[hop]]:
                row["first_friend"], row["first_at"], row["on_stem"] = hop_from[hop], hop_at[hop], True
                break
        if row["on_stem"]:
            continue
        # Whatever would come after the first spy heard is not entered: of a hub's friends there are hundreds.
        bound = np.inf
        entries[2][0] = 0
        nodes[0], fresh = flood_node[0], 1
        push(entries, flood_at[0], 0)
        while entries[2][0] > 0:
            at, entry = pop(entries)
            if at >= bound:
                break
            node = nodes[entry]
            if reached[node] == number + 1:
                continue
            reached[node] = number + 1
            for link in range(starts[node], starts[node + 1]):
                friend = friends[link]
                if reached[friend] != number + 1:
                    told = at + exponential(links, link)
                    if told < bound:
                        if spies[friend]:
                            bound, row["first_friend"], row["first_at"] = told, node, told
                        else:
                            nodes[fresh] = friend
                            push(entries, told, fresh)
                            fresh += 1
