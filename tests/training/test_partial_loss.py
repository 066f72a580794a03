"""What an unlabelled object does to a label under the plain and under the partial loss."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train` (torch, ultralytics)")
pytest.importorskip("ultralytics", reason="needs the extra `train` (torch, ultralytics)")

from ultralytics.cfg import get_cfg  # noqa: E402
from ultralytics.nn.tasks import DetectionModel  # noqa: E402

from detector.training.partial_loss import EvidenceTable, PartialDetectionLoss, partial_criterion  # noqa: E402

pytestmark = pytest.mark.train
LABELS = ["bin", "car", "truck"]
EVIDENCE = {
    "bins": {"known": ["bin"], "absent": [], "hinted": {}},
    "roads": {"known": ["car", "truck"], "absent": ["bin"], "hinted": {}},
    "cameras": {"known": [], "absent": [], "hinted": {"car": 0.5}, "taught": {"bin": 0.2}},
}


def model() -> Any:
    torch.manual_seed(0)
    network = DetectionModel("yolov5n.yaml", nc=len(LABELS), verbose=False)
    network.args = get_cfg()
    return network.train()


def batch(folder: str, label: str, pictures: int = 2) -> dict[str, Any]:
    """Each picture has one box of `label` in its middle."""
    generator = torch.Generator().manual_seed(1)
    return {
        "img": torch.rand(pictures, 3, 64, 64, generator=generator),
        "im_file": [f"/data/images/train/{folder}/{number}.png" for number in range(pictures)],
        "batch_idx": torch.arange(pictures).float(),
        "cls": torch.full((pictures, 1), float(LABELS.index(label))),
        "bboxes": torch.tensor([[0.5, 0.5, 0.4, 0.4]] * pictures),
    }


def table() -> EvidenceTable:
    return EvidenceTable(LABELS, EVIDENCE, [["car", "truck"]])


def score_gradient(criterion: Any, network: Any, data: dict[str, Any]) -> Any:
    """(pictures, labels, anchors) gradient of the loss with respect to the scores."""
    preds = network(data["img"])
    preds["scores"].retain_grad()
    criterion(preds, data)[0].sum().backward()
    return preds["scores"].grad


def test_the_plain_loss_pushes_an_unlabelled_label_down_and_the_partial_does_not() -> None:
    network = model()
    data = batch("bins", "bin")
    plain = score_gradient(network.init_criterion(), network, data)
    partial = score_gradient(partial_criterion(network, table()), network, data)
    car = LABELS.index("car")
    assert (plain[:, car] > 0).all()  # a step against the gradient lowers every car score
    assert (partial[:, car] == 0).all()
    assert torch.allclose(plain[:, 0], partial[:, 0], atol=1e-6)  # the annotated label learns as before


def test_a_box_denies_only_the_labels_that_exclude_its_own() -> None:
    network = model()
    gradient = score_gradient(partial_criterion(network, table()), network, batch("bins", "car"))
    truck, car = LABELS.index("truck"), LABELS.index("car")
    at_box = gradient[:, truck] > 0
    assert at_box.any()
    assert (gradient[:, truck][~at_box] == 0).all()
    assert (gradient[:, car][~at_box] == 0).all()
    # The assumed car teaches bins nothing beyond what a set of bins already says: all its anchors count as known there.
    assert (gradient[:, 0] > 0).all()


@pytest.mark.parametrize("order", [("bin", "truck"), ("truck", "bin")])
def test_a_place_with_two_labels_teaches_both(order: tuple[str, str]) -> None:
    network = model()
    data = batch("roads", "car")
    both = {
        **data,
        "batch_idx": torch.tensor([0.0, 0.0, 1.0, 1.0]),
        "cls": torch.tensor([[float(LABELS.index(label))] for label in order] * 2),
        "bboxes": data["bboxes"].repeat(2, 1),
    }
    gradient = score_gradient(partial_criterion(network, table()), network, both)
    raised = gradient < 0  # a step against the gradient raises the score
    one, other, third = (LABELS.index(label) for label in ("bin", "truck", "car"))
    assert raised[:, one].any()
    assert (raised[:, one] == raised[:, other]).all()
    assert not raised[:, third].any()


def test_a_box_inside_another_keeps_its_label_to_itself() -> None:
    network = model()
    data = batch("roads", "car", pictures=1)
    nested = {
        **data,
        "batch_idx": torch.zeros(2),
        "cls": torch.tensor([[0.0], [2.0]]),
        "bboxes": torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]]),
    }
    gradient = score_gradient(partial_criterion(network, table()), network, nested)
    assert not ((gradient[:, 0] < 0) & (gradient[:, 2] < 0)).any()


def test_hints_weigh_less_than_knowledge() -> None:
    network = model()
    criterion = partial_criterion(network, table())
    weak = score_gradient(criterion, network, batch("cameras", "truck"))
    full = score_gradient(network.init_criterion(), network, batch("cameras", "truck"))
    ratio = weak / full
    far = full[:, LABELS.index("truck")] > 0  # anchors that are no positive of the box
    assert torch.allclose(ratio[:, LABELS.index("car")][far], torch.tensor(0.5), atol=1e-4)
    assert torch.allclose(ratio[:, LABELS.index("bin")][far], torch.tensor(0.2), atol=1e-4)


def test_a_picture_of_no_known_set_is_trained_on_plainly() -> None:
    weights = table().of_pictures(["/x/images/train/elsewhere/1.png", "/x/images/train/roads/1.png"])
    assert weights.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert table().of_pictures(["/x/cameras/1.png"])[0].tolist() == pytest.approx([0.2, 0.5, 0.0])


def test_the_loss_is_computed_in_full_precision_under_autocast() -> None:
    network = model()
    criterion = PartialDetectionLoss(network, table=table())
    data = batch("bins", "bin")
    with torch.autocast("cpu", torch.bfloat16):
        preds = network(data["img"])
        loss, _ = criterion(preds, data)
    assert preds["scores"].dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss).all()


def test_end_to_end_models_get_a_partial_loss_for_each_head() -> None:
    torch.manual_seed(0)
    network = DetectionModel("yolo26n.yaml", nc=len(LABELS), verbose=False)
    network.args = get_cfg()
    criterion = partial_criterion(network.train(), table())
    assert isinstance(criterion.one2many, PartialDetectionLoss)
    assert isinstance(criterion.one2one, PartialDetectionLoss)
    loss, _ = criterion(network(torch.rand(2, 3, 64, 64)), batch("bins", "bin"))
    assert torch.isfinite(loss).all()
