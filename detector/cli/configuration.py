"""Before anything runs: is the configuration right, and does this machine have what it takes?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.installation import ConfigArgument, NamedConfig, named_once
from detector.cli.output import ERR, OUT, Json, print_json, print_table

if TYPE_CHECKING:
    from detector.config.finding import Finding


def check(
    config: ConfigArgument = None,
    named: NamedConfig = None,
    as_json: Json = False,
) -> None:
    """Read a settings file and all it names; each finding tells file, line, key and what to do.

    Exits with 1 when the detector could not run with it.

    Examples:

      detector check configs/example.yaml
    """
    from detector.assembly.tracks import check_tracks
    from detector.config import check_settings, examine_settings
    from detector.errors import BundleError
    from detector.inference.bundle import load_bundle

    examined = examine_settings(named_once(config, named))
    findings = list(examined.findings)
    if examined.settings is not None:
        labels = None
        try:
            labels = [label.name for label in load_bundle(examined.settings.model.path).manifest.labels]
        except BundleError as error:
            ERR.print(str(error), style="red", markup=False)
        findings += check_settings(examined.settings, labels, datetime.now(UTC).date())
        findings += check_tracks(examined.settings)
        broken = labels is None
    else:
        broken = True
    raise typer.Exit(tell_findings(findings, as_json, broken=broken))


def tell_findings(findings: Sequence[Finding], as_json: bool, *, broken: bool = False) -> int:
    """Print what was found; returns the exit code: 1 when `broken` or when there is an error among them."""
    broken = broken or any(finding.severity == "error" for finding in findings)
    if as_json:
        print_json({"ok": not broken, "findings": findings})
    else:
        colours = {"error": "red", "warning": "yellow", "note": "dim"}
        for finding in findings:
            text = str(finding) if finding.severity == "error" else f"{finding} ({finding.severity})"
            OUT.print(text, style=colours[finding.severity], markup=False, highlight=False, soft_wrap=True)
        OUT.print("not usable" if broken else "usable", style="bold red" if broken else "bold green")
    return 1 if broken else 0


def doctor(
    config: ConfigArgument = None,
    named: NamedConfig = None,
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=0, help="cameras to try, from the first; 0: all")] = 20,
) -> None:
    """Try everything the settings name: each camera (codec, GOP, clock), model, database, disk, endpoints.

    Exits with 1 when something does not work. Endpoints get an empty connection, no event.

    Examples:

      detector doctor fleet.yaml --limit 0 --json

      detector doctor -c fleet.yaml
    """
    from detector.cli.examination import examine

    results = list(examine(named_once(config, named), limit or None))
    if as_json:
        print_json(results)
    else:
        print_table(
            ("what", "", "found", "advice"),
            [(r.what, "ok" if r.ok else "FAILS", r.found, r.advice) for r in results],
            "nothing to examine",
        )
    raise typer.Exit(0 if all(result.ok for result in results) else 1)
