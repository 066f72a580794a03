"""The way back from the desk: what people decided there, and which cases wait to be looked at again (回头看).

GET /verdicts.json?after=N answers {"next": N, "more": bool, "verdicts": [...]}; numbers only grow, so a page may be
asked for again after a crash. GET /cases.json?stage=verify answers {"cases": [{"problem_id", "camera_id", ...}]}, and
?overdue=true those whose deadline has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from detector import __version__
from detector.core.event import LateCase
from detector.core.secrets import scrub
from detector.core.verdict import Decision, Verdict
from detector.errors import DeliveryError

DECISIONS = {
    "confirmed": Decision.CONFIRM,
    "rejected": Decision.REJECT,
    "relabelled": Decision.RELABEL,
    "merged": Decision.MERGE,
    "split": Decision.SPLIT,
}
LARGEST_PAGE = 4_000_000
"""Bytes of an answer that are believed to be a page."""

MOST_CHECKS = 500
"""Cases looked at again at the same time; the rest have their turn when some are done."""


class _Told(BaseModel):
    """One verdict; whatever else stands there is of no use here."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    id: str = Field(min_length=1, max_length=200)
    at: AwareDatetime
    decision: str
    problem_id: str = Field(max_length=200)
    by: str | None = None
    reason: str | None = None
    category_now: str | None = None
    merged_into: str | None = None


class _Page(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    next: int = Field(ge=0)
    more: bool = False
    verdicts: tuple[_Told, ...]


MOST_LATE = 5_000
"""Overdue cases of which is told at the same time."""

_Shape = TypeVar("_Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class VerdictPage:
    """Some verdicts, and where to go on."""

    verdicts: tuple[Verdict, ...]
    next: int  # what to ask for `after` the next time
    more: bool  # whether there is another page already


@dataclass(frozen=True, slots=True)
class Check:
    """A case that somebody says is done: the street is to be looked at."""

    problem_id: str
    camera_id: str


class _Source(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    problem_id: str
    camera_id: str


class _Case(_Source):
    sources: tuple[_Source, ...] = ()


class _Cases(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    cases: tuple[_Case, ...]


class _Late(_Source):
    id: str = Field(min_length=1, max_length=200)
    category: str
    codes: dict[str, str] = {}
    stage: str = ""
    department: str | None = None
    department_code: str | None = None
    dispatched_at: AwareDatetime | None = None
    due_at: AwareDatetime
    escalated: int = Field(default=0, ge=0)
    escalated_to: str | None = None
    escalated_at: AwareDatetime | None = None
    district: str | None = None
    street: str | None = None


class _LatePage(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    cases: tuple[_Late, ...]


class DeskLink:
    """Asks one desk. Not thread-safe."""

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 10.0) -> None:
        """`token`: the desk's reading token, if it wants one."""
        headers = {"user-agent": f"street-detector/{__version__}"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout_s, headers=headers, follow_redirects=False)

    def verdicts(self, after: int) -> VerdictPage:
        """The verdicts behind number `after`. Raises DeliveryError when they cannot be had or understood."""
        page = self._ask(_Page, "/verdicts.json", {"after": str(after)})
        known = [told for told in page.verdicts if told.decision in DECISIONS]
        return VerdictPage(tuple(_verdict(told) for told in known), page.next, page.more)

    def checks(self) -> tuple[Check, ...]:
        """The cases that wait to be looked at again. Raises DeliveryError as `verdicts`."""
        page = self._ask(_Cases, "/cases.json", {"stage": "verify", "status": "open", "limit": str(MOST_CHECKS)})
        return tuple(Check(one.problem_id, one.camera_id) for case in page.cases for one in case.sources or (case,))

    def late(self) -> tuple[LateCase, ...]:
        """The open cases that are overdue, at most MOST_LATE. Raises DeliveryError as `verdicts`."""
        found: list[_Late] = []
        while len(found) < MOST_LATE:
            wanted = {"status": "open", "overdue": "true", "limit": str(MOST_CHECKS), "offset": str(len(found))}
            page = self._ask(_LatePage, "/cases.json", wanted)
            found += page.cases
            if len(page.cases) < MOST_CHECKS:
                break
        return tuple(LateCase(case_id=case.id, **case.model_dump(exclude={"id"})) for case in found)

    def _ask(self, shape: type[_Shape], path: str, parameters: dict[str, str]) -> _Shape:
        try:
            answer = self._client.get(self._url + path, params=parameters)
            answer.raise_for_status()
            if len(answer.content) > LARGEST_PAGE:
                raise DeliveryError(f"the desk's {path} answers {len(answer.content)} bytes, more than a page can have")
            return shape.model_validate_json(answer.content)
        except httpx.HTTPError as error:
            raise DeliveryError(f"the desk's {path} cannot be had: {scrub(str(error))}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DeliveryError(f"the desk's {path} cannot be understood: {where}: {first['msg']}") from error

    def close(self) -> None:
        """Release the connection."""
        self._client.close()


def _verdict(told: _Told) -> Verdict:
    return Verdict(
        id=told.id,
        problem_id=told.problem_id,
        decision=DECISIONS[told.decision],
        at=told.at,
        by=told.by or "",
        reason=told.reason or "",
        category=told.category_now,
        into=told.merged_into,
    )
