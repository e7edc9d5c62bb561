"""Files of graphs: all forms mean the same graph, and what is wrong is said with the file and the line."""

import gzip
import lzma
import struct
from contextlib import suppress
from pathlib import Path

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rumor.sim.graphs.graph import Graph, GraphError
from rumor.sim.graphs.spec import read

EDGES = [(0, 1), (1, 2), (2, 0), (2, 3)]
TRIANGLE = Graph.from_edges(4, EDGES)
MATRIX = "%%MatrixMarket matrix coordinate pattern symmetric\n% a comment\n4 4 4\n2 1\n3 2\n3 1\n4 3\n"
GRAPHML = "\n".join(networkx.generate_graphml(networkx.Graph(EDGES)))


def gt(order: str) -> bytes:
    rows = [[1], [2], [0, 3, 2], []]
    body = b"".join(struct.pack(f"{order}Q{len(row)}B", len(row), *row) for row in rows)
    return (
        "⛾ gt".encode() + bytes([1, order == ">"]) + struct.pack(f"{order}Q3s?Q", 3, b"hey", True, 4) + body
    )


def rdata() -> bytes:
    def reals(*values: float) -> bytes:
        return struct.pack(f">ii{len(values)}d", 14, len(values), *values)

    head = b"RDX2\nX\n" + struct.pack(">iiiii", 2, 0, 0, 0x402, 1) + struct.pack(">ii3s", 0x40009, 3, b"ego")
    ones, others = zip(*EDGES, strict=True)
    body = reals(4) + struct.pack(">iii", 10, 1, 0) + reals(*ones) + reals(*others)
    return lzma.compress(head + struct.pack(">ii", 0x313, 9) + body)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("g.txt", b"# a comment\n0 1\n\n1\t2\r\n2 0 0.5 weight\n3 2\n2 3"),
        ("g.edges", b"0 1\n1 2\n2 0\n2 3\n"),
        ("g.csv", b"source,target\n0,1\n1;2\n2,0\n2, 3\n"),
        ("g.tsv", b"0\t1\n1\t2\n2\t0\n2\t3\n"),
        ("g.mtx", MATRIX.encode()),
        ("g.graphml", GRAPHML.encode()),
        ("g.gt", gt("<")),
        ("g.GT", gt(">")),
        ("g.RData", rdata()),
    ],
)
def test_every_form_is_read_plain_and_compressed(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data))
    for text in (f"{tmp_path / name}", f"file:{tmp_path / name}.gz", f"largest:{tmp_path / name}"):
        made = read(text)
        assert isinstance(made, Graph)
        assert made.digest == TRIANGLE.digest


def test_nodes_keep_their_names_where_numbers_have_gaps(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("7 5\n5 900000000000\n")
    made = read(str(tmp_path / "g.txt"))
    assert isinstance(made, Graph)
    assert made.names == [5, 7, 900000000000]
    (tmp_path / "g.txt").write_text("1 2\n2 3\n")
    made = read(str(tmp_path / "g.txt"))
    assert isinstance(made, Graph)
    assert made.names == [1, 2, 3]
    assert made.edges.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("g.txt", "0 1\nalice bob\n", "g.txt, line 2: two whole numbers were expected, and not 'alice bob'"),
        ("g.txt", "0 1\n\n# x\n2 1.5\n", "g.txt, line 4: two whole numbers were expected, and not '2 1.5'"),
        ("g.txt", "0 1\n-1 2\n", "g.txt, line 2: two whole numbers"),
        ("g.txt", "0 1\n2\n", "g.txt, line 2: two whole numbers were expected, and there is one, '2'"),
        ("g.csv", "a,b\n0,1\n1,x\n", "g.csv, line 3: two whole"),
        ("g.txt", "0 1\n3 3\n", "g.txt, line 2: node 3 is its own friend; remove the line"),
        ("g.txt", "0 1\n0 1234567890123456789\n", "g.txt, line 2"),
        ("g.txt", "", "g.txt is empty"),
        ("g.txt", "# nothing\n", "g.txt is empty"),
        ("g.gml", "graph [", "g.gml is no graph by its ending: take .txt"),
        ("g.mtx", "1 2\n", "g.mtx, line 1: '%%MatrixMarket"),
        ("g.mtx", MATRIX.replace("4 4 4", "4 5 4"), "g.mtx, line 3: a graph is a square matrix"),
        ("g.mtx", MATRIX.replace("4 4 4", "4 4 5"), "g.mtx has 4 of the 5 entries that its line 3"),
        ("g.mtx", MATRIX.replace("4 4 4", "four"), "g.mtx, line 3: rows, columns and entries"),
        ("g.mtx", MATRIX.replace("4 3\n", "5 3\n"), "g.mtx, line 7: nodes are numbered from 1 to 4"),
        ("g.graphml", "<graphml><graph>\n<node id='a'/>", "g.graphml, line 2: this is no XML"),
        ("g.graphml", "<graphml/>", "g.graphml has no <graph>"),
        (
            "g.graphml",
            "<graph>\n<node id='a'/>\n<edge source='a' target='b'/></graph>",
            "line 3: there is no node 'b'",
        ),
        (
            "g.graphml",
            "<graph>\n<node id='a'/>\n<edge source='a' target='a'/></graph>",
            "line 3: node 'a' is its own",
        ),
        ("g.graphml", "<!DOCTYPE g [\n<!ENTITY a 'b'>]>\n<graph/>", "line 2: entities are not read"),
        ("g.gt", "⛾ gt\x01\0\x02\0\0\0\0\0\0\0hi\0\x09\0\0\0\0\0\0\0", "g.gt ends too early"),
        ("g.gt", "0 1", "g.gt is no file of graph-tool"),
        ("g.rdata", "x", "g.rdata is no graph of R"),
        ("g.txt.gz", "0 1\n", "g.txt.gz cannot be read: Not a gzipped file"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_place(
    name: str, text: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(GraphError, match=r"^[^\n]*$") as refused:
        read(str(tmp_path / name))
    assert says in str(refused.value)


def test_a_missing_file_and_a_missing_package_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GraphError, match=r"nothing.txt cannot be read: No such file or directory"):
        read(str(tmp_path / "nothing.txt"))
    monkeypatch.setattr("rumor.sim.graphs.debian.ROOTS", (str(tmp_path),))
    with pytest.raises(GraphError, match="Debian's package python3-graph-tool"):
        read("debian:pgp")
    place = tmp_path / "usr/lib/R/site-library/threejs/data/ego.RData"
    place.parent.mkdir(parents=True)
    place.write_bytes(rdata())
    assert read("debian:ego-facebook").digest == TRIANGLE.digest  # type: ignore[union-attr]


@given(st.binary(max_size=200), st.sampled_from(["txt", "csv", "mtx", "graphml", "gt", "rdata"]))
def test_whatever_the_bytes_only_the_one_error_comes(data: bytes, suffix: str) -> None:
    from rumor.sim.graphs.files import FORMS

    for start in (b"", gt("<")[:30], MATRIX[:80].encode()):
        with suppress(GraphError):
            FORMS[f".{suffix}"](start + data, "file")
