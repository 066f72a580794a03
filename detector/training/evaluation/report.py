"""A folder to browse: figures, curves, slices, mistakes and the pictures that went worst. No network, no scripts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from detector.core.detection import Detection
from detector.core.frame import Image
from detector.training.drawing import RIGHT, TRUTH, WRONG, Mark, chart, marked, write_picture
from detector.training.evaluation.measure import Evaluation, LabelFigures
from detector.training.evaluation.mistakes import NOTHING, Mistake
from detector.training.evaluation.precision import curve
from detector.training.evaluation.predict import Predictions, read_picture
from detector.training.evaluation.thresholds import as_reported
from detector.training.labelled import LabelledPicture

WORST = 24


def write_report(
    folder: Path,
    result: Evaluation,
    pictures: Sequence[LabelledPicture],
    predictions: Predictions,
    synthetic_only: Collection[str] = (),
) -> Path:
    """Write the report into `folder` and return its index.html.

    `synthetic_only`: labels that were trained on synthetic pictures alone, to be marked.
    It holds copies of the worst pictures: treat it with the same care as the data set they come from.
    """
    environment = Environment(
        loader=PackageLoader("detector.training.evaluation", "pages"), autoescape=True, undefined=StrictUndefined
    )
    folder.mkdir(parents=True, exist_ok=True)
    known = [item for item in result.labels.values() if item.known]
    given = [item for item in known if item.chosen_on != result.split]
    page = environment.get_template("report.html").render(
        result=result,
        labels=[_label_page(folder, item) for item in result.labels.values()],
        mistakes=list(Mistake),
        confusion=_confusion(result),
        worst=_worst(folder, result, pictures, predictions),
        pictures=len(pictures),
        synthetic_only=frozenset(synthetic_only),
        given=[item.label for item in given],
        given_from=sorted({item.chosen_on for item in given}),
        chosen=[item.label for item in known if item.chosen_on == result.split],
        sources=sorted({picture.source for picture in pictures}),
    )
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    return index


def _label_page(folder: Path, item: LabelFigures) -> dict[str, Any]:
    points = curve(item.acting)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", item.label)
    place = (item.recall, item.precision) if item.known else None
    write_picture(
        folder / f"curves/{name}-pr.png",
        chart(
            [(item.label, list(points.recall), list(points.precision), RIGHT)],
            title=f"{item.label}: precision over recall",
            x_label="recall",
            marker=place,
        ),
    )
    write_picture(
        folder / f"curves/{name}-threshold.png",
        chart(
            [
                ("precision", list(points.scores), list(points.precision), RIGHT),
                ("recall", list(points.scores), list(points.recall), TRUTH),
            ],
            title=f"{item.label}: by score threshold",
            x_label="threshold",
            marker=(min(item.operating.threshold, 1.0), item.precision) if item.known else None,
        ),
    )
    return {"item": item, "curves": [f"curves/{name}-pr.png", f"curves/{name}-threshold.png"]}


def _confusion(result: Evaluation) -> dict[str, Any]:
    names = [*sorted(result.labels), NOTHING]
    table = result.tally.confusion
    rows = [(drawn, [table[drawn, seen] for seen in names]) for drawn in names]
    return {"columns": names, "rows": [(drawn, counts, sum(counts)) for drawn, counts in rows]}


def _worst(
    folder: Path, result: Evaluation, pictures: Sequence[LabelledPicture], predictions: Predictions
) -> list[dict[str, Any]]:
    order = sorted(range(len(pictures)), key=lambda index: -result.tally.per_picture[index])[:WORST]
    shown: list[dict[str, Any]] = []
    for rank, index in enumerate(index for index in order if result.tally.per_picture[index]):
        picture = pictures[index]
        image = explained(picture, read_picture(picture.path), predictions.detections[index], result)
        name = f"worst/{rank:02d}.jpg"
        write_picture(folder / name, image)
        shown.append(
            {
                "file": name,
                "picture": f"{picture.source}/{picture.path.name}",
                "count": result.tally.per_picture[index],
            }
        )
    return shown


def explained(picture: LabelledPicture, image: Image, seen: Sequence[Detection], result: Evaluation) -> Image:
    """The picture with what was drawn (green), rightly seen (blue) and wrongly seen (red)."""
    marks = [Mark(box.box, "" if len(picture.boxes) > 12 else box.label, TRUTH) for box in picture.boxes]
    free = list(picture.boxes)
    for item in sorted(as_reported(seen), key=lambda item: -item.score):
        figures = result.labels.get(item.label)
        if figures is None or item.label not in picture.annotated or item.score < figures.operating.threshold:
            continue
        match = max(
            (box for box in free if box.label == item.label), key=lambda box: box.box.iou(item.box), default=None
        )
        right = match is not None and match.box.iou(item.box) >= 0.5
        if right and match is not None:
            free.remove(match)
        marks.append(Mark(item.box, f"{item.label} {item.score:.2f}", RIGHT if right else WRONG))
    return marked(image, marks)
