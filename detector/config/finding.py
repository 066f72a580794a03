"""What is wrong in a configuration file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from detector.core.secrets import scrub

MOST_COMPARED = 1000
"""Names that a word is compared with in search of what was meant; of more, those with the same beginning."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell the author of a configuration file."""

    file: Path  # as the user named it
    line: int | None  # 1-based; None when it concerns the file as a whole
    key: str  # e.g. `cameras[3].interval`; empty for the file as a whole
    message: str
    suggestion: str | None = None  # what to write or do instead
    severity: Severity = "error"  # an error keeps the file from being used

    def __str__(self) -> str:
        """`configs/fleet.yaml:12: cameras[3].intervall: unknown key; did you mean "interval"?`, no secrets in it."""
        where = f"{self.file}:{self.line}" if self.line is not None else str(self.file)
        key = f"{self.key}: " if self.key else ""
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return scrub(f"{where}: {key}{self.message}{hint}")


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean "interval"?` for the nearest of `known`, or None when nothing is near."""
    names = list(known)
    if len(names) > MOST_COMPARED:  # 280,000 zones would take seconds for each word
        names = [name for name in names if name[:2] == word[:2]][:MOST_COMPARED]
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else None


def written_key(path: Iterable[str | int]) -> str:
    """`cameras[3].interval` for ("cameras", 3, "interval")."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
