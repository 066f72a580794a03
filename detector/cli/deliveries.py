"""For whoever receives the events: what was found, what was delivered, and sending again."""

from __future__ import annotations

from datetime import UTC, datetime
from getpass import getuser
from typing import Annotated
from uuid import uuid4

import typer

from detector.cli.endpoints import insist_on_endpoint
from detector.cli.installation import DEFAULT_CONFIG, ConfigOption, insist_on
from detector.cli.output import ERR, Json, print_json, print_table
from detector.core.problem import ProblemStatus
from detector.core.verdict import Decision, Verdict
from detector.errors import ConfigError
from detector.store import DeliveryState


def problems(
    config: ConfigOption = DEFAULT_CONFIG,
    status: Annotated[list[ProblemStatus] | None, typer.Option(help="repeat for several")] = None,
    camera: Annotated[str | None, typer.Option(help="camera id")] = None,
    category: Annotated[str | None, typer.Option(help="category id, e.g. exposed_garbage")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    after: Annotated[str | None, typer.Option(help="id of the last problem of the page before")] = None,
    as_json: Json = False,
) -> None:
    """List problems, newest first.

    Examples:

      detector problems -c fleet.yaml --status open

      detector problems -c fleet.yaml --camera east-gate-2 --json
    """
    from detector.assembly import open_store_of
    from detector.config import load_categories, load_settings

    with open_store_of(config) as store:
        found = store.problems(status, camera, category, limit, after)
        if not found:  # of cameras and categories that are no more there may be some
            settings = load_settings(config)
            insist_on("camera", camera, {one.id for one in settings.cameras} | store.camera_states().keys())
            insist_on("category", category, load_categories(settings.categories))
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "category", "camera", "status", "first seen", "last seen", "score", "looks", "rule"),
        [
            (p.id, p.category, p.camera_id, p.status, p.first_seen, p.last_seen, p.best_score, p.looks, p.rule)
            for p in found
        ],
        "no problems",
    )


def verdict(
    problem_id: Annotated[str, typer.Argument(help="problem id")],
    decision: Annotated[Decision, typer.Argument(help="what it is")],
    config: ConfigOption = DEFAULT_CONFIG,
    reason: Annotated[str, typer.Option(help="why it was none, e.g. legal_advert")] = "",
    category: Annotated[str | None, typer.Option(help="what it is instead, for relabel")] = None,
    into: Annotated[str | None, typer.Option(help="the other problem, for merge")] = None,
    by: Annotated[str, typer.Option(help="who says so")] = "",
    as_json: Json = False,
) -> None:
    """Say what a problem really is: a rejected one is dismissed, and its place stays silent for a while.

    All decisions are kept as examples for training; the other ones move nothing here, cases are worked on at the desk.

    Examples:

      detector verdict 5f0e4c1e-... reject --reason legal_advert -c fleet.yaml
    """
    from detector.assembly import open_store_of
    from detector.config import load_categories, load_settings

    now = datetime.now(UTC)
    if (decision is Decision.RELABEL) != (category is not None):
        raise typer.BadParameter("relabel, and only that, needs --category: what it is instead")
    if (decision is Decision.MERGE) != (into is not None):
        raise typer.BadParameter("merge, and only that, needs --into: the id of the other problem")
    insist_on("category", category, load_categories(load_settings(config).categories))
    with open_store_of(config) as store:
        for one in (problem_id, into):
            if one is not None and store.problem(one) is None:
                raise ConfigError(f"there is no problem {one!r}; `detector problems` lists them")
        given = Verdict(str(uuid4()), problem_id, decision, now, by or getuser(), reason, category, into)
        store.add_verdicts(now, [given])
    if as_json:
        print_json(given)
        return
    acts = decision is Decision.REJECT
    ERR.print("noted; the worker that watches its camera acts on it within seconds" if acts else "noted for training")


def deliveries(
    config: ConfigOption = DEFAULT_CONFIG,
    state: Annotated[DeliveryState | None, typer.Option(help="pending, delivered or dead")] = None,
    endpoint: Annotated[str | None, typer.Option(help="endpoint name")] = None,
    subject: Annotated[str | None, typer.Option(help="problem or camera id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    after: Annotated[int | None, typer.Option(help="id of the last delivery of the page before")] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first; `--state dead` shows what was given up.

    Examples:

      detector deliveries -c fleet.yaml --state dead --endpoint bureau
    """
    from detector.assembly import open_store_of

    with open_store_of(config) as store:
        found = store.deliveries(state, endpoint, subject, limit, after)
        if not found:
            insist_on_endpoint(endpoint, config, store)
    if as_json:
        print_json(found)
        return
    print_table(
        ("id", "event", "type", "subject", "endpoint", "state", "tries", "next try", "status", "error"),
        [
            (
                *(d.id, d.event_id, d.type, d.subject, d.endpoint, d.state, d.attempts),
                *(d.next_attempt_at, d.last_status, d.last_error),
            )
            for d in found
        ],
        "no deliveries",
    )


def redeliver(
    ids: Annotated[list[str] | None, typer.Argument(help="event ids; none: by --since and --until")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[datetime | None, typer.Option(help="events that occurred from then on (UTC)")] = None,
    until: Annotated[datetime | None, typer.Option(help="... and before then (UTC)")] = None,
    endpoint: Annotated[str | None, typer.Option(help="to this endpoint only")] = None,
    include_delivered: Annotated[bool, typer.Option(help="also what the endpoint has accepted already")] = False,
    as_json: Json = False,
) -> None:
    """Send events again, with the ids they had; asking twice changes nothing more.

    Examples:

      detector redeliver -c fleet.yaml 5f0e4c1e-...

      detector redeliver -c fleet.yaml --since 2026-05-01 --until 2026-05-02 --endpoint bureau --include-delivered
    """
    from detector.assembly import open_store_of

    if not ids and since is None and until is None:
        raise typer.BadParameter("say which: event ids, or --since and/or --until")
    with open_store_of(config) as store:
        insist_on_endpoint(endpoint, config, store)
        unknown = [one for one in ids or () if not store.event_known(one)]
        if unknown:
            raise ConfigError(
                f"there is no event {', '.join(unknown)}; `detector deliveries` lists them with their ids"
            )
        moved = store.redeliver(
            datetime.now(UTC), ids or None, _utc(since), _utc(until), endpoint, include_delivered=include_delivered
        )
    if as_json:
        print_json({"pending": moved})
        return
    ERR.print(f"{moved} deliveries will be made again")
    if not moved and not include_delivered:
        ERR.print("none of them was given up; --include-delivered sends again what was accepted", style="dim")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
