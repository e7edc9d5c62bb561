"""The fuzzer's targets over its seeds, and over seeds that a generator has damaged; atheris is not needed."""

import random
from pathlib import Path

import pytest
from fuzzing import TARGETS, fuzz_one, seeds

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


def test_the_corpus_reaches_every_target() -> None:
    assert {path.read_bytes()[0] for path in CORPUS} == set(range(len(TARGETS)))
    assert {path.name for path in CORPUS} >= seeds().keys()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_seed_raises(path: Path) -> None:
    fuzz_one(path.read_bytes())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_no_damaged_seed_raises(path: Path) -> None:
    """Bytes changed, cut out and doubled: each target still returns or raises its one error."""
    seed = path.read_bytes()
    source = random.Random(path.name)
    for _ in range(40):
        data = bytearray(seed)
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(1, len(data))
            match source.randrange(3):
                case 0:
                    data[at] = source.randrange(256)
                case 1:
                    del data[at : at + source.randrange(8)]
                case _:
                    data[at:at] = data[at : at + source.randrange(64)]
            data = data if len(data) > 1 else bytearray(seed)
        fuzz_one(bytes(data))
