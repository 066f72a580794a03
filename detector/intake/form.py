"""Reading an upload: never more than was agreed, and never onto a disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from detector.core.coordinates import CoordinateSystem, to_wgs84
from detector.core.geo import GeoPoint
from detector.core.secrets import one_line
from detector.errors import PhotoRefused
from detector.intake.judging import Report

BODY_TIMEOUT_S = 60.0  # a phone on a bad line sends 15 MB at 2 Mbit/s in this time
_LONGEST_FIELD = 8192  # bytes of a field that is no photo
_FIELDS = 16


class PhotoForm(BaseModel):
    """The fields beside the photo."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    latitude: Annotated[float, Field(ge=-90, le=90)]
    """Where the photo was taken, degrees."""
    longitude: Annotated[float, Field(ge=-180, le=180)]
    taken_at: datetime
    """When, ISO 8601; without an offset it is read on the clock of the installation's `timezone`."""
    coordinates: CoordinateSystem = CoordinateSystem.WGS84
    """What latitude and longitude mean: `wgs84` (a phone's own), `gcj02` (Chinese maps), `bd09`, `cgcs2000`."""
    note: Annotated[str, Field(max_length=500)] = ""
    """What the reporter has to say; it goes to the dispatcher."""
    reporter: Annotated[str, Field(max_length=100)] = ""
    """Any id of the reporter. It only counts photos; it is neither stored nor passed on."""
    category: Annotated[str, Field(max_length=100)] | None = None
    """What the reporter takes it for, a category id."""
    open_case: bool = False
    """Open a case, if the photo shows one that is not known yet."""


class _InMemory(MultiPartParser):
    spool_max_size = 1 << 40  # what is not redacted must not reach a disk, not even as a temporary file

    def forget(self) -> None:
        """Close what came of a form that was not read to its end; the library does so for its own errors only."""
        for file in self._files_to_close_on_error:
            file.close()


async def read_form(request: Request, max_bytes: int) -> FormData:
    """The form of a request of at most `max_bytes`, whatever it announces. Raises PhotoRefused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise PhotoRefused(415, "send multipart/form-data")
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal():
        raise PhotoRefused(400, "content-length is not a number")
    if int(announced) > max_bytes:
        raise PhotoRefused(413, f"a request has at most {max_bytes} bytes")

    async def limited() -> AsyncGenerator[bytes, None]:
        taken = 0
        async for chunk in request.stream():
            taken += len(chunk)
            if taken > max_bytes:
                raise PhotoRefused(413, f"a request has at most {max_bytes} bytes")
            yield chunk

    parser = _InMemory(request.headers, limited(), max_files=1, max_fields=_FIELDS, max_part_size=_LONGEST_FIELD)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await parser.parse()
    except BaseException as error:
        parser.forget()
        refusal = _refusal(error)
        if refusal is error:
            raise
        raise refusal from error


def _refusal(error: BaseException) -> BaseException:
    match error:
        case TimeoutError():
            return PhotoRefused(408, "the photo took too long to arrive")
        case MultiPartException() | KeyError():  # KeyError: no boundary
            return PhotoRefused(400, f"the form is broken: {error}")
        case _:
            return error


async def report_of(form: FormData, timezone: str) -> tuple[Report, str]:
    """The report in a form, and who sent it (may be empty). Raises PhotoRefused naming the field."""
    photo = form.get("photo")
    if not isinstance(photo, UploadFile):
        raise PhotoRefused(422, "photo: is missing, or is no file")
    try:
        fields = PhotoForm.model_validate({name: value for name, value in form.items() if name != "photo"})
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise PhotoRefused(422, "; ".join(told)) from None
    taken_at = fields.taken_at
    if taken_at.tzinfo is None:
        taken_at = taken_at.replace(tzinfo=ZoneInfo(timezone))
    position = to_wgs84(GeoPoint(fields.latitude, fields.longitude), fields.coordinates)
    content = await photo.read()
    note = one_line(fields.note)
    return Report(content, position, taken_at, note, fields.category, fields.open_case), fields.reporter
