"""The table of other days in docs/city-day.md: one line for each seed and number of cameras that was tried."""

from __future__ import annotations

from tests.simulation.figures import Row

HEADING = "## Other days"

TABLE = (
    "| seed | cameras | cases | duplicates | lost | wrongly cleared | of these back | sent without a person "
    "| of these right |\n"
    "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)

EMPTY = f"""{HEADING}

The same measurement with other seeds; `scripts/simulate-city-day --cameras 600 --seed 17 --add` writes a line.

{TABLE}
"""


def others_of(page: str) -> str:
    """That part of the page, or an empty one."""
    _, found, rest = page.partition(HEADING)
    return found + rest if found else EMPTY


def with_row(page: str, seed: int, cameras: int, total: Row) -> str:
    """The page with the line of that seed and number of cameras in its place."""
    part = others_of(page)
    before = page.removesuffix(part).rstrip()
    key = f"| {seed} | {cameras:,} |"
    lines = [line for line in part.rstrip().splitlines() if not line.startswith(key)]
    start = lines.index(TABLE.splitlines()[1]) + 1
    row = (
        f"{key} {total.cases:,} | {total.duplicates} | {total.lost} of {total.owed:,} "
        f"| {total.wrongly_cleared} of {total.cleared:,} | {total.back} "
        f"| {total.automatic / max(1, total.cases):.1%} | {total.automatic_right / max(1, total.automatic):.1%} |"
    )
    end = next((n for n in range(start, len(lines)) if not lines[n].startswith("|")), len(lines))
    rows = sorted([*lines[start:end], row], key=_seed_and_cameras)
    return "\n".join([*([before, ""] if before else []), *lines[:start], *rows, *lines[end:], ""])


def _seed_and_cameras(row: str) -> tuple[int, int]:
    seed, cameras, *_ = row.strip("| ").split(" | ")
    return int(seed), int(cameras.replace(",", ""))
