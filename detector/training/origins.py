"""Where the pictures of a mixture come from: `datasets/<name>/origins.yaml`, beside the mixture's recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detector.errors import DatasetError


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
    """Read the file; raises DatasetError naming file and field."""
    try:
        return Origins.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise DatasetError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
