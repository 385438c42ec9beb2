"""The `configuration` of a plan: which references each argument of each resource is written with."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from terraform.patterns import REMOTE_OUTPUT

_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_MODULE = re.compile(r"(?:module\.[\w-]+(?:\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\])?\.)*")


def module_of(address: str) -> str:
    """The modules that an address begins with, for example `module.a[0].`; empty for the root module."""
    found = _MODULE.match(address)
    return found[0] if found else ""


def base_address(address: str) -> str:
    """An address without the indices of `count` and `for_each`."""
    return _INDEX.sub("", address)


def remote_output(reference: str) -> tuple[str, str] | None:
    """The name of the remote state and the output that a reference reads, if it reads one."""
    found = REMOTE_OUTPUT.match(reference)
    return (found[1], found[2]) if found else None


class PlanConfiguration:
    """The configuration of one plan. Everything in it may be missing."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._configuration = configuration
        root = configuration.get("root_module")
        self._resources = {
            f"{module}{resource['address']}": resource
            for module, resource in _resources(root if isinstance(root, dict) else {}, "")
        }

    @property
    def is_known(self) -> bool:
        """Whether the plan contains its configuration at all."""
        return "root_module" in self._configuration

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """The configuration of every resource and data source, by address without indices."""
        return self._resources

    @property
    def providers(self) -> set[str]:
        """The sources of all configured providers, such as registry.terraform.io/hashicorp/aws."""
        configured = self._configuration.get("provider_config")
        found = (
            _at(provider, "full_name") for provider in (configured if isinstance(configured, dict) else {}).values()
        )
        return {name for name in found if isinstance(name, str)}

    @property
    def provider_arguments(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """The expressions of all providers' arguments, by address, such as provider.aws.tokyo, and source."""
        configured = self._configuration.get("provider_config")
        return {
            (_provider_address(key), str(_at(provider, "full_name"))): _arguments(_at(provider, "expressions"))
            for key, provider in (configured if isinstance(configured, dict) else {}).items()
        }

    @property
    def modules(self) -> dict[str, str]:
        """The sources of the modules that the root module calls, by the name of the call."""
        calls = _at(self._configuration, "root_module", "module_calls")
        return {name: str(_at(call, "source")) for name, call in (calls if isinstance(calls, dict) else {}).items()}

    @property
    def providers_and_modules(self) -> dict[str, Any]:
        """The expressions of all providers and of all calls of modules, by address."""
        calls = _at(self._configuration, "root_module", "module_calls")
        called = {
            f"module.{name}": [_at(call, key) for key in ("expressions", "count_expression", "for_each_expression")]
            for name, call in (calls if isinstance(calls, dict) else {}).items()
        }
        return {address: arguments for (address, _), arguments in self.provider_arguments.items()} | called

    @property
    def outputs(self) -> dict[str, Any]:
        """The expressions of the root module's outputs."""
        outputs = _at(self._configuration, "root_module", "outputs")
        return (
            {name: _at(output, "expression") for name, output in outputs.items()} if isinstance(outputs, dict) else {}
        )

    def region(self, address: str) -> str | None:
        """The region that a resource's own provider is configured with, if it is a constant."""
        found = self._of_provider(address, "region")
        return found if isinstance(found, str) else None

    def account(self, address: str) -> str | None:
        """The only account that a resource's own provider allows, if it is a constant."""
        found = self._of_provider(address, "allowed_account_ids")
        account = found[0] if isinstance(found, list) and len(found) == 1 else None
        return account if isinstance(account, str) else None

    def _of_provider(self, address: str, argument: str) -> Any:
        key = _at(self._resources.get(base_address(address)), "provider_config_key")
        # A resource whose configuration names no provider has the one that its type begins with.
        provider = key if isinstance(key, str) else "aws"
        return _at(self._configuration, "provider_config", provider, "expressions", argument, "constant_value")

    def arguments(self, address: str) -> frozenset[str] | None:
        """The arguments that a resource's configuration sets; None where the plan has no configuration of it."""
        arguments = self._expressions(address)
        return frozenset(arguments) if isinstance(arguments, dict) else None

    def references(self, address: str, *path: str | int) -> list[str]:
        """The longest references in the expression of one argument."""
        return longest_references(_at(self._expressions(address), *path))

    def references_below(self, address: str, *path: str | int) -> Iterator[str]:
        """The longest references in every expression below one argument."""
        yield from _references_below(_at(self._expressions(address), *path))

    def is_template(self, address: str, reference: str, *path: str | int) -> bool:
        """Whether an argument, or its only item, is just one reference in a .tf.json file: `${TYPE.NAME.ATTRIBUTE}`."""
        found = _at(self._expressions(address), *path, "constant_value")
        return found in (f"${{{reference}}}", [f"${{{reference}}}"])

    def templates(self, address: str, argument: str) -> list[str]:
        """The texts of an argument as a .tf.json file has them, with their `${…}`; none where one is no text."""
        found = _at(self._expressions(address), argument, "constant_value")
        listed = found if isinstance(found, list) else [found]
        return listed if all(isinstance(text, str) for text in listed) else []

    def constant_texts(self, address: str, *path: str | int) -> list[str] | None:
        """A list of texts as a .tf.json file has it, with its `${…}`; None where it is anything else."""
        found = _at(self._expressions(address), *path, "constant_value")
        return found if isinstance(found, list) and all(isinstance(text, str) for text in found) else None

    def remote_outputs(self) -> set[tuple[str, str]]:
        """The remote states and outputs that the configuration reads."""
        return {
            (state, output) for text in _texts(self._configuration) for state, output in REMOTE_OUTPUT.findall(text)
        }

    def _expressions(self, address: str) -> Any:
        return _at(self._resources.get(base_address(address)), "expressions")


def _resources(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    resources = module.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        if isinstance(resource, dict) and isinstance(resource.get("address"), str):
            yield prefix, resource
    calls = module.get("module_calls")
    for name, call in calls.items() if isinstance(calls, dict) else ():
        inner = call.get("module") if isinstance(call, dict) else None
        if isinstance(inner, dict):
            yield from _resources(inner, f"{prefix}module.{name}.")


def _provider_address(key: str) -> str:
    """The address of the provider that a plan has at a key, such as aws.tokyo or module.inner:aws."""
    module, _, name = key.rpartition(":")
    return f"{module}.provider.{name}" if module else f"provider.{name}"


def _arguments(expressions: Any) -> Mapping[str, Any]:
    """The arguments that are set: one that is null is not."""
    if not isinstance(expressions, dict):
        return {} if expressions is None else {"expressions": expressions}
    return {name: expression for name, expression in expressions.items() if expression != {"constant_value": None}}


def _at(place: Any, *path: str | int) -> Any:
    for step in path:
        if isinstance(place, Mapping):
            place = place.get(step)
        elif isinstance(place, list) and isinstance(step, int) and step < len(place):
            place = place[step]
        else:
            return None
    return place


def longest_references(expression: Any) -> list[str]:
    """Terraform lists `a.b.c`, `a.b` and `a` for one reference; only the first is needed."""
    listed = expression.get("references") if isinstance(expression, dict) else None
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return [name for name in names if not any(other.startswith((f"{name}.", f"{name}[")) for other in names)]


def _references_below(expression: Any) -> Iterator[str]:
    if isinstance(expression, list):
        for item in expression:
            yield from _references_below(item)
    elif isinstance(expression, dict):
        yield from longest_references(expression)
        for key, item in expression.items():
            if key != "references":
                yield from _references_below(item)


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for item in found.values():
            yield from _texts(item)
    elif isinstance(found, list):
        for item in found:
            yield from _texts(item)
