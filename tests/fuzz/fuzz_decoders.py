"""The coverage-guided fuzzer over everything that reads what others wrote.

    uv sync --group fuzz
    uv run --group fuzz python tests/fuzz/fuzz_decoders.py -max_total_time=60

Arguments are libFuzzer's. New inputs go to a temporary folder, the committed seeds are read; an input that fails is
left in the working directory and runs again with its path as the only argument. What is run stands in
``tests/support/fuzzing.py``; ``test_fuzz_decoders.py`` runs the same over the seeds without atheris.
"""

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

with atheris.instrument_imports(include=["rumor", "cbor2", "fuzzing"]):
    from fuzzing import fuzz_one


def main() -> None:
    with tempfile.TemporaryDirectory() as found:
        paths = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
        corpus = [] if paths else [found, str(HERE / "corpus")]
        atheris.Setup([*sys.argv, "-max_len=16384", *corpus], fuzz_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
