"""Pictures against pictures: leaks between splits, duplicates, copies; and how many of what there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from detector.training.check.finding import Finding, Kind
from detector.training.check.scan import Scan
from detector.training.likeness import NEAR, is_augmented, near_pairs, origin

FEW = 10
"""A label with fewer validation objects cannot be measured: one object more or less moves recall by a tenth."""


def compare(scan: Scan, near: int = NEAR) -> Iterator[Finding]:
    """Everything that only shows between pictures."""
    yield from _groups(scan)
    yield from _copies(scan)
    yield from _duplicates(scan)
    yield from _near(scan, near)
    yield from _rare(scan)


def counts(scan: Scan) -> Mapping[tuple[str, str], Counter[str]]:
    """(label, source) -> boxes by split, also for labels annotated without a box."""
    table: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for picture in scan.pictures:
        for label in picture.annotated:
            table[label, picture.source][picture.split or "unassigned"] += 0
        for box in picture.boxes:
            table[box.label, picture.source][picture.split or "unassigned"] += 1
    return table


def _groups(scan: Scan) -> Iterator[Finding]:
    members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, picture in enumerate(scan.pictures):
        if picture.group and picture.split:
            members[f"{picture.source}/{picture.group}"][picture.split].append(index)
    for name, splits in members.items():
        if len(splits) > 1:
            said = ", ".join(f"{len(indices)} in {split}" for split, indices in splits.items())
            shown = tuple(scan.pictures[indices[0]].path for indices in splits.values())
            yield Finding(Kind.LEAK_GROUP, name, f"group stands in several splits: {said}", shown)


def _copies(scan: Scan) -> Iterator[Finding]:
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, picture in enumerate(scan.pictures):
        if is_augmented(picture.path.stem):
            members[picture.source, origin(picture.path.stem)].append(index)
    for (_, name), indices in members.items():
        shown = tuple(scan.pictures[index].path for index in indices)
        splits = {scan.pictures[index].split for index in indices} - {None}
        if len(splits) > 1:
            yield Finding(Kind.LEAK_COPY, str(shown[0]), f"augmented copies of {name} stand in several splits", shown)
        elif len(indices) > 1:
            yield Finding(Kind.AUGMENTED, str(shown[0]), f"{len(indices)} augmented copies of {name}", shown)


def _duplicates(scan: Scan) -> Iterator[Finding]:
    members: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(scan.digests):
        members[digest].append(index)
    for indices in members.values():
        if len(indices) > 1:
            shown = tuple(scan.pictures[index].path for index in indices)
            if len({scan.pictures[index].split for index in indices}) > 1:
                yield Finding(Kind.LEAK_COPY, str(shown[0]), f"the same file as {shown[1]}, in another split", shown)
            else:
                yield Finding(Kind.DUPLICATE, str(shown[0]), f"the same file as {shown[1]}", shown)


def _near(scan: Scan, near: int) -> Iterator[Finding]:
    comparable = [index for index, value in enumerate(scan.hashes) if value is not None]
    for one, other, bits in near_pairs([scan.hashes[index] or 0 for index in comparable], near):
        first, second = comparable[one], comparable[other]
        a, b = scan.pictures[first], scan.pictures[second]
        if a.split != b.split and None not in (a.split, b.split) and scan.digests[first] != scan.digests[second]:
            text = f"looks like {b.path} ({bits} of 64 bits differ): {a.split} against {b.split}"
            yield Finding(Kind.LEAK_LIKENESS, str(a.path), text, (a.path, b.path))


def _rare(scan: Scan) -> Iterator[Finding]:
    total: dict[str, Counter[str]] = defaultdict(Counter)
    for (label, _), splits in counts(scan).items():
        total[label].update(splits)
    for label, splits in sorted(total.items()):
        if splits["val"] + splits["test"] < FEW and splits.total():
            text = f"{splits['train']} boxes to train, {splits['val']} in val, {splits['test']} in test"
            yield Finding(Kind.RARE, label, text)
