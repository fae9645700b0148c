"""The examples run as they are, and print what PyTorch prints.

python tests/test_examples.py    needs torch==2.13.0; writes tests/printed/*.txt
"""

import ast
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PRINTED = ROOT / "tests" / "printed"
DOCUMENT = ROOT.parent / "shared" / "document.md"
needs_document = pytest.mark.skipif(not DOCUMENT.exists(), reason="the document is not at hand")


def run(*command: object, cwd: Path) -> str:
    """Runs Python with these arguments; returns what it prints."""
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def with_torch(source: str) -> str:
    """The program with PyTorch in rushlight's place."""
    source = source.replace("import rushlight as torch", "import torch")
    return re.sub(r"^from rushlight\b", "from torch", source, flags=re.MULTILINE)


def with_rushlight(source: str) -> str:
    """The program with only its import lines changed."""
    source = re.sub(r"^import torch\b", "import rushlight as torch", source, flags=re.MULTILINE)
    return re.sub(r"^from torch\b", "from rushlight", source, flags=re.MULTILINE)


# ---- model_construction.py ----


def test_model_construction_prints_what_pytorch_prints(tmp_path):
    printed = run(EXAMPLES / "model_construction.py", cwd=tmp_path)
    assert printed == (PRINTED / "model_construction.txt").read_text()


def test_model_construction_unchanged(tmp_path):
    """A program that says `import torch`, run by python -m rushlight."""
    script = tmp_path / "script.py"
    script.write_text(with_torch((EXAMPLES / "model_construction.py").read_text()))
    printed = run("-m", "rushlight", script, cwd=tmp_path)
    assert printed == (PRINTED / "model_construction.txt").read_text()


def test_model_construction_in_pytorch(tmp_path):
    pytest.importorskip("torch")
    script = tmp_path / "script.py"
    script.write_text(with_torch((EXAMPLES / "model_construction.py").read_text()))
    assert run(script, cwd=tmp_path) == (PRINTED / "model_construction.txt").read_text()


# ---- the document ----


def document_code(text: str) -> str:
    """The document's code.

    It carries no fences: code starts at an import, a class or an assignment in the first column
    and ends at a bullet, a heading or a printed result."""
    lines, inside = [], False
    for line in text.splitlines():
        if re.match(r"\s*•|# \[Out\]|\d+\. ", line):
            inside = False
        elif re.match(r"(import|from|class) |\w+ = ", line):
            inside = True
        if inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def printing(source: str) -> str:
    """The program, seeded, with bare expressions printed as in an interactive session."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.Expr):
            node.value = ast.Call(ast.Name("print", ast.Load()), [node.value], [])
    seed = ast.parse("torch.manual_seed(0)").body
    imports = [i for i, n in enumerate(tree.body) if isinstance(n, ast.Import)]
    tree.body[imports[0] + 1 : imports[0] + 1] = seed
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


@pytest.fixture
def document(tmp_path):
    source = document_code(DOCUMENT.read_text())
    for name in ("MLP", "FixedHiddenMLP", "NestMLP"):
        assert f"class {name}(nn.Module)" in source
    return source


def expected_text(source: str, tmp_path: Path) -> str:
    """From PyTorch itself when it is importable, else the committed text."""
    try:
        import torch  # noqa: F401
    except ImportError:
        return (PRINTED / "document.txt").read_text()
    script = tmp_path / "with_torch.py"
    script.write_text(printing(source))
    text = run(script, cwd=tmp_path)
    assert text == (PRINTED / "document.txt").read_text()
    return text


@needs_document
def test_document_as_it_stands(document, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(document)
    assert run("-m", "rushlight", script, cwd=tmp_path) == ""
    script.write_text(with_rushlight(document))
    assert run(script, cwd=tmp_path) == ""


@needs_document
def test_document_prints_what_pytorch_prints(document, tmp_path):
    expected = expected_text(document, tmp_path)
    assert expected.count("tensor(") == 4
    script = tmp_path / "script.py"
    script.write_text(printing(document))
    assert run("-m", "rushlight", script, cwd=tmp_path) == expected
    script.write_text(printing(with_rushlight(document)))
    assert run(script, cwd=tmp_path) == expected


# ---- digits ----


def png_size(data: bytes) -> tuple[int, int]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_digits(tmp_path):
    for module in ("sklearn", "tqdm", "matplotlib"):
        pytest.importorskip(module)
    printed = run(EXAMPLES / "digits.py", cwd=tmp_path)
    accuracy = float(re.search(r"test accuracy ([\d.]+)%", printed)[1])
    assert accuracy >= 97
    width, height = png_size((tmp_path / "digits.png").read_bytes())
    assert width > 500 and height > 200


def test_digits_notebook(tmp_path):
    for module in ("sklearn", "tqdm", "matplotlib", "ipykernel"):
        pytest.importorskip(module)
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(EXAMPLES / "digits.ipynb", as_version=4)
    # The kernel is this Python, whatever kernels the machine has installed.
    kernel = tmp_path / "kernels" / "here"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "here", "language": "python"})
    )
    previous = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(tmp_path)
    try:
        client = nbclient.NotebookClient(
            notebook, timeout=240, kernel_name="here", resources={"metadata": {"path": tmp_path}}
        )
        client.execute()
    finally:
        os.environ.pop("JUPYTER_PATH")
        if previous is not None:
            os.environ["JUPYTER_PATH"] = previous
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = "".join(output.get("text", "") for output in outputs)
    assert float(re.search(r"test accuracy ([\d.]+)%", text)[1]) >= 97
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 3


def make_printed() -> None:
    """Writes what PyTorch prints."""
    import tempfile

    import torch

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"expected texts come from PyTorch 2.13.0, this is {torch.__version__}")
    PRINTED.mkdir(exist_ok=True)
    programs = {"model_construction": with_torch((EXAMPLES / "model_construction.py").read_text())}
    if DOCUMENT.exists():
        programs["document"] = printing(document_code(DOCUMENT.read_text()))
    for name, source in programs.items():
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "script.py"
            script.write_text(source)
            (PRINTED / f"{name}.txt").write_text(run(script, cwd=Path(folder)))


if __name__ == "__main__":
    make_printed()
