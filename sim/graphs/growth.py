"""Growth: the edges of random graphs, one after the other.

Plain functions of numbers and arrays, which Python runs for small graphs and the compiler for large ones, with the same
result. Each takes a limited number of uniform draws and returns how many edges it made, or −1 if the draws were too
few: then it is called again with more, of which the first are the same.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["attach", "pair", "rewire"]

Draws = NDArray[np.float64]
Edges = NDArray[np.int32]


def attach(node_count: int, links: int, triangles: float, star: bool, draws: Draws, edges: Edges) -> int:
    """Preferential attachment, with triangles by chance: Barabási and Albert (1999), Holme and Kim (2002).

    Each newcomer makes ``links`` links to as many nodes, each chosen in proportion to its degree; or, with the chance
    ``triangles`` and not at first, to a friend of the node chosen last, where it has one to whom there is no link yet.
    It begins with a star of ``links`` rays, or with so many nodes alone, which then count as if they had one
    friend.
    """
    ends = np.empty(2 * len(edges) + links, dtype=np.int32)
    end_count = edge_count = used = 0
    # The friends of each node as a chain of the entries in `whom`.
    heads = np.full(node_count, -1, dtype=np.int64)
    whom = np.empty(2 * len(edges), dtype=np.int32)
    nexts = np.empty(2 * len(edges), dtype=np.int64)
    if star:
        for node in range(links):
            edges[edge_count, 0], edges[edge_count, 1] = node, links
            ends[end_count], ends[end_count + 1] = node, links
            edge_count += 1
            end_count += 2
    else:
        for node in range(links):
            ends[end_count] = node
            end_count += 1
    mine = np.empty(links, dtype=np.int32)
    for node in range(links + 1 if star else links, node_count):
        made, target = 0, -1
        while made < links:
            if used + 2 > len(draws):
                return -1
            chosen = -1
            if triangles > 0 and made > 0:
                used += 1
                if draws[used - 1] < triangles:
                    eligible = 0
                    entry = heads[target]
                    while entry >= 0:
                        known = whom[entry] == node
                        for earlier in range(made):
                            known |= mine[earlier] == whom[entry]
                        eligible += not known
                        entry = nexts[entry]
                    if eligible:
                        skipped = int(draws[used] * eligible)
                        used += 1
                        entry = heads[target]
                        while True:
                            known = whom[entry] == node
                            for earlier in range(made):
                                known |= mine[earlier] == whom[entry]
                            if not known:
                                if skipped == 0:
                                    break
                                skipped -= 1
                            entry = nexts[entry]
                        chosen = whom[entry]
            if chosen < 0:
                chosen = ends[int(draws[used] * end_count)]
                used += 1
                known = False
                for earlier in range(made):
                    known |= mine[earlier] == chosen
                if known:
                    continue
                target = chosen
            mine[made] = chosen
            made += 1
            if triangles > 0:
                place = 2 * edge_count
                whom[place], nexts[place], heads[node] = chosen, heads[node], place
                whom[place + 1], nexts[place + 1], heads[chosen] = node, heads[chosen], place + 1
            edges[edge_count, 0], edges[edge_count, 1] = chosen, node
            edge_count += 1
        # A newcomer is chosen by nobody before all its links are made.
        for link in range(links):
            ends[end_count], ends[end_count + 1] = mine[link], node
            end_count += 2
    return edge_count


def rewire(node_count: int, degree: int, share: float, draws: Draws, edges: Edges) -> int:
    """A ring in which each node knows ``degree`` neighbours, and a share of the edges leads elsewhere instead.

    Watts and Strogatz (1998): the neighbours by distance, and for each distance all nodes in turn.
    """
    # A set of edges by open addressing; a removed one stays as a gap.
    size = 1
    while size < 3 * len(edges):
        size *= 2
    table = np.full(size, -1, dtype=np.int64)
    degrees = np.full(node_count, degree, dtype=np.int64)

    def place_of(wanted: int) -> int:
        """Where an edge is, or where the first free place on its way is."""
        place = (wanted ^ (wanted >> 17)) * 40503 & (size - 1)
        while table[place] != -1 and table[place] != wanted:
            place = (place + 1) & (size - 1)
        return place

    def number_of(node: int, other: int) -> int:
        return min(node, other) * node_count + max(node, other)

    for distance in range(1, degree // 2 + 1):
        for node in range(node_count):
            other = (node + distance) % node_count
            table[place_of(number_of(node, other))] = number_of(node, other)
    used = edge_count = 0
    for distance in range(1, degree // 2 + 1):
        for node in range(node_count):
            if used + 1 > len(draws):
                return -1
            other = (node + distance) % node_count
            used += 1
            if draws[used - 1] < share and degrees[node] < node_count - 1:
                while True:
                    if used + 1 > len(draws):
                        return -1
                    new = int(draws[used] * node_count)
                    used += 1
                    wanted = number_of(node, new)
                    if new != node and table[place_of(wanted)] != wanted:
                        break
                table[place_of(number_of(node, other))] = -2
                table[place_of(wanted)] = wanted
                degrees[other] -= 1
                degrees[new] += 1
                other = new
            edges[edge_count, 0], edges[edge_count, 1] = node, other
            edge_count += 1
    return edge_count


def pair(node_count: int, degree: int, draws: Draws, edges: Edges) -> int:
    """Gives each node ``degree`` friends: pairs free ends at random, then switches away loops and double edges.

    After McKay and Wormald (1990), without the rejections that would make it exactly uniform; the graph differs from a
    uniform one only near the few edges that were switched. ``degree`` is at most half of the others.
    """
    count = len(edges)
    ends = edges.reshape(2 * count)
    for place in range(2 * count):
        ends[place] = place // degree
    if len(draws) < 2 * count:
        return -1
    for place in range(2 * count - 1, 0, -1):
        other = int(draws[place] * (place + 1))
        ends[place], ends[other] = ends[other], ends[place]
    used = 2 * count
    # The friends of each node, in any order; an edge is listed at both.
    rows = np.empty((node_count, degree), dtype=np.int32)
    filled = np.zeros(node_count, dtype=np.int64)
    for edge in range(count):
        for side in range(2):
            node = edges[edge, side]
            rows[node, filled[node]] = edges[edge, 1 - side]
            filled[node] += 1

    def times(node: int, friend: int) -> int:
        found = 0
        for place in range(degree):
            found += rows[node, place] == friend
        return found

    def replace(node: int, friend: int, by: int) -> None:
        for place in range(degree):
            if rows[node, place] == friend:
                rows[node, place] = by
                break

    is_simple = False
    while not is_simple:
        is_simple = True
        for edge in range(count):
            while True:
                one, other = edges[edge, 0], edges[edge, 1]
                if one != other and times(one, other) == 1:
                    break
                is_simple = False
                if used + 2 > len(draws):
                    return -1
                chosen = int(draws[used] * count)
                side = int(draws[used + 1] * 2)
                used += 2
                third, fourth = edges[chosen, side], edges[chosen, 1 - side]
                # Instead of one–other and third–fourth: one–third and other–fourth.
                if (
                    chosen != edge
                    and one != third
                    and other != fourth
                    and not (one == fourth and other == third)
                    and not (one == other and third == fourth)
                    and times(one, third) == 0
                    and times(other, fourth) == 0
                ):
                    replace(one, other, third)
                    replace(other, one, fourth)
                    replace(third, fourth, one)
                    replace(fourth, third, other)
                    edges[edge, 0], edges[edge, 1] = one, third
                    edges[chosen, 0], edges[chosen, 1] = other, fourth
    return count
