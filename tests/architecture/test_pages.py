"""What the pages say can be found where they say it is."""

from __future__ import annotations

import re
from pathlib import Path

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def pages(root: Path) -> list[Path]:
    folders = ("docs", "models", "datasets")
    return [*root.glob("*.md"), *(page for folder in folders for page in (root / folder).rglob("*.md"))]


def test_relative_links_lead_somewhere(root: Path) -> None:
    found = pages(root)
    assert root / "README.md" in found
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page in found
        for target in LINK.findall(page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_both_readmes_name_the_same_commands(root: Path) -> None:
    def commands(name: str) -> set[str]:
        return set(re.findall(r"(?:scripts/\w+|detector \w+)", (root / name).read_text("utf-8")))

    assert commands("README.md") == commands("README.zh-CN.md")
