"""What a sink would send, for people to read before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Preview:
    """One request or message; what is secret in it is hidden."""

    line: str  # method and address, or topic
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    note: str | None = None  # why nothing would be sent, or what the text cannot show
