"""For whoever connects a receiver: what do events look like, and what would it be sent?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.installation import DEFAULT_CONFIG, ConfigOption, insist_on
from detector.cli.output import ERR, Json, print_json
from detector.errors import DeliveryError

app = typer.Typer(help="What the events look like.", no_args_is_help=True)


@app.command()
def sample() -> None:
    """Print one event of each type, as an endpoint gets it (one JSON document per line).

    Examples:

      detector events sample | head -1 | python3 -m json.tool
    """
    from detector.delivery.samples import samples

    for document in samples().values():
        typer.echo(document.decode())


@app.command()
def schema(
    folder: Annotated[Path, typer.Argument(help="where the JSON Schemas and the AsyncAPI document go")] = Path(
        "events"
    ),
) -> None:
    """Write the JSON Schema of each event and an AsyncAPI 3.1 document.

    Examples:

      detector events schema docs/events
    """
    from detector.delivery.contract import write

    for file in write(folder):
        typer.echo(file)


@app.command()
def preview(
    endpoint: Annotated[str, typer.Option(help="name of the endpoint in the settings")],
    config: ConfigOption = DEFAULT_CONFIG,
    event_type: Annotated[list[str] | None, typer.Option("--type", help="e.g. problem.opened; repeat for more")] = None,
    as_json: Json = False,
) -> None:
    """Show what an endpoint would be sent for one sample of each type of event that it wants; sends nothing.

    Secrets are hidden. Exits with 1 when something could not be sent.

    Examples:

      detector events preview -c fleet.yaml --endpoint bureau

      detector events preview -c fleet.yaml --endpoint city --type problem.opened --json
    """
    from detector.config import load_settings
    from detector.delivery.endpoint import endpoint_of
    from detector.delivery.preview import Preview
    from detector.delivery.samples import samples
    from detector.delivery.sinks import Tools, open_sink

    settings = load_settings(config)
    known = {one.name: one for one in settings.endpoints}
    insist_on("endpoint", endpoint, known)
    wants = endpoint_of(known[endpoint]).wants
    sink = open_sink(known[endpoint], Tools(picture=lambda _: b"(the picture)", site=settings.site))
    shown, broken = [], False
    for kind, body in samples().items():
        if not wants(kind) or (event_type and kind not in event_type):
            continue
        try:
            made = sink.preview(str(json.loads(body)["id"]), kind, body)
        except DeliveryError as error:
            broken, made = True, Preview("", note=f"cannot be sent: {error}")
        shown.append((kind, made))
    sink.close()
    if as_json:
        print_json([{"type": kind, "preview": made} for kind, made in shown])
    else:
        for kind, made in shown:
            _print(kind, made.note, made.line, dict(made.headers), made.body)
    raise typer.Exit(1 if broken else 0)


def _print(kind: str, note: str | None, line: str, headers: dict[str, str], body: str) -> None:
    ERR.print(f"--- {kind}", style="bold", highlight=False)
    if note is not None:
        typer.echo(note)
        return
    typer.echo(line)
    for name, value in headers.items():
        typer.echo(f"{name}: {value}")
    typer.echo(f"\n{body}\n")
