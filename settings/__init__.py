"""The deployment file: its typed model, and loading it with every problem located."""

from settings.deployment import AccountSettings, Deployment
from settings.load import load, warnings
from settings.problems import LocatedProblem, SettingsError

__all__ = ["AccountSettings", "Deployment", "LocatedProblem", "SettingsError", "load", "warnings"]
