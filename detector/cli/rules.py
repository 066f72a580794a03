"""Commands about zones, permits and rules: what would be decided, and does it match what the bureau expects?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from detector.cli.installation import DEFAULT_CONFIG, ConfigOption, insist_on
from detector.cli.output import OUT, Json, print_json, print_table
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.core.category import Category
    from detector.core.rules import RuleBook

app = typer.Typer(
    no_args_is_help=True,
    help="What zones, permits and rules say: explain one sighting, test a table of them, list what is in force.",
)


@dataclass(frozen=True, slots=True)
class _Town:
    """What is needed to decide about a sighting."""

    book: RuleBook
    categories: dict[str, Category]
    clocks: dict[str, str]  # camera id -> IANA time zone

    def category(self, key: str) -> Category:
        """Raises ConfigError when there is none of that id."""
        insist_on("category", key, self.categories)
        return self.categories[key]

    def local(self, camera: str, at: datetime) -> datetime:
        """`at` on the camera's own clock. Raises ConfigError for an unknown camera."""
        insist_on("camera", camera, self.clocks)
        zone = ZoneInfo(self.clocks[camera])
        return at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)


def _town(config: Path) -> _Town:
    from detector.config import load_categories, load_rules, load_settings

    settings = load_settings(config)
    clocks = {camera.id: settings.timezone_of(camera) for camera in settings.cameras}
    return _Town(load_rules(settings), load_categories(settings.categories), clocks)


def _pair(text: str, what: str, limits: tuple[float, float, float, float]) -> tuple[float, float]:
    """Two numbers; `limits`: least and greatest of the first, then of the second."""
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f'{what}: "{text}" is not two numbers with a comma between') from None
    if not (limits[0] <= first <= limits[1] and limits[2] <= second <= limits[3]):
        raise ConfigError(f'{what}: "{text}" is outside {limits[0]:g}..{limits[1]:g},{limits[2]:g}..{limits[3]:g}')
    return first, second


@app.command()
def explain(
    camera: Annotated[str, typer.Option(help="id of the camera")],
    category: Annotated[str, typer.Option(help="id of the category")],
    at: Annotated[str, typer.Option(help="moment, ISO 8601; on the camera's own clock without an offset")],
    point: Annotated[
        str, typer.Option(help="x,y of the foot of the thing as shares of the picture's width and height")
    ] = "0.5,0.5",
    ground: Annotated[str | None, typer.Option(help="latitude,longitude under it, degrees, WGS-84")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Say whether a sighting would be a case, what decides it, and what was considered before that.

    Examples:

      detector rules explain -c fleet.yaml --camera east-gate --category street_stall --at 2026-05-01T20:00 \\
        --point 0.25,0.8

      detector rules explain -c fleet.yaml --camera east-gate --category street_stall --at 2026-05-01T12:00Z \\
        --ground 35.02,110.99 --json
    """
    from detector.config.expectations import parse_moment
    from detector.core.explaining import explain as explained
    from detector.core.geo import GeoPoint
    from detector.core.rules import Spot

    foot = _pair(point, "--point", (0, 1, 0, 1))
    place = None if ground is None else GeoPoint(*_pair(ground, "--ground", (-90, 90, -180, 180)))
    try:
        moment = parse_moment(at)
    except ValueError as error:
        raise ConfigError(f"--at: {error}") from None
    town = _town(config)
    local = town.local(camera, moment)
    found = explained(town.book, town.category(category), Spot(camera, foot, place), local)
    if as_json:
        print_json({"at": local, "explanation": found})
        return
    codes = ", ".join(f"{code} ({standard})" for standard, code in found.outcome.codes.items()) or "no code"
    OUT.print(
        f"{'a case, ' + codes if found.outcome.case else 'no case'}: {found.outcome.rule}",
        style="bold",
        markup=False,
        highlight=False,
    )
    OUT.print(f"{local:%A %Y-%m-%d %H:%M} there, in {', '.join(found.zones) or 'no zone'}", markup=False)
    print_table(
        ("considered", "", "why"),
        [(reason.subject, "decides" if reason.decided else "-", reason.why) for reason in found.reasons],
        "nothing was considered",
    )


@app.command("test")
def check_table(
    file: Annotated[Path, typer.Argument(help="table of expected outcomes", exists=True, dir_okay=False)],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Compare a table of expected outcomes with what the rules say; exits with 1 when one differs.

    Examples:

      detector rules test configs/expectations.example.yaml -c configs/example.yaml
    """
    from detector.config.expectations import load_expectations, unmet
    from detector.core.geo import GeoPoint
    from detector.core.rules import Spot

    table, town = load_expectations(file), _town(config)
    failures = []
    for expected in table:
        wanted = expected.wanted
        where = f"{expected.mark.file}:{expected.mark.line}"
        try:
            local, category = town.local(wanted.camera, wanted.at), town.category(wanted.category)
        except ConfigError as error:
            failures.append({"where": where, "wrong": str(error)})
            continue
        spot = Spot(wanted.camera, wanted.point, None if wanted.ground is None else GeoPoint(*wanted.ground))
        wrong = unmet(wanted, town.book.decide(category, spot, local))
        if wrong is not None:
            what = f"{wanted.category} at {wanted.camera} on {local:%a %Y-%m-%d %H:%M}: {wrong}"
            failures.append({"where": where, "wrong": what})
    if as_json:
        print_json({"ok": not failures, "expectations": len(table), "failures": failures})
    else:
        for failure in failures:
            OUT.print(f"{failure['where']}: {failure['wrong']}", style="red", markup=False, soft_wrap=True)
        OUT.print(f"{len(table) - len(failures)} of {len(table)} as expected", highlight=False)
    raise typer.Exit(1 if failures else 0)


@app.command("list")
def list_rules(config: ConfigOption = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List zones, permits, events and rules as they are read.

    Examples:

      detector rules list -c fleet.yaml

      detector rules list -c fleet.yaml --json
    """
    from detector.cli.rules_listing import permit_row, rule_row, written, zone_row

    book = _town(config).book
    zones = sorted(book.zones.values(), key=lambda zone: zone.id)
    permits = sorted(book.permits.values(), key=lambda permit: (-permit.rank, permit.id))
    rules = sorted(book.rules.values(), key=lambda rule: (-rule.rank, rule.id))
    if as_json:
        print_json({"zones": written(zones), "permits": written(permits), "rules": written(rules)})
        return
    print_table(("zone", "kind", "where", "for"), map(zone_row, zones), "no zones")
    OUT.print()
    print_table(
        ("permit", "effect", "rank", "categories", "zones", "hours", "dates", "holder"),
        map(permit_row, permits),
        "no permits",
    )
    OUT.print()
    print_table(
        ("rule", "rank", "categories", "inside", "outside", "hours", "dates", "then"), map(rule_row, rules), "no rules"
    )
