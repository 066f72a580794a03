"""Whether a merged dataset is still what `detector dataset merge` wrote: its files, and what its data.yaml says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.errors import DatasetError

WORDS = "words_hash"
"""Key of the last line of data.yaml: SHA-256 of all before it. Sets merged before it was written lack it."""


def add_words_hash(path: Path) -> None:
    """Append to a data.yaml the hash of all that it says."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_words_line(path.read_bytes()))


def _words_line(said: bytes) -> str:
    return f"{WORDS}: {hashlib.sha256(said).hexdigest()}\n"


def add_picture(digest: hashlib._Hash, split: str, name: str, picture: Path, label_text: str) -> None:
    """Add one picture of set `name` with the content of its label file to a root hash."""
    digest.update(f"{split}/{name}/{picture.name}\0".encode())
    digest.update(hashlib.sha256(picture.read_bytes()).digest() + label_text.removesuffix("\n").encode() + b"\0")


def refuse_changed(path: Path, data: Mapping[str, Any], splits: Mapping[str, Mapping[str, list[Path]]]) -> None:
    """Raise DatasetError when a picture, a label file or data.yaml itself (at `path`) is not as it was merged.

    `splits`: set -> split -> its pictures in name order, in the order they were merged in. Every picture is read,
    through its link: a change of the original shows too.
    """
    told = "restore it, or run `detector dataset merge` again and start a new run"
    said, _, line = path.read_bytes().removesuffix(b"\n").rpartition(b"\n")
    if line != b"root_hash: " + str(data["root_hash"]).encode() and line + b"\n" != _words_line(said + b"\n").encode():
        raise DatasetError(f"{path}: was changed by hand since it was merged; {told}")
    digest = hashlib.sha256()
    for name, by_split in splits.items():
        for split, pictures in by_split.items():
            for picture in pictures:
                labels = Path(data["path"]) / "labels" / split / name / f"{picture.stem}.txt"
                try:
                    add_picture(digest, split, name, picture, labels.read_text(encoding="utf-8"))
                except (OSError, UnicodeDecodeError) as error:
                    raise DatasetError(f"{path}: a file of it cannot be read ({error}); {told}") from error
    if digest.hexdigest() != data["root_hash"]:
        raise DatasetError(
            f"{path}: pictures or labels changed since they were merged (root hash {digest.hexdigest()[:12]} now, "
            f"{str(data['root_hash'])[:12]} then); {told}"
        )
