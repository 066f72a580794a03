"""For whoever receives the events: the endpoints, what waits for them, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.installation import DEFAULT_CONFIG, ConfigOption, insist_on
from detector.cli.output import ERR, Json, print_json, print_table
from detector.store import Store

app = typer.Typer(help="Receivers of events.", no_args_is_help=True)


@app.command("list")
def list_endpoints(config: ConfigOption = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Show each endpoint, what waits for it, and whether it is disabled.

    Examples:

      detector endpoints list -c fleet.yaml
    """
    from detector.assembly import open_store_of
    from detector.config import load_settings

    settings = load_settings(config)
    with open_store_of(config) as store:
        states, depths = store.endpoints(), store.outbox_depths()
    names = sorted({endpoint.name for endpoint in settings.endpoints} | depths.keys())
    configured = {endpoint.name for endpoint in settings.endpoints}
    rows = [
        {
            "name": name,
            "configured": name in configured,
            "waiting": depths.get(name, 0),
            "disabled_at": states[name].disabled_at if name in states else None,
            "reason": states[name].reason if name in states else None,
        }
        for name in names
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows], "no endpoints")


@app.command()
def enable(
    name: Annotated[str, typer.Argument(help="endpoint name")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Let an endpoint that had answered 410 (gone) have its events again; what waited is sent.

    Examples:

      detector endpoints enable bureau -c fleet.yaml
    """
    from detector.assembly import open_store_of

    with open_store_of(config) as store:
        insist_on_endpoint(name, config, store)
        enabled = store.enable_endpoint(name)
    if as_json:
        print_json({"enabled": enabled})
        return
    ERR.print(f"{name} gets events again" if enabled else f"{name} was not disabled")


@app.command("give-up")
def give_up(
    name: Annotated[str, typer.Argument(help="endpoint name")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Stop waiting for an endpoint that is no more: its deliveries become dead letters, `redeliver` brings them back.

    Examples:

      detector endpoints give-up old-bureau -c fleet.yaml
    """
    from detector.assembly import open_store_of

    with open_store_of(config) as store:
        insist_on_endpoint(name, config, store)
        given_up = store.bury(datetime.now(UTC), name, "given up by hand")
    if as_json:
        print_json({"dead": given_up})
    else:
        ERR.print(f"{given_up} deliveries to {name} are dead letters now" if given_up else f"nothing waits for {name}")


def insist_on_endpoint(name: str | None, config: Path, store: Store) -> None:
    """Raises ConfigError for a name that neither the settings nor any delivery knows."""
    from detector.config import load_settings

    configured = {endpoint.name for endpoint in load_settings(config).endpoints}
    if name is not None and not store.deliveries(None, name, None, 1):
        insist_on("endpoint", name, configured | store.outbox_depths().keys())
