"""The notebook of the examples runs from the first cell to the last."""

from __future__ import annotations

import nbclient
import nbformat
import pytest

from conftest import EXAMPLES


@pytest.mark.filterwarnings("ignore")
def test_the_notebook_runs() -> None:
    notebook = nbformat.read(EXAMPLES / "matgrad.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = [output.data for output in outputs if "data" in output]
    assert any("text/latex" in data for data in shown) and any("text/html" in data for data in shown)
