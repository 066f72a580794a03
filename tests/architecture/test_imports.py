from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

TRAINING_ONLY = ("torch", "torchvision", "ultralytics", "faster_coco_eval", "bpy")

RUNTIME = """
import sys, importlib, pkgutil
import detector
skipped = {skipped}
for found in pkgutil.walk_packages(detector.__path__, "detector."):
    if not found.name.startswith(skipped):
        importlib.import_module(found.name)
assert len([name for name in sys.modules if name.startswith("detector.")]) > 20
heavy = sorted({heavy} & set(sys.modules))
print(",".join(heavy))
"""


def test_import_contracts_are_kept(root: Path) -> None:
    run = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


def test_the_runtime_imports_neither_torch_nor_ultralytics(root: Path) -> None:
    """Everything but detector.training and the database migrations, which are scripts of their own."""
    code = RUNTIME.format(skipped=("detector.training", "detector.store.migrations"), heavy=set(TRAINING_ONLY))
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == ""


def test_the_commands_start_without_training(root: Path) -> None:
    code = (
        "import sys, detector.cli; "
        "print([n for n in sys.modules if n.startswith('detector.training')]"
        f" + [n for n in {TRAINING_ONLY!r} if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_every_room_of_the_runtime_is_under_the_contract_that_keeps_training_out(root: Path) -> None:
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = [c for c in contracts if "detector.training" in c.get("forbidden_modules", [])]
    rooms = {
        f"detector.{path.stem}"
        for path in (root / "detector").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    rooms -= {"detector.__init__", "detector.__main__", "detector.cli", "detector.training"}
    assert rooms <= set(contract["source_modules"])
