"""Flaws: what is wrong with the settings of a task, for the sweep file to say in which line."""

__all__ = ["Flaw"]


class Flaw(Exception):
    """Settings that will not do."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name
        """The setting to blame."""
        self.sentence = sentence
        """The end of a sentence that began with the setting's place; or a whole one, with a capital."""
