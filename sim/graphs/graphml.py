"""GraphML: graphs as XML (Brandes, Eiglsperger, Herman, Himsolt and Marshall, 2001).

Nodes and edges of the first graph are read, and no attribute: nodes keep their order and their ids. A stream parser,
so that a message has a line.
"""

from xml.parsers import expat

from .graph import Graph, GraphError

__all__ = ["parse"]


def parse(data: bytes, where: str) -> Graph:
    """Reads a graph. Raises ``GraphError``."""
    parser = expat.ParserCreate(namespace_separator=" ")
    numbers: dict[str, int] = {}
    # Edges may come before their nodes.
    edges: list[tuple[str, str, int]] = []
    graphs = 0

    def refuse(sentence: str, line: int) -> GraphError:
        return GraphError(f"{where}, line {line}: {sentence}")

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal graphs
        name, line = tag.rpartition(" ")[2], parser.CurrentLineNumber
        graphs += name == "graph"
        if graphs > 1:
            return
        if name == "node":
            if "id" not in attributes:
                raise refuse("a node without an id.", line)
            numbers.setdefault(attributes["id"], len(numbers))
        elif name == "edge":
            if "source" not in attributes or "target" not in attributes:
                raise refuse("an edge without source and target.", line)
            edges.append((attributes["source"], attributes["target"], line))
        elif name == "hyperedge":
            raise refuse("friendships are between two, and this is a hyperedge.", line)

    def entity(*_: object) -> None:
        raise refuse("entities are not read; write what they stand for.", parser.CurrentLineNumber)

    parser.StartElementHandler = begin
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise refuse(f"this is no XML: {expat.ErrorString(error.code)}.", error.lineno) from error
    if not graphs:
        raise GraphError(f"{where} has no <graph>: it is no GraphML.")
    pairs = []
    for one, other, line in edges:
        for node in (one, other):
            if node not in numbers:
                raise refuse(f"there is no node {node!r}.", line)
        if one == other:
            raise refuse(f"node {one!r} is its own friend; remove the edge.", line)
        pairs.append((numbers[one], numbers[other]))
    return Graph.from_edges(len(numbers), pairs, list(numbers))
