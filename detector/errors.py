"""The exception tree: everything the product raises on purpose.

    DetectorError
    ├── ConfigError         a configuration file or value is wrong: names file, line, key and a suggestion
    ├── SourceError         a camera or file could not give a frame
    │   ├── SourceUnreachable   could not open, or no data within the timeout: worth another try
    │   └── SourceUnreadable    opened, but nothing usable can be decoded from it
    ├── BundleError         a model bundle is missing, altered or does not do what its manifest says
    ├── EvidenceError       a picture could not be redacted or written (then it is not written at all)
    ├── StoreError          the database refused or is not at the expected schema
    │   └── NotOwner            another worker has taken over a camera: its looks are no longer ours to record
    ├── DeliveryError       an endpoint is wrongly configured or a delivery cannot be made
    ├── EventRefused        an event that arrived is not rightly signed or is malformed
    ├── PhotoRefused        a photo that somebody sent is not fit to be judged, or comes too often
    └── DatasetError        labelled data is broken: names file and line

Messages never contain secrets: URLs are passed through `detector.core.secrets.without_secrets` before they enter one.
"""

from __future__ import annotations


class DetectorError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to a user."""


class ConfigError(DetectorError):
    """A configuration file or value is wrong."""


class SourceError(DetectorError):
    """A camera or file could not give a frame."""


class SourceUnreachable(SourceError):
    """The source could not be opened or sent nothing within its timeout; trying again later makes sense."""


class SourceUnreadable(SourceError):
    """The source answers, but no usable picture can be decoded from it."""


class BundleError(DetectorError):
    """A model bundle is missing, altered, or fails its self-test."""


class EvidenceError(DetectorError):
    """An evidence picture could not be redacted or written; nothing was written."""


class StoreError(DetectorError):
    """The database refused an operation or does not have the expected schema."""


class NotOwner(StoreError):
    """Another worker has taken over a camera; nothing was recorded."""


class DeliveryError(DetectorError):
    """An endpoint is wrongly configured, or a delivery cannot be made."""


class EventRefused(DetectorError):
    """An event that arrived is not rightly signed, or is not what its type promises."""


class PhotoRefused(DetectorError):
    """A photo that somebody sent is not taken; `status` is the HTTP status that says so."""

    def __init__(self, status: int, reason: str, retry_after_s: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after_s = retry_after_s


class DatasetError(DetectorError):
    """Labelled data is broken; the text names the file and line."""
