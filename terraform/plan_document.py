"""The JSON that `terraform show -json PLANFILE` prints, as models, and why it can be refused.

https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from errors import RefusedError, refused
from terraform.output import without_repetition

_CONFIG = ConfigDict(extra="ignore", strict=True)
_MOST_PROBLEMS = 3
_LONGEST_VALUE = 40

_CREATE_AGAIN = "create it with `terraform show -json PLANFILE` from a plan that succeeded"


class ChangeEntry(BaseModel):
    """`change` of a resource or an output: its values before and after, and which are unknown or sensitive."""

    model_config = _CONFIG
    actions: list[str]
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None
    replace_paths: list[list[str | int]] | None = None
    importing: dict[str, Any] | None = None


class ResourceEntry(BaseModel):
    """One entry of `resource_changes` or `resource_drift`."""

    model_config = _CONFIG
    address: str
    previous_address: str | None = None
    module_address: str = ""
    mode: str = "managed"
    type: str
    provider_name: str = ""
    deposed: str | None = None
    action_reason: str | None = None
    change: ChangeEntry


class DeferredEntry(BaseModel):
    """One entry of `deferred_changes`."""

    model_config = _CONFIG
    reason: str = "unknown"
    resource_change: ResourceEntry | None = None


class InstanceEntry(BaseModel):
    """One resource of `planned_values` or `prior_state`."""

    model_config = _CONFIG
    address: str
    mode: str = "managed"
    provider_name: str = ""
    values: dict[str, Any] | None = None
    sensitive_values: Any = None


class ModuleEntry(BaseModel):
    """A module's resources and the modules in it."""

    model_config = _CONFIG
    resources: list[InstanceEntry] = Field(default_factory=list)
    child_modules: list["ModuleEntry"] = Field(default_factory=list)


class ValuesEntry(BaseModel):
    """`planned_values`, or `values` of a state."""

    model_config = _CONFIG
    root_module: ModuleEntry = Field(default_factory=ModuleEntry)


class StateEntry(BaseModel):
    """`prior_state`."""

    model_config = _CONFIG
    terraform_version: str | None = None
    values: ValuesEntry = Field(default_factory=ValuesEntry)


class CheckAddressEntry(BaseModel):
    """`address` of a check."""

    model_config = _CONFIG
    to_display: str = ""


class CheckEntry(BaseModel):
    """One entry of `checks`."""

    model_config = _CONFIG
    address: CheckAddressEntry = Field(default_factory=CheckAddressEntry)
    status: str = "unknown"


class InvocationEntry(BaseModel):
    """One entry of `action_invocations`."""

    model_config = _CONFIG
    address: str = ""


class DeferredInvocationEntry(BaseModel):
    """One entry of `deferred_action_invocations`, since Terraform 1.16."""

    model_config = _CONFIG
    reason: str = "unknown"
    action_invocation: InvocationEntry = Field(default_factory=InvocationEntry)


class PlanDocument(BaseModel):
    """The whole plan."""

    model_config = _CONFIG
    format_version: str
    terraform_version: str
    planned_values: ValuesEntry
    variables: dict[str, dict[str, Any]] = Field(default_factory=dict)
    resource_changes: list[ResourceEntry] = Field(default_factory=list)
    resource_drift: list[ResourceEntry] = Field(default_factory=list)
    deferred_changes: list[DeferredEntry] = Field(default_factory=list)
    output_changes: dict[str, ChangeEntry] = Field(default_factory=dict)
    action_invocations: list[InvocationEntry] = Field(default_factory=list)
    deferred_action_invocations: list[DeferredInvocationEntry] = Field(default_factory=list)
    prior_state: StateEntry = Field(default_factory=StateEntry)
    configuration: dict[str, Any] = Field(default_factory=dict)
    checks: list[CheckEntry] = Field(default_factory=list)
    complete: bool = True
    errored: bool = False


def parse(text: str, where: str) -> PlanDocument:
    """The plan in `text`. Raises RefusedError for anything that is not a complete plan in format 1.x."""
    content = load(text, where)
    try:
        return PlanDocument.model_validate(content)
    except ValidationError as error:
        places = sorted({".".join(str(step) for step in problem["loc"]) for problem in error.errors()})
        what = f"Terraform does not write plans like this, at {', '.join(places[:_MOST_PROBLEMS])}"
        raise refused(where, what, _CREATE_AGAIN) from None


def load(text: str, where: str, parse_float: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """The JSON of the plan in `text`, unread. Raises RefusedError for anything that is not a complete plan."""
    try:
        content = json.loads(text, object_pairs_hook=without_repetition, parse_float=parse_float)
    except json.JSONDecodeError as error:
        place = f"{error.msg} at line {error.lineno}, column {error.colno}"
        what = "it is empty" if not text.strip() else f"it is not complete JSON: {place}"
        raise refused(where, what, _CREATE_AGAIN) from None
    except ValueError as error:
        raise refused(where, f"it is no JSON that Terraform writes: {error}", _CREATE_AGAIN) from None
    except RecursionError:
        raise nested_too_deep(where) from None
    _refuse_other_documents(content, where)
    found: dict[str, Any] = content
    return found


def nested_too_deep(where: str) -> RefusedError:
    """The error for a document that Python cannot walk through."""
    return refused(where, "its JSON is nested too deep to be read", _CREATE_AGAIN)


def unknown_actions(where: str, address: str, actions: list[str]) -> RefusedError:
    """The error for actions that no release of Terraform had when this was written."""
    hint = "review it with a release of this project that knows them"
    return refused(where, f"{address} has unknown actions: {_short(actions)}", hint)


def _refuse_other_documents(content: Any, where: str) -> None:
    if not isinstance(content, dict) or "format_version" not in content:
        raise refused(where, "it is JSON, but not a Terraform plan: it has no format_version", _CREATE_AGAIN)
    version = content["format_version"]
    # A minor version only adds: https://developer.hashicorp.com/terraform/internals/json-format#format-version
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d+", version):
        by = content.get("terraform_version")
        program = f" (Terraform {by})" if isinstance(by, str) and re.fullmatch(r"[\w.+-]{1,40}", by) else ""
        # Terraform 1.1 is the first that writes 1.0: https://github.com/hashicorp/terraform/pull/29502
        is_older = isinstance(version, str) and version.startswith("0.")
        newer = "review it with a release of this project that reads that format"
        hint = "plan it with Terraform 1.1 or newer, or with OpenTofu" if is_older else newer
        raise refused(where, f"its format_version is {_short(version)}{program}, and only 1.x can be read", hint)
    if content.get("errored") is True:
        raise refused(where, "planning stopped with an error, so the plan is not complete", _CREATE_AGAIN)
    if "planned_values" not in content:
        what = "it contains a state, not a plan" if "values" in content else "it contains no plan"
        raise refused(where, what, _CREATE_AGAIN)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
