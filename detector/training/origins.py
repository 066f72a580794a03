"""Where the pictures of a mixture come from: `datasets/<name>/origins.yaml`, beside the mixture's recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from detector.training.written import read_written


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(_Entry):
    """One set: where it is published, under which licence as declared, and how its labels become ours."""

    url: str = Field(pattern=r"^https://", description="repository or page it is fetched from")
    at: str = Field(description="folder in it")
    commit: str | None = Field(None, pattern=r"^[0-9a-f]{40}$", description="where it was seen to lie")
    first: str | None = Field(None, description="where that was taken from, as far as it says")
    format: Literal["coco", "yolo", "voc", "cvat", "labelstudio", "labelme", "masks", "crops"]
    classes: dict[str, str | None] = Field({}, description="their names: ours; null drops them; masks: file suffix")
    licence: str = Field(min_length=1, description="as declared by the publisher")
    groups: str = Field(min_length=1, description="what must stay in one split")
    traps: str = ""


class Further(_Entry):
    """A set that is known and not used."""

    url: str = Field(pattern=r"^https://")
    format: str
    licence: str = Field(min_length=1)
    for_: str = Field(alias="for", min_length=1)


class Origins(_Entry):
    """The whole file."""

    sets: dict[str, Origin] = Field(min_length=1)
    further: dict[str, Further] = {}


def read_origins(path: Path) -> Origins:
    """Read the file; raises DatasetError naming file, line and field."""
    return read_written(path, Origins)
