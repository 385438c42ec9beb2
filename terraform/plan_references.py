"""Works out policies that a plan leaves open: what is known of them now, and where the rest will come from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.text import code
from terraform.plan import Action, Change, Plan, any_marked, marked

_INDEX = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_REFERENCE = re.compile(r"\$\{((?:data\.)?[\w-]+\.[\w-]+\.[\w-]+)\}")
_REMOTE_STATE = re.compile(r"data\.terraform_remote_state\.([\w-]+)\.outputs\.([\w-]+)")

# How AWS makes an object's ARN, where its plan already has the parts; {…} are the object's own attributes.
_ARNS = {
    "aws_cloudwatch_log_group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_codebuild_project": "arn:aws:codebuild:{region}:{account}:project/{name}",
    "aws_codecommit_repository": "arn:aws:codecommit:{region}:{account}:{repository_name}",
    "aws_iam_policy": "arn:aws:iam::{account}:policy{path}{name}",
    "aws_iam_role": "arn:aws:iam::{account}:role{path}{name}",
    "aws_iam_user": "arn:aws:iam::{account}:user{path}{name}",
    "aws_s3_bucket": "arn:aws:s3:::{bucket}",
    "aws_sns_topic": "arn:aws:sns:{region}:{account}:{name}",
}

_ELEMENTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}


def origin(reference: str) -> str:
    """Where a value will come from, for people."""
    remote = _REMOTE_STATE.match(reference)
    if remote is not None:
        return f"{remote[1].replace('_', '-')}'s output {code(remote[2])}"
    if reference.startswith("var."):
        return f"the variable {code(reference.removeprefix('var.'))}"
    return code(reference)


class Resolver:
    """What one plan tells of values that its changes leave open."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._after: dict[str, Mapping[str, Any]] = {
            address: instance.values for address, instance in {**plan.before, **plan.planned}.items()
        }
        self._after |= {change.address: change.after for change in plan.changes if change.deposed is None}
        self._changes = {change.address: change for change in plan.changes if change.deposed is None}
        self._configured = {
            f"{module}{resource['address']}": resource
            for module, resource in _configured(_root(plan.configuration), "")
        }
        self.region, self.account = _place(plan.configuration)

    def after(self, change: Change, name: str) -> str | None:
        """A policy as JSON after the apply; what is open stands as `(…)`. None where nothing is known of it."""
        if not change.unknown(name):
            found = change.after.get(name)
            return found if isinstance(found, str) else None
        for reference in self.references(change.address, name):
            if re.fullmatch(r"data\.aws_iam_policy_document\.[\w-]+\.(?:minified_)?json", reference):
                module = change.address.removesuffix(_local(change.address))
                document = self._changes.get(module + reference.rpartition(".")[0])
                if document is not None:
                    return self._rendered(document)
        return None

    def references(self, address: str, *path: str | int) -> list[str]:
        """The most exact references of the expression that an argument is configured with."""
        resource = self._configured.get(_INDEX.sub("", address))
        place: Any = resource.get("expressions") if resource else None
        for step in path:
            if isinstance(place, dict):
                place = place.get(step)
            elif isinstance(place, list) and isinstance(step, int) and step < len(place):
                place = place[step]
            else:
                place = None
        named = place.get("references") if isinstance(place, dict) else None
        references = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
        return _most_exact(references)

    def _written(self, address: str, *path: str | int) -> list[str] | None:
        """The texts of a list as a .tf.json file has them, where nothing but plain references are open in them."""
        found = _step(self._configured.get(_INDEX.sub("", address)), "expressions", *path, "constant_value")
        if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
            return None
        return found if not any("${" in _REFERENCE.sub("", text) for text in found) else None

    def configured(self, address: str) -> frozenset[str] | None:
        """The arguments that an object's configuration sets; None where it has none."""
        resource = self._configured.get(_INDEX.sub("", address))
        arguments = resource.get("expressions") if resource else None
        return frozenset(arguments) if isinstance(arguments, dict) else None

    def sources(self, change: Change, name: str) -> list[str]:
        """Where the open parts of a policy will come from, for people."""
        found: list[str] = []
        for reference in self.references(change.address, name):
            module = change.address.removesuffix(_local(change.address))
            document = self._changes.get(module + reference.rpartition(".")[0])
            if document is not None and document.type == "aws_iam_policy_document":
                found += [origin(inner) for inner in self._open_references(document)]
            else:
                found.append(origin(reference))
        return sorted(set(found))

    def value(self, module: str, reference: str) -> str | None:
        """The text that `TYPE.NAME.ATTRIBUTE` has after the apply, as far as it can be told now."""
        address, _, attribute = reference.rpartition(".")
        after = self._after.get(module + address)
        if after is None:
            return None
        found = after.get(attribute)
        if isinstance(found, str):
            return found
        changed = self._changes.get(module + address)
        if changed is not None and changed.action is Action.REPLACE and isinstance(changed.before.get(attribute), str):
            # What is made anew takes its predecessor's place: nobody gains by its new id.
            return str(changed.before[attribute])
        pattern = _ARNS.get(address.partition(".")[0])
        if attribute != "arn" or pattern is None:
            return None
        values = {"region": self.region, "account": self.account, "path": "/", **after}
        names = re.findall(r"{(\w+)}", pattern)
        if not all(isinstance(values.get(name), str) for name in names):
            return None
        return pattern.format_map({name: values[name] for name in names})

    def _open_references(self, document: Change) -> Iterator[str]:
        statements = document.after.get("statement")
        for place, _ in enumerate(statements if isinstance(statements, list) else []):
            for element in _ELEMENTS:
                if any_marked(marked(marked(marked(document.after_unknown, "statement"), place), element)):
                    yield from self.references(document.address, "statement", place, element)
            conditions = marked(marked(marked(document.after_unknown, "statement"), place), "condition")
            if any_marked(conditions):
                configured = self._configured.get(_INDEX.sub("", document.address), {})
                yield from _all_references(_step(configured, "expressions", "statement", place, "condition"))

    def _rendered(self, document: Change) -> str | None:
        raw = document.after.get("statement")
        if document.unknown("override_policy_documents") or document.unknown("source_policy_documents"):
            return None
        if document.after.get("override_policy_documents") or document.after.get("source_policy_documents"):
            return None
        if not isinstance(raw, list) or not all(isinstance(statement, dict) for statement in raw):
            return None
        statements = [self._statement(document, place, statement) for place, statement in enumerate(raw)]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def _statement(self, document: Change, place: int, raw: dict[str, Any]) -> dict[str, Any]:
        marks = marked(marked(document.after_unknown, "statement"), place)
        path = ("statement", place)
        statement: dict[str, Any] = {"Effect": raw.get("effect") or "Allow"}
        if isinstance(raw.get("sid"), str) and raw["sid"]:
            statement["Sid"] = raw["sid"]
        for argument, element in _ELEMENTS.items():
            values = self._texts(document, raw.get(argument), marked(marks, argument), *path, argument)
            if values:
                statement[element] = values
        for argument, element in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
            blocks = raw.get(argument)
            principals: dict[str, list[str]] = {}
            for inner, block in enumerate(blocks if isinstance(blocks, list) else []):
                if isinstance(block, dict):
                    unknown = marked(marked(marked(marks, argument), inner), "identifiers")
                    names = self._texts(
                        document, block.get("identifiers"), unknown, *path, argument, inner, "identifiers"
                    )
                    principals.setdefault(str(block.get("type")), []).extend(names)
            if principals:
                statement[element] = "*" if principals == {"*": ["*"]} else principals
        blocks = raw.get("condition")
        for inner, block in enumerate(blocks if isinstance(blocks, list) else []):
            if isinstance(block, dict):
                unknown = marked(marked(marked(marks, "condition"), inner), "values")
                values = self._texts(document, block.get("values"), unknown, *path, "condition", inner, "values")
                operator = statement.setdefault("Condition", {}).setdefault(str(block.get("test")), {})
                operator.setdefault(str(block.get("variable")), []).extend(values)
        return statement

    def _texts(self, document: Change, known: Any, unknown: Any, *path: str | int) -> list[str]:
        """Known texts, and for each open one the text it will have, or where that will come from."""
        texts = [text for text in known if isinstance(text, str)] if isinstance(known, list) else []
        if not any_marked(unknown):
            return texts
        module = document.address.removesuffix(_local(document.address))
        written = self._written(document.address, *path)
        if written is not None:
            return [
                _REFERENCE.sub(lambda found: self.value(module, found[1]) or f"({found[1]}, known after apply)", text)
                for text in written
            ]
        for reference in self.references(document.address, *path) or ["something"]:
            found = self.value(module, reference)
            if found is None:
                texts.append(f"({reference}, known after apply)")
            elif found not in texts:
                texts.append(found)
        return texts


def _most_exact(references: list[str]) -> list[str]:
    """Terraform lists `a.b.c`, `a.b` and `a` for one reference; the first says it all."""
    return [name for name in references if not any(other.startswith((f"{name}.", f"{name}[")) for other in references)]


def _root(configuration: Mapping[str, Any]) -> dict[str, Any]:
    root = configuration.get("root_module")
    return root if isinstance(root, dict) else {}


def _configured(module: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    resources = module.get("resources")
    for resource in resources if isinstance(resources, list) else []:
        if isinstance(resource, dict) and isinstance(resource.get("address"), str):
            yield prefix, resource
    calls = module.get("module_calls")
    for name, call in calls.items() if isinstance(calls, dict) else ():
        inner = call.get("module") if isinstance(call, dict) else None
        if isinstance(inner, dict):
            yield from _configured(inner, f"{prefix}module.{name}.")


def _place(configuration: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Region and account that the AWS provider is configured for, where they are written down."""
    region = _step(configuration, "provider_config", "aws", "expressions", "region", "constant_value")
    accounts = _step(configuration, "provider_config", "aws", "expressions", "allowed_account_ids", "constant_value")
    account = accounts[0] if isinstance(accounts, list) and len(accounts) == 1 else None
    return region if isinstance(region, str) else None, account if isinstance(account, str) else None


def _step(place: Any, *path: str | int) -> Any:
    for step in path:
        if isinstance(place, Mapping):
            place = place.get(step)
        elif isinstance(place, list) and isinstance(step, int) and step < len(place):
            place = place[step]
        else:
            return None
    return place


def _all_references(expression: Any) -> Iterator[str]:
    if isinstance(expression, list):
        for item in expression:
            yield from _all_references(item)
    elif isinstance(expression, dict):
        named = expression.get("references")
        if isinstance(named, list):
            yield from _most_exact([name for name in named if isinstance(name, str)])
        for key, item in expression.items():
            if key != "references":
                yield from _all_references(item)


def _local(address: str) -> str:
    """An address without the modules before it."""
    module = re.match(r"(?:module\.[\w-]+(?:\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\])?\.)*", address)
    return address[module.end() :] if module else address
