"""Executes ``simulator.ipynb`` again and leaves nothing of this machine in it: ``uv run python docs/execute.py``."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

PATH = Path(__file__).with_name("simulator.ipynb")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def main() -> None:
    notebook = nbformat.read(PATH, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", record_timing=False).execute()
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {}
    nbformat.write(notebook, PATH)


if __name__ == "__main__":
    main()
