"""The table of labels keeps hashes of different purposes apart."""

from rumor.crypto import labels

TABLE = {name: value for name, value in vars(labels).items() if isinstance(value, bytes)}


def test_no_label_is_the_start_of_another() -> None:
    """Else one purpose could be made to hash what another hashes."""
    values = list(TABLE.values())
    assert not [(a, b) for a in values for b in values if a is not b and b.startswith(a)]


def test_all_labels_are_ascii_and_name_their_version() -> None:
    assert all(
        value.isascii() and value.startswith(b"rumor/") and b"/v1" in value for value in TABLE.values()
    )
