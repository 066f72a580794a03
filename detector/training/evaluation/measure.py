"""Everything that is measured of one model on one set of pictures, put together.

What counts where: a label is scored on the pictures of the sets that annotate it (their `names`), pooled. In a set that
lists `exhaustive` labels but leaves this one out, a detection on none of its boxes counts neither way; a set whose
`exhaustive` list is EMPTY is scored as if all its names were complete, so its unlabelled objects cost precision:
the figure is then a lower bound, and the set's README says why.

Average precision is taken over all that the model says at a very low score, several labels on one box included, as
COCO and the trainers do. Everything at an operating threshold (precision, recall, mistakes) is taken over what the
worker would report: the best label of each box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from detector.training.evaluation.confidence import Interval, interval
from detector.training.evaluation.independent import evaluator_name, precisions
from detector.training.evaluation.matching import AP50, LabelMatches, match
from detector.training.evaluation.mistakes import Tally, tally
from detector.training.evaluation.precision import at_threshold, average_precision
from detector.training.evaluation.predict import Predictions
from detector.training.evaluation.slices import slices_of
from detector.training.evaluation.thresholds import Operating, as_reported, choose, cross_checked
from detector.training.labelled import LabelledPicture


@dataclass(frozen=True, slots=True)
class SliceFigure:
    """AP50 of a label on a part of the data."""

    name: str  # kind=value
    ap50: float
    interval: Interval | None
    instances: int


@dataclass(frozen=True, slots=True, eq=False)
class LabelFigures:
    """What was measured for one label."""

    label: str
    ap50: float
    ap50_95: float
    interval: Interval | None  # of ap50
    operating: Operating
    chosen_on: str  # where the threshold comes from
    precision: float  # at the threshold, IoU 0.5
    recall: float
    cross_checked: tuple[float, float] | None  # (precision, recall), threshold from the other half of the groups
    instances: int
    pictures: int  # pictures in which the label is annotated
    known: bool  # False: the model has no such label and finds nothing
    slices: tuple[SliceFigure, ...]
    matches: LabelMatches  # of all that the model says
    acting: LabelMatches  # of what the worker would report, at IoU 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One model on one set of pictures."""

    model_version: str
    split: str
    evaluator: str
    wanted_precision: float
    labels: Mapping[str, LabelFigures]  # labels with at least one object
    without_objects: tuple[str, ...]  # annotated, but no object in this split: nothing can be said
    not_annotated: tuple[str, ...]  # labels of the model that no set here annotates
    tally: Tally

    def to_json(self) -> dict[str, dict[str, dict[str, float | int | None]]]:
        """The short form: {"labels": {NAME: {ap50, ap50_95, precision, recall, threshold, instances}}}."""
        return {
            "labels": {
                label: {
                    "ap50": round(item.ap50, 6),
                    "ap50_95": round(item.ap50_95, 6),
                    "precision": round(item.precision, 6),
                    "recall": round(item.recall, 6),
                    "threshold": round(item.operating.threshold, 6) if item.known else None,
                    "instances": item.instances,
                }
                for label, item in self.labels.items()
            }
        }


def measure(
    pictures: Sequence[LabelledPicture],
    predictions: Predictions,
    model_labels: Sequence[str],
    *,
    split: str,
    wanted_precision: float = 0.8,
    thresholds: Mapping[str, Operating] | None = None,
    thresholds_from: str = "",
    samples: int = 200,
    seed: int = 0,
    slices: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Evaluation:
    """Measure `predictions` on `pictures`.

    `thresholds` (with `thresholds_from` saying where they are from) are applied as they are; labels without one get a
    threshold chosen on these very pictures. `samples`: bootstrap samples for the intervals, 0 for none.
    """
    detections = predictions.detections
    reported = [as_reported(seen) for seen in detections]
    annotated = sorted({label for picture in pictures for label in picture.annotated})
    drawn = {box.label for picture in pictures for box in picture.boxes}
    scored = [label for label in annotated if label in drawn]
    groups = [f"{picture.source}/{picture.group or picture.path.stem}" for picture in pictures]
    official = precisions(scored, pictures, detections)
    figures: dict[str, LabelFigures] = {}
    for label in scored:
        if progress is not None:
            progress(label)
        matches = match(label, pictures, detections)
        acting = match(label, pictures, reported, AP50)
        given = (thresholds or {}).get(label)
        operating = given or choose(acting, wanted_precision)
        precision, recall = at_threshold(acting, operating.threshold)
        ap50, ap50_95 = official[label]
        parts: list[SliceFigure] = []
        for part in slices_of(label, pictures, detections, predictions.brightness) if slices else ():
            inside = [groups[index] for index in part.pictures]
            parts.append(
                SliceFigure(
                    part.name,
                    average_precision(part.matches) or 0.0,
                    interval(part.matches, inside, samples, seed) if samples else None,
                    part.matches.instances,
                )
            )
        figures[label] = LabelFigures(
            label=label,
            ap50=ap50 or 0.0,
            ap50_95=ap50_95 or 0.0,
            interval=interval(matches, groups, samples, seed) if samples else None,
            operating=operating,
            chosen_on=thresholds_from if given else split,
            precision=precision,
            recall=recall,
            cross_checked=None if given else cross_checked(acting, groups, wanted_precision),
            instances=matches.instances,
            pictures=sum(label in picture.annotated for picture in pictures),
            known=label in model_labels,
            slices=tuple(parts),
            matches=matches,
            acting=acting,
        )
    return Evaluation(
        model_version=predictions.model_version,
        split=split,
        evaluator=evaluator_name(),
        wanted_precision=wanted_precision,
        labels=figures,
        without_objects=tuple(label for label in annotated if label not in drawn),
        not_annotated=tuple(label for label in model_labels if label not in annotated),
        tally=tally(pictures, reported, {label: item.operating.threshold for label, item in figures.items()}),
    )
