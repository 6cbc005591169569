"""Documents and notebooks, as they stand in the sources."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent.parent
DOCS = HERE.parent.parent / "docs" / "src"


def test_the_reference_is_that_of_the_docstrings():
    done = subprocess.run([sys.executable, HERE / "reference.py"], capture_output=True, text=True, check=True)
    message = "run: python bindings/python/reference.py > docs/src/python-api.md"
    assert done.stdout == (DOCS / "python-api.md").read_text(encoding="utf-8"), message


@pytest.mark.parametrize("notebook", sorted((HERE / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_run(notebook, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.read(notebook, as_version=4)
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()


def test_snippets_of_the_guide_run(tmp_path, monkeypatch):
    """Every block of Python in docs/src/python.md and the README, one after the other."""
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    for page in (HERE / "README.md", DOCS / "python.md"):
        text, names = page.read_text(encoding="utf-8"), {}
        blocks = [block.split("```", 1)[0] for block in text.split("```python\n")[1:]]
        assert blocks, page
        for block in blocks:
            exec(compile(block, str(page), "exec"), names)
