"""Reads a model from synthesised Terraform, with references resolved as far as they are known before an apply.

A variable counts with its default, an ARN is put together from what it is made of, and another stack's addresses are
represented by one that no list can hold. What cannot be read so raises UnsupportedError.
"""

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any

from iam.aws_managed import aws_managed
from iam.model import REPRESENTATIVES, ApiMethod, Identity, Model, Opening, Place, Resource
from iam.policy import Network, Policy, UnsupportedError, parse

Json = Mapping[str, Any]

_REFERENCE = re.compile(r"(?<!\$)\$\{([^{}]+)\}")

_OTHER_STACKS_ADDRESSES = re.compile(
    r'\$\{\[for address in .*?data\.terraform_remote_state\.(\w+)\.outputs\.(\w+)\W* : "\$\{address\}/32"\]\}'
)

_REMOTE_STATE = re.compile(r"data\.terraform_remote_state\.(\w+)\.outputs\.(\w+)")

_ARNS = {
    "aws_cloudwatch_log_group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_codebuild_project": "arn:aws:codebuild:{region}:{account}:project/{name}",
    "aws_codecommit_repository": "arn:aws:codecommit:{region}:{account}:{repository_name}",
    "aws_iam_role": "arn:aws:iam::{account}:role/{name}",
    "aws_iam_user": "arn:aws:iam::{account}:user/{name}",
    "aws_instance": "arn:aws:ec2:{region}:{account}:instance/{id}",
    "aws_s3_bucket": "arn:aws:s3:::{bucket}",
    "aws_sns_topic": "arn:aws:sns:{region}:{account}:{name}",
}
_EXECUTION_ARN = "arn:aws:execute-api:{region}:{account}:{id}"

# What IAM knows and this does not evaluate, or what would hand out secrets; each is refused or looked at by name.
_IAM_READ = frozenset(
    (
        "aws_iam_instance_profile",
        "aws_iam_policy",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_iam_user",
        "aws_iam_user_policy",
        "aws_iam_user_policy_attachment",
    )
)
_POLICIES_READ = _IAM_READ | {"aws_api_gateway_rest_api_policy", "aws_s3_bucket_policy", "aws_sns_topic_policy"}
_SECRETS = ("aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile")

_ROOMS = re.compile(r"pull_from_cidrs|room_(\w+)_from_cidrs")
_NAMES = {
    "pull_from_cidrs": "the isolated room",
    "push_from_cidrs": "the push user's addresses",
    "webhook_sender_cidrs": "Backlog's senders",
}


def read(stacks: Mapping[str, Json]) -> Model:
    """The model of a deployment's `cdk.tf.json` files, by stack."""
    representatives: dict[tuple[str, str], IPv4Network] = {}
    by_name: dict[str, _Stack] = {}
    for name, terraform in stacks.items():
        by_name[name] = _Stack(name, terraform, by_name, representatives)
    read = list(by_name.values())
    identities = tuple(identity for stack in read for identity in stack.identities())
    places = [place for stack in read for place in stack.places()]
    for (stack_name, output), network in representatives.items():
        name = f"{stack_name}'s {_OUTPUTS.get(output, output)}"
        places.append(
            Place(
                name=name,
                networks=(network,),
                may_push=True,
                representative=True,
                may_overlap=tuple(room for stack in read for room in stack.rooms_not_apart(stack_name, output)),
            )
        )
    places += [
        Place(name=f"{identity.name}'s VPC endpoints", vpc_endpoints=endpoints, is_room=True)
        for identity in identities
        if (endpoints := _vpc_endpoints(identity))
    ]
    return Model(
        identities=identities,
        repositories=tuple(repository for stack in read for repository in stack.repositories()),
        resources=tuple(resource for stack in read for resource in stack.resources()),
        methods=tuple(method for stack in read for method in stack.methods()),
        openings=tuple(opening for stack in read for opening in stack.openings()),
        places=tuple(sorted(places, key=lambda place: (not place.is_room, not place.may_push))),
    )


def _vpc_endpoints(identity: Identity) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            endpoint
            for policy in identity.policies
            for statement in policy.statements
            for condition in statement.conditions
            if condition.key == "aws:sourcevpce"
            for endpoint in condition.values
        )
    )


_OUTPUTS = {"nat_public_ips": "NAT addresses", "public_ip": "address"}


class _Stack:
    """One stack's Terraform."""

    def __init__(
        self,
        name: str,
        terraform: Json,
        stacks: Mapping[str, "_Stack"],
        representatives: dict[tuple[str, str], IPv4Network],
    ) -> None:
        self.name = name
        self._stacks = stacks
        self._outputs: Mapping[str, Json] = terraform.get("output", {})
        self._resources: Mapping[str, Mapping[str, Json]] = terraform.get("resource", {})
        self._documents: Mapping[str, Json] = terraform.get("data", {}).get("aws_iam_policy_document", {})
        self._variables: Mapping[str, Json] = terraform.get("variable", {})
        self._representatives = representatives
        provider = terraform["provider"]["aws"][0]
        self._account: str = provider["allowed_account_ids"][0]
        self._region: str = provider["region"]
        for kind, named in self._resources.items():
            if kind not in _POLICIES_READ and any("policy" in arguments for arguments in named.values()):
                raise UnsupportedError(name, f"what the policy of {kind} does to access")
            if kind.startswith("aws_iam_"):
                if kind not in _IAM_READ and kind not in _SECRETS:
                    raise UnsupportedError(name, f"what {kind} does to access")
                for called, arguments in named.items():
                    for argument in (
                        "permissions_boundary",
                        "inline_policy",
                        "managed_policy_arns",
                        "for_each",
                        "count",
                    ):
                        if argument in arguments:
                            raise UnsupportedError(f"{name}: {kind}.{called}", f"what {argument} does to access")
        self._every_owner_is_here()

    def _every_owner_is_here(self) -> None:
        """Refuse what would give something to a user or role that this stack does not make."""
        for owner in ("user", "role"):
            made = {self._text(arguments["name"]) for _, arguments in self._of(f"aws_iam_{owner}")}
            given = (f"aws_iam_{owner}_policy", f"aws_iam_{owner}_policy_attachment")
            for kind in (*given, *(_SECRETS if owner == "user" else ())):
                for called, arguments in self._of(kind):
                    if (name := self._text(arguments[owner])) not in made:
                        raise UnsupportedError(
                            f"{self.name}: {kind}.{called}", f"whose it is: no {owner} {name!r} is made here"
                        )

    def identities(self) -> Iterator[Identity]:
        """Users and roles."""
        for kind, arguments_of in (("user", "user"), ("role", "role")):
            for name, arguments in self._of(f"aws_iam_{kind}"):
                address = f"aws_iam_{kind}.{name}"
                trust = arguments.get("assume_role_policy")
                yield Identity(
                    address=f"{self.name}: {address}",
                    arn=self._arn(f"aws_iam_{kind}", name),
                    account=self._account,
                    policies=tuple(self._attached(kind, arguments_of, self._text(arguments["name"]))),
                    trust=self._policy(trust, f"{self._text(arguments['name'])}'s trust") if trust else None,
                    secrets=tuple(
                        f"{self.name}: {secret}.{called}"
                        for secret in _SECRETS
                        for called, given in self._of(secret)
                        if self._text(given["user"]) == self._text(arguments["name"])
                    ),
                )

    def _attached(self, kind: str, argument: str, owner: str) -> Iterator[Policy]:
        for _, arguments in self._of(f"aws_iam_{kind}_policy"):
            if self._text(arguments[argument]) == owner:
                yield self._policy(arguments["policy"], f"{owner}/{self._text(arguments['name'])}")
        for name, arguments in self._of(f"aws_iam_{kind}_policy_attachment"):
            if self._text(arguments[argument]) == owner:
                yield self._managed(arguments["policy_arn"], f"{self.name}: aws_iam_{kind}_policy_attachment.{name}")

    def _managed(self, arn: str, place: str) -> Policy:
        if own := re.fullmatch(r"\$\{aws_iam_policy\.([^.]+)\.arn\}", arn):
            arguments = self._resources["aws_iam_policy"][own[1]]
            return self._policy(arguments["policy"], self._text(arguments["name"]))
        published = aws_managed(arn)
        if published is None:
            raise UnsupportedError(place, f"what {arn!r} allows; add the document to access/aws_managed.json")
        return published

    def repositories(self) -> Iterator[Resource]:
        """What holds code."""
        for name, _ in self._of("aws_codecommit_repository"):
            yield self._resource("aws_codecommit_repository", name, None)

    def resources(self) -> Iterator[Resource]:
        """What else has a policy of its own."""
        for kind, owner, argument in (
            ("aws_s3_bucket_policy", "aws_s3_bucket", "bucket"),
            ("aws_sns_topic_policy", "aws_sns_topic", "arn"),
        ):
            for name, arguments in self._of(kind):
                place = f"{self.name}: {kind}.{name}"
                target = re.fullmatch(rf"\$\{{{owner}\.([^.]+)\.\w+\}}", arguments[argument])
                if not target:
                    raise UnsupportedError(place, f"whose policy it is: {arguments[argument]!r}")
                yield self._resource(owner, target[1], self._policy(arguments["policy"], place))

    def _resource(self, kind: str, name: str, policy: Policy | None) -> Resource:
        return Resource(
            address=f"{self.name}: {kind}.{name}", arn=self._arn(kind, name), account=self._account, policy=policy
        )

    def methods(self) -> Iterator[ApiMethod]:
        """The methods of all APIs."""
        policies = {
            arguments["rest_api_id"]: self._policy(
                arguments["policy"], f"{self.name}: aws_api_gateway_rest_api_policy.{name}"
            )
            for name, arguments in self._of("aws_api_gateway_rest_api_policy")
        }
        for name, arguments in self._of("aws_api_gateway_method"):
            api = arguments["rest_api_id"]
            resource = re.fullmatch(r"\$\{aws_api_gateway_resource\.([^.]+)\.id\}", arguments["resource_id"])
            path = self._resources["aws_api_gateway_resource"][resource[1]]["path_part"] if resource else ""
            execution_arn = self._text(api.replace(".id}", ".execution_arn}"))
            stages = [
                stage["stage_name"] for _, stage in self._of("aws_api_gateway_stage") if stage["rest_api_id"] == api
            ]
            yield ApiMethod(
                address=f"{self.name}: aws_api_gateway_method.{name}",
                arn=f"{execution_arn}/{stages[0] if stages else 'any'}/{arguments['http_method']}/{path}",
                account=self._account,
                open_to_all=arguments["authorization"] == "NONE" and not arguments.get("api_key_required"),
                policy=policies.get(api),
            )

    def openings(self) -> Iterator[Opening]:
        """Inbound rules that name networks."""
        for kind in ("aws_security_group", "aws_default_security_group"):
            for name, arguments in self._of(kind):
                if "ingress" in arguments:
                    raise UnsupportedError(f"{self.name}: {kind}.{name}", "rules within the group")
        if "aws_security_group_rule" in self._resources:
            raise UnsupportedError(self.name, "aws_security_group_rule")
        for name, arguments in self._of("aws_vpc_security_group_ingress_rule"):
            if arguments.get("prefix_list_id"):
                raise UnsupportedError(
                    f"{self.name}: aws_vpc_security_group_ingress_rule.{name}", "whom a prefix list names"
                )
            cidrs = [arguments[key] for key in ("cidr_ipv4", "cidr_ipv6") if arguments.get(key)]
            may_be_open = False
            if cidrs == ["${each.value}"]:
                listed = re.fullmatch(r"\$\{toset\((.+)\)\}", arguments["for_each"])
                if listed and listed[1].startswith("["):
                    cidrs = json.loads(listed[1])
                else:
                    reference = f"${{{listed[1]}}}" if listed else arguments["for_each"]
                    cidrs = self._list(reference, f"{self.name}: {name}")
                    may_be_open = self._may_be_open(reference)
            address = f"{self.name}: aws_vpc_security_group_ingress_rule.{name}"
            networks = tuple(_network(self._text(cidr), address) for cidr in cidrs)
            if networks:
                yield Opening(address=address, networks=networks, may_be_open=may_be_open)

    def places(self) -> Iterator[Place]:
        """The lists of networks that variables name."""
        for name, variable in self._variables.items():
            room = _ROOMS.fullmatch(name)
            if not room and name not in _NAMES:
                continue
            yield Place(
                name=_NAMES.get(name) or (f"room {room[1]}" if room else name),
                networks=tuple(_network(cidr, f"{self.name}: var.{name}") for cidr in variable["default"]),
                is_room=bool(room),
                may_push=name == "push_from_cidrs",
                may_be_open=self._may_be_open(f"${{var.{name}}}"),
            )

    def output(self, name: str) -> str:
        """What another stack reads of this one."""
        value = self._outputs[name]["value"]
        if not isinstance(value, str):
            raise UnsupportedError(f"{self.name}: output.{name}", "how it is read")
        return self._text(value)

    def rooms_not_apart(self, stack: str, output: str) -> Iterator[str]:
        """The rooms of this stack whose addresses no precondition compares with another stack's."""
        addresses = f"data.terraform_remote_state.{stack.replace('-', '_')}.outputs.{output}"
        conditions = [
            condition
            for _, policy in self._of("aws_iam_policy")
            for check in policy.get("lifecycle", {}).get("precondition", ())
            if addresses in (condition := check["condition"])
        ]
        for name in filter(_ROOMS.fullmatch, self._variables):
            if not any(re.search(rf"\bvar\.{name}\b", condition) for condition in conditions):
                yield f"var.{name}"

    def _may_be_open(self, reference: str) -> bool:
        """Whether a variable's checks let it hold the world, which only a written reason makes them do."""
        name = reference.removeprefix("${var.").removesuffix("}")
        checks = self._variables.get(name, {}).get("validation", ())
        return name in self._variables and not any("lets the world in" in check["error_message"] for check in checks)

    def _of(self, kind: str) -> Iterator[tuple[str, Json]]:
        yield from self._resources.get(kind, {}).items()

    def _policy(self, reference: str, name: str) -> Policy:
        data = re.fullmatch(r"\$\{data\.aws_iam_policy_document\.([^.]+)\.json\}", reference)
        if not data:
            if "${" in reference:
                raise UnsupportedError(name, f"a policy from {reference!r}")
            return parse(reference, name)
        document = self._documents[data[1]]
        if unknown := sorted(document.keys() - {"//", "statement", "version", "policy_id"}):
            raise UnsupportedError(name, f"{', '.join(unknown)} of aws_iam_policy_document")
        statements = [self._statement(statement, name) for statement in document["statement"]]
        return parse({"Version": document.get("version", "2012-10-17"), "Statement": statements}, name)

    def _statement(self, statement: Json, name: str) -> dict[str, Any]:
        """A statement of `aws_iam_policy_document` as JSON, as the provider writes it."""
        place = f"{name}, statement {statement.get('sid')}"
        found: dict[str, Any] = {"Sid": statement.get("sid", ""), "Effect": statement.get("effect", "Allow")}
        for argument, value in statement.items():
            if argument in _ELEMENTS:
                found[_ELEMENTS[argument]] = self._list(value, place)
            elif argument in ("principals", "not_principals"):
                element = "Principal" if argument == "principals" else "NotPrincipal"
                found[element] = self._principals(value, place)
            elif argument == "condition":
                found["Condition"] = self._conditions(value, place)
            elif argument not in ("sid", "effect", "//"):
                raise UnsupportedError(place, f"{argument} of aws_iam_policy_document")
        return found

    def _principals(self, principals: list[Json], place: str) -> Any:
        if [entry["type"] for entry in principals] == ["*"]:
            return "*"
        found = {entry["type"]: self._list(entry["identifiers"], place) for entry in principals}
        if len(found) < len(principals):
            raise UnsupportedError(place, "a type of principals twice")
        return found

    def _conditions(self, conditions: list[Json], place: str) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for condition in conditions:
            keys = found.setdefault(condition["test"], {})
            if condition["variable"] in keys:
                raise UnsupportedError(place, f"{condition['test']} {condition['variable']} twice")
            keys[condition["variable"]] = self._list(condition["values"], place)
        return found

    def _list(self, value: Any, place: str) -> list[str]:
        """A list of texts, references within it resolved."""
        if isinstance(value, list):
            return [text for item in value for text in self._list(item, place)]
        if variable := re.fullmatch(r"\$\{var\.(\w+)\}", value):
            default = self._variables[variable[1]].get("default")
            if default is None:
                raise UnsupportedError(place, f"{value} without a default")
            return [str(item) for item in default] if isinstance(default, list) else [str(default)]
        if elsewhere := _OTHER_STACKS_ADDRESSES.fullmatch(value):
            key = (elsewhere[1].replace("_", "-"), elsewhere[2])
            if key not in self._representatives:
                address = REPRESENTATIVES + len(self._representatives)
                self._representatives[key] = IPv4Network(f"{address}/32")
            return [str(self._representatives[key])]
        # The provider writes &{…} for the variables of IAM, which to Terraform would be its own.
        return [self._text(value).replace("&{", "${")]

    def _text(self, value: str) -> str:
        if "${" not in value:
            return value
        return _REFERENCE.sub(lambda reference: self._attribute(reference[1]), value).replace("$${", "${")

    def _attribute(self, reference: str) -> str:
        kind, _, rest = reference.partition(".")
        name, _, attribute = rest.partition(".")
        arguments = self._resources.get(kind, {}).get(name)
        if kind == "var":
            return str(self._variables[name].get("default"))
        if other := _REMOTE_STATE.fullmatch(reference):
            return self._stacks[other[1].replace("_", "-")].output(other[2])
        if arguments is None:
            raise UnsupportedError(self.name, f"what {reference} will be")
        if attribute == "arn":
            return self._arn(kind, name)
        if attribute == "execution_arn":
            return _EXECUTION_ARN.format(region=self._region, account=self._account, id=_unknown(kind, name, "id"))
        value = arguments.get(attribute)
        return self._text(value) if isinstance(value, str) else _unknown(kind, name, attribute)

    def _arn(self, kind: str, name: str) -> str:
        if kind not in _ARNS:
            raise UnsupportedError(
                f"{self.name}: {kind}.{name}", "what the ARN is made of; add it to access/synthesised.py"
            )
        arguments = self._resources[kind][name]
        made_of = {part: self._attribute(f"{kind}.{name}.{part}") for part in re.findall(r"{(\w+)}", _ARNS[kind])}
        made_of |= {"region": self._region, "account": self._account}
        if arguments.get("path"):
            raise UnsupportedError(f"{self.name}: {kind}.{name}", "a path")
        return _ARNS[kind].format_map(made_of)


def _unknown(kind: str, name: str, attribute: str) -> str:
    """What stands for a value that only an apply will tell: it equals no other."""
    return f"<{kind}.{name}.{attribute}>"


_ELEMENTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}


def _network(text: str, place: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise UnsupportedError(place, f"{text!r} as a network") from error
