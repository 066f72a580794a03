"""What is done to the training pictures of one set alone: quarter turns and greys.

Some sets were turned, sheared or greyed by whoever published them, and their boxes are those around the turned ones;
few pictures of such a set then stand for many. Turning the pictures of the other sets as well would only loosen their
boxes, so this is a matter of the set.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np


def augmented(label: dict[str, Any], augment: Mapping[str, float]) -> dict[str, Any]:
    """`label` (a picture and its boxes, as ultralytics hands them to its transforms) turned by a quarter, either way,
    with probability `quarter_turns`, and grey with probability `grey`. The picture it came from is left as it is: it
    may lie in a cache.
    """
    if random.random() < augment.get("quarter_turns", 0.0):
        label = quarter_turned(label, random.choice((1, 3)))
    if random.random() < augment.get("grey", 0.0):
        grey = cv2.cvtColor(label["img"], cv2.COLOR_BGR2GRAY)
        label["img"] = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    return label


def quarter_turned(label: dict[str, Any], quarters: int) -> dict[str, Any]:
    """The picture and its boxes turned against the clock by `quarters` of a full turn (1 or 3)."""
    label["img"] = np.ascontiguousarray(np.rot90(label["img"], quarters))
    for name in ("ori_shape", "resized_shape", "ratio_pad"):
        label[name] = tuple(label[name][::-1])
    instances = label["instances"]
    width, height = (1.0, 1.0) if instances.normalized else label["img"].shape[1::-1]
    instances.convert_bbox("xyxy")
    left, top, right, bottom = instances.bboxes.T
    if quarters == 1:  # a point at x from the left comes to lie at x from the bottom
        corners = (top, height - right, bottom, height - left)
    else:
        corners = (width - bottom, left, width - top, right)
    instances.bboxes[:] = np.stack(corners, axis=1)
    instances.convert_bbox("xywh")
    return label
