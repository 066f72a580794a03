"""Finding the picture that an annotation means: tools write names, relative paths, URLs or upload names."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlparse

from detector.errors import DatasetError
from detector.training.labelled import PICTURE_SUFFIXES

_UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # Label Studio puts eight hex digits before the name of an upload


class PictureIndex:
    """The pictures below one folder, found by path, by name, or by name without suffix."""

    def __init__(self, folder: Path) -> None:
        """Raises DatasetError when `folder` is no folder or holds no picture."""
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder of pictures")
        self.folder = folder
        self.paths = sorted(
            path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
        )
        if not self.paths:
            raise DatasetError(f"{folder}: no pictures ({', '.join(sorted(PICTURE_SUFFIXES))}) below this folder")
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            self._by_name[path.name].append(path)
            self._by_stem[path.stem].append(path)

    def find(self, reference: str, where: str) -> Path:
        """The picture that `reference` (path, name or URL) means; DatasetError names `where` when none or several
        fit.
        """
        wanted = _file_part(reference)
        whole = self.folder / wanted
        if not wanted.is_absolute() and ".." not in wanted.parts and whole.is_file():
            return whole
        name = wanted.name
        for found in (self._by_name[name], self._by_name[_UPLOAD.sub("", name)], self._by_stem[wanted.stem]):
            fitting = [path for path in found if _ends_alike(path, wanted)] or found
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                several = ", ".join(str(path.relative_to(self.folder)) for path in fitting[:3])
                raise DatasetError(
                    f"{where}: picture {reference!r} may be any of {several}; give the path, not the name"
                )
        raise DatasetError(f"{where}: picture {reference!r} is not below {self.folder}")


def _file_part(reference: str) -> PurePosixPath:
    parts = urlparse(reference.replace("\\", "/"))
    local = parse_qs(parts.query).get("d")  # /data/local-files/?d=path
    return PurePosixPath(unquote(local[0] if local else parts.path))


def _ends_alike(path: Path, wanted: PurePosixPath) -> bool:
    tail = wanted.parts[-2:]
    return path.parts[-len(tail) :] == tail
