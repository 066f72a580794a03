"""The page keeps the lines of other days."""

from __future__ import annotations

from tests.simulation.figures import Row
from tests.simulation.others import others_of, with_row


def day(cases: int) -> Row:
    return Row("all", cases=cases, automatic=cases // 2, automatic_right=cases // 4, owed=7, cleared=9)


def test_each_day_has_one_line_in_order_and_the_rest_of_the_page_stays() -> None:
    page = with_row("# A day\n\nits table\n", 15, 2000, day(1000))
    page = with_row(page, 7, 600, day(8)) + "\nWhat they show.\n"
    page = with_row(page, 15, 600, day(80))
    page = with_row(page, 15, 2000, day(2000))
    assert page.startswith("# A day\n\nits table\n\n## Other days\n")
    assert page.endswith("|\n\nWhat they show.\n")
    rows = [line for line in page.splitlines() if line.startswith(("| 7 ", "| 15 "))]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| 7", "600", "8"],
        ["| 15", "600", "80"],
        ["| 15", "2,000", "2,000"],
    ]
    assert rows[2].endswith("| 0 of 7 | 0 of 9 | 0 | 50.0% | 50.0% |")
    assert others_of(page).startswith("## Other days")
    assert with_row(page, 15, 2000, day(2000)) == page
