"""JSON read as a document: much faster than YAML and as large as it likes, but without the lines of its keys.

Made for what programs write: the zones of a hundred thousand cameras, areas from a map.
"""

from __future__ import annotations

import json
from pathlib import Path

from detector.config.finding import Finding
from detector.config.marked_yaml import Document, read_yaml


def read_json(file: Path) -> Document:
    """Read one JSON object; whatever is wrong with it is in the document's findings, nothing is raised."""
    document = Document(file, lined=False)
    line = None
    try:
        data = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        wrong = f"is not UTF-8 (byte {error.start})"
    except json.JSONDecodeError as error:
        line, wrong = error.lineno, f"is not JSON: {error.msg}"
    except RecursionError:
        wrong = "is nested too deeply"
    else:
        if isinstance(data, dict):
            document.data = data
            return document
        wrong = "must be an object"
    document.findings.append(Finding(file, line, "", wrong))
    return document


def read_document(file: Path) -> Document:
    """Read a file of JSON where its name ends so, otherwise of YAML."""
    return read_json(file) if file.suffix == ".json" else read_yaml(file)
