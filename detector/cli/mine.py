"""`detector mine`: the pictures worth labelling next, out of what the cameras saw and people decided."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.material import DEFAULT_MODEL, model_folder
from detector.cli.output import ERR, Json, print_json
from detector.cli.progress import progress_bar


def mine(
    looks: Annotated[Path, typer.Argument(help="archive of kept looks (redacted pictures)")],
    out: Annotated[Path, typer.Option(help="folder for the labelling task")],
    verdicts: Annotated[Path | None, typer.Option(help="JSON lines of what people decided")] = None,
    model: Annotated[str, typer.Option(help="model whose thresholds count")] = DEFAULT_MODEL,
    tool: Annotated[str, typer.Option(help="labelstudio, cvat or yolo")] = "labelstudio",
    per_camera_day: Annotated[int, typer.Option(min=1, help="most pictures of one camera and day")] = 20,
    rare: Annotated[list[str] | None, typer.Option(help="label to collect wherever it is seen; repeat")] = None,
    days: Annotated[int, typer.Option(min=1, help="how many days back from now to look")] = 30,
    prefix: Annotated[str, typer.Option(help="before each picture's name in Label Studio tasks")] = "",
    as_json: Json = False,
) -> None:
    """Choose hard negatives, confirmed and relabelled finds, flickering, unsure and rare pictures for labelling.

    Pictures come redacted from the archive, few per camera and day, without near-duplicates, with pre-labels.

    Examples:

      detector mine var/looks --verdicts verdicts.jsonl --out tasks/march --tool cvat

      detector mine var/looks --out tasks/rare --rare ponding --rare manhole_abnormal --days 7
    """
    from detector.evidence.looks import kept_looks
    from detector.inference.bundle import load_bundle
    from detector.training.mining.choose import MiningRules
    from detector.training.mining.choose import mine as choose
    from detector.training.mining.tasks import write_task
    from detector.training.mining.verdicts import read_verdicts

    bundle = load_bundle(model_folder(model))
    since = datetime.now(UTC) - timedelta(days=days)
    with progress_bar("reading looks") as advance:
        kept = []
        for look in kept_looks(looks):
            advance(1)
            if look.at >= since:
                kept.append(look)
    rules = MiningRules(bundle.thresholds, per_camera_day=per_camera_day, rare=frozenset(rare or ()))
    found = choose(kept, read_verdicts(verdicts) if verdicts else [], rules)
    write_task(found, bundle.labels, tool, out, name=bundle.model_version, prefix=prefix)
    counts = Counter(why.value for one in found for why in one.why)
    ERR.print(f"{out}: {len(found)} of {len(kept)} looks, {', '.join(f'{n} {why}' for why, n in counts.items())}")
    if as_json:
        print_json({"looks": len(kept), "chosen": len(found), "why": dict(counts)})
