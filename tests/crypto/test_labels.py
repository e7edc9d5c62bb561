"""The table of labels keeps hashes of different purposes apart."""

from pathlib import Path

from rumor.crypto import labels

GOSSIP = Path(__file__).resolve().parents[2] / "gossip"
TABLE = {name: value for name, value in vars(labels).items() if isinstance(value, bytes)}


def test_no_label_is_the_start_of_another() -> None:
    """Else one purpose could be made to hash what another hashes."""
    values = list(TABLE.values())
    assert not [(a, b) for a in values for b in values if a is not b and b.startswith(a)]


def test_all_labels_are_ascii_and_name_their_version() -> None:
    assert all(
        value.isascii() and value.startswith(b"rumor/") and b"/v1" in value for value in TABLE.values()
    )


def test_gossip_has_no_labels_of_its_own() -> None:
    """One table shows at a glance that no two purposes share one."""
    assert [path.name for path in GOSSIP.rglob("*.py") if 'b"rumor/' in path.read_text()] == []
