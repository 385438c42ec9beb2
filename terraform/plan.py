"""Reads what `terraform show -json PLAN` prints: what a plan changes, and from what to what."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

NOT_SHOWN = "(sensitive)"
NOT_SHOWN_CHANGED = "(sensitive, changed)"

_CONFIG = ConfigDict(extra="ignore", strict=True)
_MOST_PROBLEMS = 3

# https://developer.hashicorp.com/terraform/language/files/dependency-lock
_LOCKED = re.compile(r'^provider "([^"]+)" \{\n\s*version\s*=\s*"([^"]+)"', re.MULTILINE)


class UnreadableError(Exception):
    """A plan that cannot be reviewed; the text is an error of two lines."""

    def __init__(self, where: str, what: str, hint: str) -> None:
        super().__init__(f"error: {where}: {what}\nhint: {hint}")


class Action(StrEnum):
    """What becomes of an object, worst first."""

    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    CREATE = "create"
    UPDATE = "update"
    READ = "read"
    NOTHING = "no-op"


# https://developer.hashicorp.com/terraform/internals/json-format#change-representation
_ACTIONS = {
    ("no-op",): Action.NOTHING,
    ("create",): Action.CREATE,
    ("read",): Action.READ,
    ("update",): Action.UPDATE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,
    ("delete",): Action.DELETE,
    ("forget",): Action.FORGET,
}


class _Change(BaseModel):
    model_config = _CONFIG
    actions: list[str]
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None
    replace_paths: list[list[str | int]] | None = None
    importing: dict[str, Any] | None = None


class _Resource(BaseModel):
    model_config = _CONFIG
    address: str
    previous_address: str | None = None
    module_address: str = ""
    mode: str = "managed"
    type: str
    name: str = ""
    provider_name: str = ""
    deposed: str | None = None
    action_reason: str | None = None
    change: _Change


class _Deferred(BaseModel):
    model_config = _CONFIG
    reason: str = "unknown"
    resource_change: _Resource | None = None


class _Instance(BaseModel):
    model_config = _CONFIG
    address: str
    mode: str = "managed"
    type: str
    provider_name: str = ""
    values: dict[str, Any] | None = None
    sensitive_values: Any = None


class _Module(BaseModel):
    model_config = _CONFIG
    resources: list[_Instance] = Field(default_factory=list)
    child_modules: list["_Module"] = Field(default_factory=list)


class _Values(BaseModel):
    model_config = _CONFIG
    root_module: _Module = Field(default_factory=_Module)


class _State(BaseModel):
    model_config = _CONFIG
    terraform_version: str | None = None
    values: _Values = Field(default_factory=_Values)


class _CheckAddress(BaseModel):
    model_config = _CONFIG
    to_display: str = ""


class _Check(BaseModel):
    model_config = _CONFIG
    address: _CheckAddress = Field(default_factory=_CheckAddress)
    status: str = "unknown"


class _Invocation(BaseModel):
    model_config = _CONFIG
    address: str = ""
    type: str = ""


class _Document(BaseModel):
    model_config = _CONFIG
    format_version: str
    terraform_version: str
    planned_values: _Values
    variables: dict[str, dict[str, Any]] = Field(default_factory=dict)
    resource_changes: list[_Resource] = Field(default_factory=list)
    resource_drift: list[_Resource] = Field(default_factory=list)
    deferred_changes: list[_Deferred] = Field(default_factory=list)
    output_changes: dict[str, _Change] = Field(default_factory=dict)
    action_invocations: list[_Invocation] = Field(default_factory=list)
    prior_state: _State = Field(default_factory=_State)
    configuration: dict[str, Any] = Field(default_factory=dict)
    checks: list[_Check] = Field(default_factory=list)
    complete: bool = True
    errored: bool = False


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one plan does to one object. In `before` and `after` a word stands for whatever is sensitive."""

    stack: str
    address: str
    module: str
    type: str
    is_managed: bool
    provider: str
    action: Action
    reason: str | None
    deposed: str | None
    previous_address: str | None
    imported_id: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    after_unknown: Any
    replaced_for: tuple[str, ...]

    @property
    def is_lost(self) -> bool:
        """Whether the object that is there now will be gone from the account."""
        return self.is_managed and self.action in {Action.REPLACE, Action.DELETE}

    @property
    def is_gone(self) -> bool:
        """Whether nothing stands in its place afterwards."""
        return self.is_managed and self.action is Action.DELETE

    @property
    def is_changed(self) -> bool:
        """Whether anything happens to it, its address included."""
        return self.action is not Action.NOTHING or self.previous_address is not None or self.imported_id is not None

    def unknown(self, name: str) -> bool:
        """Whether an attribute, or a part of it, is known after the apply only."""
        return any_marked(marked(self.after_unknown, name))


@dataclass(frozen=True, kw_only=True)
class OutputChange:
    """How an output changes; values as in a resource's change."""

    stack: str
    name: str
    action: Action
    before: Any
    after: Any
    after_unknown: Any


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An object as a state or a plan holds it."""

    address: str
    is_managed: bool
    type: str
    provider: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One stack's plan."""

    stack: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    deferred: tuple[tuple[str, str], ...]
    """Addresses, and why Terraform puts them off to a later plan."""
    outputs: tuple[OutputChange, ...]
    failed_checks: tuple[str, ...]
    actions: tuple[str, ...]
    """What Terraform will set off beside its changes: `action` blocks, by address."""
    before: Mapping[str, Instance]
    planned: Mapping[str, Instance]
    configuration: Mapping[str, Any]
    terraform_version: str
    state_terraform_version: str | None
    is_complete: bool
    secrets: frozenset[str]
    """Texts that are sensitive somewhere in the plan, and so may stand nowhere in a review."""
    upgrades: tuple[tuple[str, str, str], ...]
    """Providers of another version than the last apply's, with both versions; a plan itself names none."""


def read(stack: str, text: str, where: str, locks: tuple[str, str] = ("", "")) -> Plan:
    """The plan in `text`, for the stack of that name. Raises UnreadableError.

    `locks` are Terraform's dependency lock files of the last apply and of this plan, where there are any.
    """
    again = "make it with `terraform show -json PLANFILE`, from a plan that succeeded"
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        what = "it is empty" if not text.strip() else f"it is not JSON, or cut off: {_said(error)}"
        raise UnreadableError(where, what, again) from None
    if not isinstance(content, dict) or "format_version" not in content:
        raise UnreadableError(where, "it is JSON, but no plan of Terraform's: it has no format_version", again)
    version = content["format_version"]
    # A minor version only adds: https://developer.hashicorp.com/terraform/internals/json-format#format-version
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d+", version):
        hint = "review it with a release of this project that reads that format"
        raise UnreadableError(where, f"its format_version is {_short(version)}, and 1.x is what can be read", hint)
    if content.get("errored") is True:
        raise UnreadableError(where, "its plan failed half-way, so it does not show everything", again)
    if "planned_values" not in content:
        what = "it holds a state, not a plan" if "values" in content else "it holds no plan"
        raise UnreadableError(where, what, again)
    try:
        document = _Document.model_validate(content)
        return _plan(stack, document, _upgrades(*locks))
    except ValidationError as error:
        places = [".".join(str(step) for step in problem["loc"]) for problem in error.errors()]
        what = f"it is not as Terraform writes plans, at {', '.join(sorted(set(places))[:_MOST_PROBLEMS])}"
        raise UnreadableError(where, what, again) from None
    except _UnknownActionsError as error:
        what = f"{error.address} has actions that are not known: {_short(error.actions)}"
        raise UnreadableError(where, what, "review it with a release of this project that knows them") from None
    except RecursionError:
        raise UnreadableError(where, "it is nested too deep to be read", again) from None


class _UnknownActionsError(Exception):
    def __init__(self, address: str, actions: list[str]) -> None:
        super().__init__(address)
        self.address = address
        self.actions = actions


def _upgrades(applied: str, planned: str) -> tuple[tuple[str, str, str], ...]:
    before, after = (dict(_LOCKED.findall(text)) for text in (applied, planned))
    return tuple(
        (name, before[name], after[name])
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    )


def _plan(stack: str, document: _Document, upgrades: tuple[tuple[str, str, str], ...]) -> Plan:
    changes = [_change(stack, resource) for resource in document.resource_changes]
    drift = [_change(stack, resource) for resource in document.resource_drift]
    before = {found.address: found for found in _instances(document.prior_state.values.root_module)}
    planned = {found.address: found for found in _instances(document.planned_values.root_module)}
    outputs = [_output(stack, name, change) for name, change in document.output_changes.items()]
    secrets: set[str] = set()
    raw = [resource.change for resource in (*document.resource_changes, *document.resource_drift)]
    for change in (*raw, *document.output_changes.values()):
        secrets |= sensitive_texts(change.before, change.before_sensitive)
        secrets |= sensitive_texts(change.after, change.after_sensitive)
    root = document.configuration.get("root_module")
    declared = root.get("variables") if isinstance(root, dict) else None
    for name, variable in document.variables.items():
        declaration = declared.get(name) if isinstance(declared, dict) else None
        if isinstance(declaration, dict) and declaration.get("sensitive"):
            secrets |= sensitive_texts(variable.get("value"), True)
    return Plan(
        stack=stack,
        changes=tuple(sorted(changes, key=lambda change: (change.address, change.deposed or ""))),
        drift=tuple(sorted(drift, key=lambda change: (change.address, change.deposed or ""))),
        deferred=tuple(
            sorted(
                (deferred.resource_change.address if deferred.resource_change else "", deferred.reason)
                for deferred in document.deferred_changes
            )
        ),
        outputs=tuple(sorted(outputs, key=lambda output: output.name)),
        failed_checks=tuple(
            sorted(check.address.to_display for check in document.checks if check.status in {"fail", "error"})
        ),
        actions=tuple(sorted(invocation.address for invocation in document.action_invocations)),
        before=before,
        planned=planned,
        configuration=document.configuration,
        terraform_version=document.terraform_version,
        state_terraform_version=document.prior_state.terraform_version,
        is_complete=document.complete and not document.deferred_changes,
        secrets=frozenset(secrets),
        upgrades=upgrades,
    )


def _action(address: str, actions: list[str]) -> Action:
    action = _ACTIONS.get(tuple(actions))
    if action is None:
        raise _UnknownActionsError(address, actions)
    return action


def _change(stack: str, resource: _Resource) -> Change:
    change = resource.change
    before, after = masked(change.before, change.after, change.before_sensitive, change.after_sensitive)
    moved = resource.previous_address if resource.previous_address != resource.address else None
    imported = change.importing.get("id") if change.importing is not None else None
    return Change(
        stack=stack,
        address=resource.address,
        module=resource.module_address,
        type=resource.type,
        is_managed=resource.mode == "managed",
        provider=resource.provider_name,
        action=_action(resource.address, change.actions),
        reason=resource.action_reason,
        deposed=resource.deposed,
        previous_address=moved,
        imported_id=None if change.importing is None else imported if isinstance(imported, str) else "",
        before=before if isinstance(before, dict) else {},
        after=after if isinstance(after, dict) else {},
        after_unknown=change.after_unknown,
        replaced_for=tuple(sorted({str(path[0]) for path in change.replace_paths or () if path})),
    )


def _output(stack: str, name: str, change: _Change) -> OutputChange:
    before, after = masked(change.before, change.after, change.before_sensitive, change.after_sensitive)
    return OutputChange(
        stack=stack,
        name=name,
        action=_action(f"output.{name}", change.actions),
        before=before,
        after=after,
        after_unknown=change.after_unknown,
    )


def _instances(module: _Module) -> Iterator[Instance]:
    for resource in module.resources:
        values, _ = masked(resource.values or {}, None, resource.sensitive_values, None)
        yield Instance(
            address=resource.address,
            is_managed=resource.mode == "managed",
            type=resource.type,
            provider=resource.provider_name,
            values=values if isinstance(values, dict) else {},
        )
    for child in module.child_modules:
        yield from _instances(child)


def marked(marks: Any, step: str | int) -> Any:
    """The marks (of what is sensitive, or unknown) one step further down: a mark covers all below it."""
    if marks is True:
        return True
    if isinstance(marks, dict):
        return marks.get(step, False) if isinstance(step, str) else False
    if isinstance(marks, list):
        return marks[step] if isinstance(step, int) and step < len(marks) else False
    return False


def any_marked(marks: Any) -> bool:
    """Whether anything at or below is marked."""
    if isinstance(marks, dict):
        return any(any_marked(mark) for mark in marks.values())
    if isinstance(marks, list):
        return any(any_marked(mark) for mark in marks)
    return marks is True


def masked(before: Any, after: Any, before_marks: Any, after_marks: Any) -> tuple[Any, Any]:
    """The same values with a word in place of each sensitive one; the word says whether it changes, and no more."""
    if before_marks is True or after_marks is True:
        if before is None or after is None:
            return None if before is None else NOT_SHOWN, None if after is None else NOT_SHOWN
        return NOT_SHOWN, NOT_SHOWN if before == after else NOT_SHOWN_CHANGED
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {
            key: masked(before.get(key), after.get(key), marked(before_marks, key), marked(after_marks, key))
            for key in before.keys() | after.keys()
        }
        return {key: pairs[key][0] for key in before}, {key: pairs[key][1] for key in after}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        both = [
            masked(was, now, marked(before_marks, place), marked(after_marks, place))
            for place, (was, now) in enumerate(zip(before, after, strict=True))
        ]
        return [was for was, _ in both], [now for _, now in both]
    return _masked_alone(before, before_marks), _masked_alone(after, after_marks)


def _masked_alone(value: Any, marks: Any) -> Any:
    if marks is True and value is not None:
        return NOT_SHOWN
    if isinstance(value, dict):
        return {key: _masked_alone(item, marked(marks, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_alone(item, marked(marks, place)) for place, item in enumerate(value)]
    return value


def sensitive_texts(value: Any, marks: Any) -> set[str]:
    """Every text at or below what is marked as sensitive."""
    if isinstance(value, dict):
        found = [sensitive_texts(item, marked(marks, str(key))) for key, item in value.items()]
        return set().union(*found)
    if isinstance(value, list):
        found = [sensitive_texts(item, marked(marks, place)) for place, item in enumerate(value)]
        return set().union(*found)
    return {value} if isinstance(value, str) and marks is True else set()


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is nested too deep"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
