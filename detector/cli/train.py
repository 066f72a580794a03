"""`detector train`, and the two steps before it: `merge` sets into a mixture, `teach` what they do not annotate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.output import ERR, Json, print_json, print_table
from detector.cli.progress import bar_of_steps, progress_bar
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.training.train import TrainResult, TrainStep

STOPPED = 130


def train(
    recipe: Annotated[Path, typer.Argument(help="YAML of the run: data, network, stages (see docs/training.md)")],
    runs: Annotated[Path, typer.Option(help="folder that holds the runs; a run lies in RUNS/NAME")] = Path("runs"),
    resume: Annotated[bool, typer.Option(help="go on where an unfinished run of this name stopped")] = True,
    as_json: Json = False,
) -> None:
    """Train a model from its recipe; run the same command again to go on after a stop or a crash.

    Refuses data that changed since the run began. TensorBoard and MLflow log through ultralytics where they are
    installed and its settings say so (`yolo settings tensorboard=True`; mlflow is True by default).

    Examples:

      detector train datasets/street-14/train.yaml

      detector train my-run.yaml --runs /data/runs --json
    """
    os.environ.setdefault("YOLO_VERBOSE", "false")  # read at the import below: its own bars would write to stdout
    try:
        from detector.training.recipe import read_recipe
        from detector.training.train import TrainingInterrupted
        from detector.training.train import train as run
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"training needs the extra `train` ({error}): pip install 'street-detector[train]'"
        ) from error
    read = read_recipe(recipe)
    try:
        with _EpochBar() as report:
            result = run(read, runs, resume, report)
    except TrainingInterrupted as error:
        ERR.print(str(error))
        raise typer.Exit(STOPPED) from error
    _show(result, as_json)


def merge(
    recipe: Annotated[Path, typer.Argument(help="datasets/NAME/manifest.yaml")],
    sets: Annotated[list[Path], typer.Option(help="folder that holds sets named in it; repeat for several")],
    out: Annotated[Path, typer.Option(help="where the merged layout goes; pictures are linked, not copied")],
    taught: Annotated[Path | None, typer.Option(help="boxes written by `detector dataset teach`")] = None,
) -> None:
    """Merge labelled sets into one dataset for `detector train`, with what each set's silence means.

    Examples:

      detector dataset merge datasets/street-14/manifest.yaml --sets data --out runs/data/street-14
    """
    from detector.training.partial_sets import merge_sets, read_mixture
    from detector.training.partial_teacher import read_taught

    boxes = read_taught(taught) if taught else None
    typer.echo(merge_sets(read_mixture(recipe), sets, out, boxes))


def teach(
    recipe: Annotated[Path, typer.Argument(help="datasets/NAME/manifest.yaml, with `taught` labels")],
    sets: Annotated[list[Path], typer.Option(help="folder that holds sets named in it; repeat for several")],
    model: Annotated[Path, typer.Option(help="bundle folder of the teacher")],
    out: Annotated[Path, typer.Option(help="file of boxes to write, for `detector dataset merge --taught`")],
    min_score: Annotated[float, typer.Option(min=0.05, max=1.0, help="how sure the teacher must be")] = 0.45,
    threads: Annotated[int, typer.Option(min=0, help="inference threads; 0: the runtime's choice")] = 0,
) -> None:
    """Let a model box what a set's annotators never looked for (people and cars in photos of litter).

    Examples:

      detector dataset teach datasets/street-14/manifest.yaml --sets data --model models/coco --out runs/taught.jsonl
    """
    from detector.inference.open import open_detector
    from detector.inference.yolo import Limits
    from detector.training.partial_sets import read_mixture
    from detector.training.partial_teacher import teach as run

    mixture = read_mixture(recipe)
    # The decoder keeps scores over the limit, the teacher's own test is "at least".
    teacher = open_detector(model, threads=threads, limits=Limits(min_score=min_score * 0.999, iou=0.6))
    with progress_bar("teaching") as advance:
        before = 0

        def report(done: int) -> None:
            nonlocal before
            advance(done - before)
            before = done

        boxes = run(mixture, sets, teacher, out, min_score, progress=report)
    typer.echo(f"{out}: {boxes} boxes")


class _EpochBar:
    """Batches of the running epoch on stderr."""

    def __init__(self) -> None:
        self._bar = bar_of_steps()
        self._task = self._bar.add_task("loading data", total=None)
        self._epoch = 0

    def __enter__(self) -> _EpochBar:
        self._bar.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._bar.stop()

    def __call__(self, step: TrainStep) -> None:
        if step.epoch != self._epoch:
            self._epoch = step.epoch
            self._bar.reset(self._task, total=step.batches)
        losses = " ".join(f"{name} {value:.3f}" for name, value in step.losses.items())
        text = f"epoch {step.epoch}/{step.epochs} at {step.image_size} px, {losses}"
        self._bar.update(self._task, completed=step.batch, description=text)


def _show(result: TrainResult, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    rows = [
        (name, "-" if score.ap50 is None else f"{score.ap50:.3f}", score.instances)
        for name, score in result.scores.items()
    ]
    print_table(("label", "AP50 on val", "boxes"), rows, "nothing was left to train")
    typer.echo(f"{result.folder}: {result.epochs} epochs")
