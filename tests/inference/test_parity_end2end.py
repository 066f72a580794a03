"""The same boxes as the trainer's own prediction, for a network that removes duplicates itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from detector.core.detection import BoundingBox, Detection
from detector.inference.bundle import LabelEntry
from detector.inference.onnx import OnnxDetector
from detector.inference.seal import seal
from detector.inference.yolo import Limits
from tests.inference.test_parity import MIN_SCORE, match, needs_ultralytics, run_apart

SIDE = 320

EXPORT_AND_PREDICT = """
import json, sys
from pathlib import Path
import cv2, torch, ultralytics, yaml
from ultralytics import YOLO
side, min_score, *pictures = sys.argv[1:]
side = int(side)
torch.manual_seed(4)
plan = yaml.safe_load((Path(ultralytics.__file__).parent / "cfg/models/26/yolo26.yaml").read_text())
Path("yolo26n.yaml").write_text(yaml.safe_dump(plan | {"nc": 3}))
yolo = YOLO("yolo26n.yaml", task="detect")
network, images = yolo.model, [cv2.imread(picture) for picture in pictures]
seen = torch.stack([
    torch.from_numpy(cv2.resize(image, (side, side))[:, :, ::-1].copy()).permute(2, 0, 1) / 255 for image in images
])
# An untrained network finds the same everywhere. Give its layers the spread of these pictures, and let each class and
# level tell some places of the first one apart.
with torch.no_grad():
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
            layer.reset_running_stats()
    network.train()(seen)
network.eval()
for branch in network.model[-1].one2one_cv3:
    last, told = branch[-1], []
    with torch.no_grad():
        watch = last.register_forward_hook(lambda _layer, _taken, given: told.append(given))
        network(seen[:1])
        watch.remove()
        logits = (told[0] - last.bias[:, None, None])[0].flatten(1).sort(dim=1, descending=True).values
        factor = 5 / (logits[:, 0] - logits[:, 3]).clamp(min=1e-4)
        last.weight *= factor[:, None, None, None]
        last.bias[:] = -4 - logits[:, 3] * factor
file = yolo.export(format="onnx", imgsz=side, nms=False, simplify=False, device="cpu")
fresh, out = YOLO(file, task="detect"), []
for image in images:
    boxes = fresh.predict(image, imgsz=side, conf=float(min_score), device="cpu", verbose=False, save=False)[0].boxes
    out.append([boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist()])
print("RESULT" + json.dumps([str(file), out]))
"""


def draw(folder: Path, count: int) -> list[Path]:
    """Pictures of soft blots, of several shapes."""
    source = np.random.default_rng(8)
    files = []
    for number in range(count):
        blots = source.integers(0, 256, (9, 13, 3), np.uint8)
        size = [(640, 360), (320, 320), (300, 500)][number % 3]
        files.append(folder / f"{number}.png")
        cv2.imwrite(str(files[-1]), cv2.resize(blots, size, interpolation=cv2.INTER_CUBIC))
    return files


@needs_ultralytics
def test_boxes_of_an_end_to_end_network_equal_those_of_ultralytics(tmp_path: Path) -> None:
    pictures = draw(tmp_path, 6)
    file, theirs = run_apart(EXPORT_AND_PREDICT, str(SIDE), str(MIN_SCORE), *map(str, pictures), home=tmp_path)
    bundle = seal(
        tmp_path / file,
        tmp_path / "bundle",
        name="end2end",
        version="1",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        labels=[LabelEntry(name=f"class_{index}") for index in range(3)],
        licence="AGPL-3.0-or-later",
    )
    assert bundle.manifest.output.layout == "yolo-end2end"
    detector = OnnxDetector(bundle, "cpu", limits=Limits(min_score=MIN_SCORE))
    compared = 0
    for picture, (boxes, scores, classes) in zip(pictures, theirs, strict=True):
        other = [
            Detection(bundle.labels[int(index)], BoundingBox(*box), score)
            for box, score, index in zip(boxes, scores, classes, strict=True)
            if box[2] > box[0] and box[3] > box[1]  # what lies in the grey around the picture is no box of ours
        ]
        if len(boxes) == 300:
            continue  # it tells no more: of which ones nobody hears is chance
        compared += match(picture, detector.detect([cv2.imread(str(picture))])[0], other)
    assert compared > 100, f"only {compared} boxes compared: these pictures prove nothing"
