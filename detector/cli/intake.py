"""For whoever lets people send photos."""

from __future__ import annotations

from typing import Annotated

import typer

from detector.cli.ending import told_to_end
from detector.cli.installation import ConfigArgument, NamedConfig, named_once
from detector.cli.output import ERR

STOP_S = 10.0


def intake(
    config: ConfigArgument = None,
    named: NamedConfig = None,
    worker_id: Annotated[str | None, typer.Option(help="name of this process; default: the host's name")] = None,
) -> None:
    """Take photos of street problems over HTTP (随手拍) until SIGTERM or Ctrl-C: POST /photos, see docs/photos.md.

    Runs beside `detector run` on the same settings and database, or alone. It needs `intake.tokens` in the settings.

    Examples:

      detector intake configs/example.yaml

      curl -H "Authorization: Bearer $PHOTO_TOKEN" -F photo=@heap.jpg -F latitude=35.02 -F longitude=110.99
      -F taken_at=2026-07-01T10:30:00+08:00 -F open_case=true http://127.0.0.1:8810/photos
    """
    from detector.config import load_settings
    from detector.intake_service import IntakeService
    from detector.logs import configure

    settings = load_settings(named_once(config, named))
    configure(level=settings.log.level, format=settings.log.format)
    service = IntakeService(settings, worker_id=worker_id)
    ending = told_to_end()
    service.start()
    ERR.print(f"photos: {service.url}/photos")
    try:
        ending.wait()
    finally:
        service.stop(STOP_S)
