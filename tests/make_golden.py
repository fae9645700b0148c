"""Writes tests/golden/*.json: what PyTorch 2.13 makes of every case of the database.

    python tests/make_golden.py            needs torch==2.13.0; writes one file per module of tests/cases
    python tests/make_golden.py unary      only those of the named modules
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import outcome
import samples

GOLDEN = Path(__file__).parent / "golden"


def dump(value) -> str:
    """JSON with one case per line, so that a change can be reviewed."""
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    import torch

    if not torch.__version__.startswith("2.13.0"):
        raise SystemExit(f"golden values come from PyTorch 2.13.0, this is {torch.__version__}")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    files: dict[str, dict] = {}
    for case in samples.load():
        module = case.source
        if sys.argv[1:] and module not in sys.argv[1:]:
            continue
        try:
            result = outcome.run(torch, case)
        except Exception as e:  # noqa: BLE001
            raise SystemExit(f"{case.id}: {type(e).__name__}: {e}") from e
        if case.error and result["error"] is None:
            raise SystemExit(f"{case.id}: PyTorch raises nothing")
        files.setdefault(module, {"torch": torch.__version__.split("+")[0]})[case.id] = result
    for module, content in files.items():
        (GOLDEN / f"{module}.json").write_text(dump(content))
        print(f"{module}: {len(content) - 1} cases")


if __name__ == "__main__":
    main()
