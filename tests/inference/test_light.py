"""What runs beside the cameras never loads the trainer's libraries."""

from __future__ import annotations

import subprocess
import sys

MODULES = [
    "detector.inference.open",
    "detector.inference.seal",
    "detector.inference.swap",
    "detector.inference.scripted",
]
SCRIPT = """
import sys
for name in {modules}:
    __import__(name)
heavy = sorted(
    name for name in ("torch", "torchvision", "ultralytics", "openvino", "matplotlib", "onnx", "PIL")
    if name in sys.modules
)
print(heavy)
"""


def test_inference_leaves_torch_and_ultralytics_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(modules=MODULES)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
