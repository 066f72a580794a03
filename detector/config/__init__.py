"""The YAML files of configs/, read once into frozen pydantic models; errors carry file, line and key."""

from detector.config.cameras import CameraSettings, PatrolSettings, SamplingPlan, SamplingSettings
from detector.config.categories import load_categories
from detector.config.check import check_settings
from detector.config.endpoints import EVENT_TYPES, EndpointSettings
from detector.config.finding import Finding
from detector.config.loading import Examined, examine_settings, load_settings
from detector.config.rulebook import examine_rulebook, load_rules
from detector.config.settings import (
    ApiSettings,
    EvidenceSettings,
    LogSettings,
    ModelSettings,
    RulesSettings,
    Settings,
)
from detector.config.shipped import shipped

__all__ = [
    "EVENT_TYPES",
    "ApiSettings",
    "CameraSettings",
    "EndpointSettings",
    "EvidenceSettings",
    "Examined",
    "Finding",
    "LogSettings",
    "ModelSettings",
    "PatrolSettings",
    "RulesSettings",
    "SamplingPlan",
    "SamplingSettings",
    "Settings",
    "check_settings",
    "examine_rulebook",
    "examine_settings",
    "load_categories",
    "load_rules",
    "load_settings",
    "shipped",
]
