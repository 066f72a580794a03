"""The embedded case-dispatch endpoint: receives signed events and keeps one case per problem."""

from detector.desk.app import DeskOptions, create_desk

__all__ = ["DeskOptions", "create_desk"]
