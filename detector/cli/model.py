"""About model bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from detector.cli.output import OUT, Json, print_table

app = typer.Typer(help="Model bundles.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Model bundles."""


@app.command()
def info(
    model: Annotated[Path | None, typer.Argument(help="folder of a bundle; none: the one that is shipped")] = None,
    as_json: Json = False,
) -> None:
    """Check a bundle and show what it recognises, how well, and on how much data that was measured.

    Examples:

      detector model info

      detector model info models/street-14 --json
    """
    from detector.config import ModelSettings
    from detector.inference.bundle import load_bundle

    bundle = load_bundle(model or ModelSettings().path)
    if as_json:
        typer.echo(bundle.manifest.model_dump_json(indent=2))
        return
    manifest = bundle.manifest
    OUT.print(
        f"[bold]{manifest.name}[/] {manifest.version}, {manifest.precision}, {manifest.size_bytes / 1e6:.1f} MB, "
        f"input {manifest.input.width}x{manifest.input.height}, {manifest.licence}"
    )
    OUT.print(f"sha256 {manifest.sha256}, data {manifest.dataset or 'unknown'}\n")
    print_table(
        ("label", "threshold", "AP50 (real)", "trained on", "measured on", "note"),
        [
            (
                *(label.name, label.threshold, label.ap50, label.train_instances, label.val_instances),
                "synthetic pictures only: a person must look first" if label.synthetic_only else "",
            )
            for label in manifest.labels
        ],
        "no labels",
    )
