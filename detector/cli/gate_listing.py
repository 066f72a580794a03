"""What the gate decided and why, for people, machines and documents."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

from rich.table import Table

from detector.cli.output import ERR

if TYPE_CHECKING:
    from detector.training.gate import Verdict


def show(verdict: Verdict) -> None:
    """Every figure, and what speaks against the candidate, on stderr."""
    table = Table("label", "part", "candidate", "production", "95 %", "objects", "", box=None)
    for row in verdict.table:
        spread = f"{row.interval.low:.3f}-{row.interval.high:.3f}" if row.interval else ""
        mark = ("worse" if row.fell else "") if row.decides else ("" if row.interval is None else "too few to decide")
        before = "" if row.production is None else f"{row.production:.3f}"
        table.add_row(row.label, row.part, f"{row.candidate:.3f}", before, spread, str(row.instances), mark)
    ERR.print(table)
    few = [reason.label for reason in verdict.reasons if reason.kind == "too_few"]
    if few:
        text = f"{len(few)} labels have too few validation objects to say anything: {', '.join(map(str, few))}"
        ERR.print(f"blocked by too_few: {text}", soft_wrap=True)
    for reason in verdict.reasons:
        if reason.kind != "too_few":
            ERR.print(f"blocked by {reason.kind}: {reason.text}", soft_wrap=True)
    if verdict.passed:
        ERR.print("the gate has nothing against it")


def as_document(verdict: Verdict) -> dict[str, Any]:
    """The same for machines."""
    return {
        "passed": verdict.passed,
        "reasons": [{"kind": reason.kind, "label": reason.label, "text": reason.text} for reason in verdict.reasons],
        "table": [
            {
                "label": row.label,
                "part": row.part,
                "candidate": row.candidate,
                "production": row.production,
                "low": row.interval.low if row.interval else None,
                "high": row.interval.high if row.interval else None,
                "instances": row.instances,
                "decides": row.decides,
                "fell": row.decides and row.fell,
            }
            for row in verdict.table
        ],
    }


def markdown(verdict: Verdict, candidate: str, production: str) -> str:
    """AP50 of each label of both models, and the mean over the labels that both have."""
    rows = [row for row in verdict.table if row.part == "all" and row.production is not None]
    lines = [f"| label | objects | {candidate} | {production} | 95 % of it |", "|---|--:|--:|--:|--:|"]
    for row in rows:
        spread = f"{row.interval.low:.2f}-{row.interval.high:.2f}" if row.interval else ""
        lines.append(f"| {row.label} | {row.instances} | {row.candidate:.3f} | {row.production:.3f} | {spread} |")
    if rows:
        ours, theirs = mean(row.candidate for row in rows), mean(row.production or 0.0 for row in rows)
        lines.append(f"| mean of {len(rows)} labels | | {ours:.3f} | {theirs:.3f} | |")
    return "\n".join(lines) + "\n"
