"""Faces and plates are gone before a picture can be written, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.core.detection import BoundingBox, Detection
from detector.errors import EvidenceError
from detector.evidence import finders, redact
from detector.evidence.finders import FaceFinder, PlateFinder
from detector.evidence.redact import Redactor, Region, blur, unseen_by

# Real pictures with hand-marked boxes, in pixels: left, top, right, bottom.
Box = tuple[int, int, int, int]
FACES = "coco-streets/images/train/000000000328.webp"
FACE_BOXES: list[Box] = [(172, 112, 208, 148), (308, 140, 350, 172), (432, 115, 490, 162)]
PLATES: list[tuple[str, Box, Box]] = [  # picture, vehicle, readable plate
    ("two-wheelers-in/images/train/IMG-20240615-WA0055_jpg.webp", (174, 136, 325, 267), (264, 227, 301, 244)),
    ("two-wheelers-in/images/train/IMG-20240615-WA0059_jpg.webp", (2, 123, 190, 412), (3, 334, 78, 356)),
    ("two-wheelers-in/images/train/IMG-20240615-WA0071_jpg.webp", (0, 187, 178, 375), (58, 286, 115, 310)),
    ("two-wheelers-in/images/train/IMG-20240615-WA0083_jpg.webp", (189, 163, 316, 245), (231, 216, 267, 223)),
    ("bins-cn/images/train/001002_jpg.webp", (69, 1, 257, 70), (150, 10, 200, 28)),
    ("bins-cn/images/train/001285_jpg.webp", (26, 182, 150, 293), (100, 251, 124, 265)),
    ("bins-cn/images/train/001445_jpg.webp", (260, 155, 442, 231), (401, 217, 428, 227)),
    ("bins-cn/images/train/001693_jpg.webp", (0, 74, 122, 192), (73, 127, 96, 139)),
]
FOUND_ALONE = ("001002", "001285")  # large and nearly level Chinese plates: found without knowing the vehicle


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    return Redactor()


def inside(shape: tuple[int, ...], regions: list[Region]) -> np.ndarray:
    mask = np.zeros(shape[:2], bool)
    for region in regions:
        box = region.box
        mask[
            max(0, int(np.floor(box.top))) : int(np.ceil(box.bottom)),
            max(0, int(np.floor(box.left))) : int(np.ceil(box.right)),
        ] = True
    return mask


def texture() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (240, 320, 3), np.uint8)


def test_blurring_leaves_only_the_averages_of_the_grid() -> None:
    image = texture()
    original = image.copy()
    box = BoundingBox(40, 60, 140, 110)
    blur(image, Region(box, 25))
    part = image[60:110, 40:140].astype(int)
    # two pictures with the same averages become the same picture: nothing else is left in it
    other = original.copy()
    other[60:85, 40:65] = other[60:85, 40:65][::-1, ::-1]
    blur(other, Region(box, 25))
    assert np.abs(other[60:110, 40:140].astype(int) - part).max() <= 1
    outside = np.ones(image.shape[:2], bool)
    outside[60:110, 40:140] = False
    assert (image[outside] == original[outside]).all()


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 20, 20),
        (310, 230, 500, 500),
        (-10, -10, 1000, 1000),
        (400, 10, 500, 20),
        (10, 10, 10, 10),
        (5, 5, 6, 6),
    ],
)
def test_regions_beyond_the_edge_are_no_error(box: tuple[int, int, int, int]) -> None:
    image = texture()
    blur(image, Region(BoundingBox(*box), 5))
    assert image.shape == (240, 320, 3)


def detail(picture: np.ndarray, box: Box) -> float:
    """Strength of fine structure in `box`: what characters and features are made of."""
    edges = cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F)
    left, top, right, bottom = box
    return float(edges[top:bottom, left:right].std())


def test_real_faces_are_blurred_and_the_rest_is_identical(shared: Path, redactor: Redactor) -> None:
    image = cv2.imread(str(shared / "data" / FACES))
    before = image.copy()
    redacted = redactor.redact(image)
    assert (image == before).all(), "the frame itself must stay as it is"
    mask = inside(image.shape, redactor.regions(image))
    assert (redacted[~mask] == image[~mask]).all()
    assert mask.mean() < 0.1
    for box in FACE_BOXES:
        assert detail(redacted, box) < detail(image, box) / 5
        assert not [face for face in FaceFinder(min_score=0.5).find(redacted) if face.iou(BoundingBox(*box)) > 0.2]


@pytest.mark.parametrize(("name", "vehicle", "plate"), PLATES)
def test_readable_plates_of_real_vehicles_are_blurred(
    shared: Path, redactor: Redactor, name: str, vehicle: Box, plate: Box
) -> None:
    image = cv2.imread(str(shared / "data" / name))
    redacted = redactor.redact(image, [Detection("car", BoundingBox(*vehicle), 0.5)])
    assert detail(redacted, plate) < detail(image, plate) / 5
    if any(part in name for part in FOUND_ALONE):
        assert detail(redactor.redact(image), plate) < detail(image, plate) / 5


def test_people_and_vehicles_of_the_model_are_blurred_even_if_no_finder_sees_them(redactor: Redactor) -> None:
    image = np.full((400, 600, 3), 128, np.uint8)
    image[::4], image[:, ::4] = 0, 255
    person = Detection("person", BoundingBox(50, 100, 110, 300), 0.11)
    car = Detection("car", BoundingBox(250, 150, 500, 300), 0.2)
    bin_ = Detection("bin", BoundingBox(520, 100, 590, 200), 0.9)
    boxes = [region.box for region in redactor.regions(image, [person, car, bin_])]
    assert BoundingBox(50, 100, 110, 150) in boxes
    assert BoundingBox(250, 195, 500, 300) in boxes
    redacted = redactor.redact(image, [person, car, bin_])
    for box in (BoundingBox(50, 100, 110, 150), BoundingBox(250, 195, 500, 300)):
        part = redacted[int(box.top) + 5 : int(box.bottom) - 5, int(box.left) + 5 : int(box.right) - 5]
        assert part.std() < image.std() / 3
    assert (redacted[100:200, 520:590] == image[100:200, 520:590]).all()


def test_what_the_model_cannot_see_is_named() -> None:
    assert unseen_by(["garbage", "bin"]) == ("people", "vehicles")
    assert unseen_by(["garbage", "person"]) == ("vehicles",)
    assert unseen_by(["garbage", "person", "car"]) == ()


def test_altered_weights_make_no_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(finders.WEIGHTS, "faces.onnx", "0" * 64)
    with pytest.raises(EvidenceError, match=r"faces\.onnx are not the ones shipped"):
        Redactor()


def test_missing_weights_make_no_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(finders.WEIGHTS, "gone.onnx", "0" * 64)
    with pytest.raises(EvidenceError, match="cannot be read"):
        finders.load("gone.onnx", 1)


@pytest.mark.parametrize("part", [FaceFinder, PlateFinder])
def test_a_finder_that_fails_is_an_evidence_error(
    part: type, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(part, "find", fail)
    with pytest.raises(EvidenceError, match="could not be redacted: no memory"):
        redactor.redact(texture())


def test_pictures_of_any_size_are_looked_at(redactor: Redactor) -> None:
    for height, width in ((1, 1), (7, 300), (300, 7), (33, 31), (1500, 2600)):
        image = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
        assert redactor.redact(image).shape == image.shape


def test_weights_are_described_and_licensed() -> None:
    folder = Path(redact.__file__).parent / "weights"
    described = (folder / "README.md").read_text()
    for name, digest in finders.WEIGHTS.items():
        assert name in described
        assert digest in described
    assert (folder / "LICENSE.faces").is_file()
    assert (folder / "LICENSE.plates").is_file()
