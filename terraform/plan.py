"""A Terraform plan: what it changes, and from what to what."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from terraform.plan_document import (
    ChangeEntry,
    ModuleEntry,
    PlanDocument,
    ResourceEntry,
    nested_too_deep,
    parse,
    unknown_actions,
)
from terraform.plan_values import any_marked, marked, masked, sensitive_texts

# https://developer.hashicorp.com/terraform/language/files/dependency-lock
_LOCKED = re.compile(r'^provider "([^"]+)" \{\n\s*version\s*=\s*"([^"]+)"((?:\n(?!\}).*)*)', re.MULTILINE)
_NAMED = re.compile(r'\bprovider\s*"([^"]+)"')
_CONSTRAINTS = re.compile(r"^\s*constraints\s*=.*", re.MULTILINE)
_TEXT = re.compile(r'"([^"]*)"')


class Action(StrEnum):
    """What the apply does to an object, most destructive first."""

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


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one plan does to one object. `before` and `after` have `Sensitive` in place of every sensitive value."""

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
    def is_destroyed(self) -> bool:
        """Whether the apply destroys the existing object, to replace it or for good."""
        return self.is_managed and self.action in {Action.REPLACE, Action.DELETE}

    @property
    def is_removed(self) -> bool:
        """Whether the apply destroys the object and creates no other in its place."""
        return self.is_managed and self.action is Action.DELETE

    @property
    def is_changed(self) -> bool:
        """Whether the apply changes anything, including the object's address."""
        return self.action is not Action.NOTHING or self.previous_address is not None or self.imported_id is not None

    def unknown(self, name: str) -> bool:
        """Whether an attribute or a part of it is known after the apply only."""
        return any_marked(marked(self.after_unknown, name))


@dataclass(frozen=True, kw_only=True)
class OutputChange:
    """How an output changes, with values as in `Change`."""

    stack: str
    name: str
    action: Action
    before: Any
    after: Any
    after_unknown: Any


@dataclass(frozen=True, kw_only=True)
class Instance:
    """An object in a state or in a plan's planned values."""

    address: str
    is_managed: bool
    provider: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeferredChange:
    """A change or an action that Terraform leaves to a later plan, and its reason.

    The address is empty if it is not known.
    """

    address: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ProviderUpgrade:
    """A provider that has another version than at the last apply, or other packages of that version."""

    provider: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One stack's plan."""

    stack: str
    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    deferred: tuple[DeferredChange, ...]
    outputs: tuple[OutputChange, ...]
    failed_checks: tuple[str, ...]
    actions: tuple[str, ...]
    """The addresses of `action` blocks that the apply runs."""
    before: Mapping[str, Instance]
    planned: Mapping[str, Instance]
    configuration: Mapping[str, Any]
    terraform_version: str
    state_terraform_version: str | None
    is_complete: bool
    secrets: frozenset[str]
    """Texts that are sensitive somewhere in the plan, so no output may contain them."""
    upgrades: tuple[ProviderUpgrade, ...]
    """From the lock files: a plan itself names no provider version. Of one version, hashes were added."""
    providers_not_compared: tuple[str, ...]
    """The providers that are not in both lock files, or not in a way that can be read, where there is any."""


def read(stack: str, text: str, where: str, locks: tuple[str, str] = ("", "")) -> Plan:
    """The plan in `text`, for the stack of that name. Raises RefusedError.

    `locks` are Terraform's dependency lock files of the last apply and of this plan, or empty texts.
    """
    document = parse(text, where)
    try:
        for resource in (*document.resource_changes, *document.resource_drift):
            if tuple(resource.change.actions) not in _ACTIONS:
                raise unknown_actions(where, resource.address, resource.change.actions)
        for name, output in document.output_changes.items():
            if tuple(output.actions) not in _ACTIONS:
                raise unknown_actions(where, f"output.{name}", output.actions)
        return _plan(stack, document, *locks)
    except RecursionError:
        raise nested_too_deep(where) from None


def _locked(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """The version of every provider in a lock file, and the hashes of its packages."""
    return {
        name: (version, frozenset(_TEXT.findall(_CONSTRAINTS.sub("", rest))))
        for name, version, rest in _LOCKED.findall(lock)
    }


def _upgrades(applied: str, planned: str) -> tuple[ProviderUpgrade, ...]:
    before, after = _locked(applied), _locked(planned)
    return tuple(
        ProviderUpgrade(provider=name, before=before[name][0], after=after[name][0])
        for name in sorted(before.keys() & after.keys())
        # Terraform runs a package that has any of the hashes.
        if before[name][0] != after[name][0] or after[name][1] - before[name][1]
    )


def _not_compared(applied: str, planned: str) -> tuple[str, ...]:
    before, after = _locked(applied).keys(), _locked(planned).keys()
    named = set(_NAMED.findall(planned)) or before
    return tuple(sorted(named - (before & after)))


def _plan(stack: str, document: PlanDocument, applied: str, planned: str) -> Plan:
    return Plan(
        stack=stack,
        changes=_changes(stack, document.resource_changes),
        drift=_changes(stack, document.resource_drift),
        deferred=tuple(sorted(_deferred(document), key=lambda one: (one.address, one.reason))),
        outputs=tuple(_output(stack, name, entry) for name, entry in sorted(document.output_changes.items())),
        failed_checks=tuple(
            sorted(check.address.to_display for check in document.checks if check.status in {"fail", "error"})
        ),
        actions=tuple(sorted(invocation.address for invocation in document.action_invocations)),
        before={found.address: found for found in _instances(document.prior_state.values.root_module)},
        planned={found.address: found for found in _instances(document.planned_values.root_module)},
        configuration=document.configuration,
        terraform_version=document.terraform_version,
        state_terraform_version=document.prior_state.terraform_version,
        is_complete=document.complete and not document.deferred_changes and not document.deferred_action_invocations,
        secrets=frozenset(_secrets(document)),
        upgrades=_upgrades(applied, planned),
        providers_not_compared=_not_compared(applied, planned),
    )


def _deferred(document: PlanDocument) -> Iterator[DeferredChange]:
    for change in document.deferred_changes:
        address = change.resource_change.address if change.resource_change else ""
        yield DeferredChange(address=address, reason=change.reason)
    for action in document.deferred_action_invocations:
        yield DeferredChange(address=action.action_invocation.address, reason=action.reason)


def _secrets(document: PlanDocument) -> Iterator[str]:
    resources = [resource.change for resource in (*document.resource_changes, *document.resource_drift)]
    for change in (*resources, *document.output_changes.values()):
        yield from sensitive_texts(change.before, change.before_sensitive)
        yield from sensitive_texts(change.after, change.after_sensitive)
    root = document.configuration.get("root_module")
    declared = root.get("variables") if isinstance(root, dict) else None
    for name, variable in document.variables.items():
        declaration = declared.get(name) if isinstance(declared, dict) else None
        if isinstance(declaration, dict) and declaration.get("sensitive"):
            yield from sensitive_texts(variable.get("value"), True)


def _changes(stack: str, resources: list[ResourceEntry]) -> tuple[Change, ...]:
    changes = [_change(stack, resource) for resource in resources]
    return tuple(sorted(changes, key=lambda change: (change.address, change.deposed or "")))


def _change(stack: str, resource: ResourceEntry) -> Change:
    change = resource.change
    before, after = masked(change.before, change.after, change.before_sensitive, change.after_sensitive)
    imported = change.importing.get("id") if change.importing is not None else None
    return Change(
        stack=stack,
        address=resource.address,
        module=resource.module_address,
        type=resource.type,
        is_managed=resource.mode == "managed",
        provider=resource.provider_name,
        action=_ACTIONS[tuple(change.actions)],
        reason=resource.action_reason,
        deposed=resource.deposed,
        previous_address=resource.previous_address if resource.previous_address != resource.address else None,
        imported_id=None if change.importing is None else imported if isinstance(imported, str) else "",
        before=before if isinstance(before, dict) else {},
        after=after if isinstance(after, dict) else {},
        after_unknown=change.after_unknown,
        replaced_for=tuple(sorted({str(path[0]) for path in change.replace_paths or () if path})),
    )


def _output(stack: str, name: str, change: ChangeEntry) -> OutputChange:
    before, after = masked(change.before, change.after, change.before_sensitive, change.after_sensitive)
    return OutputChange(
        stack=stack,
        name=name,
        action=_ACTIONS[tuple(change.actions)],
        before=before,
        after=after,
        after_unknown=change.after_unknown,
    )


def _instances(module: ModuleEntry) -> Iterator[Instance]:
    for resource in module.resources:
        values, _ = masked(resource.values or {}, None, resource.sensitive_values, None)
        yield Instance(
            address=resource.address,
            is_managed=resource.mode == "managed",
            provider=resource.provider_name,
            values=values if isinstance(values, dict) else {},
        )
    for child in module.child_modules:
        yield from _instances(child)
