"""The parts of a deployment that access depends on, as plain values.

`iam.deployed` reads them from synthesised Terraform. A value that is known after an apply only has a representative
that equals nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

from iam.operators import IpNetwork
from iam.statements import Policy
from terraform.facts import MirrorUnit

REPRESENTATIVES = IPv4Address("240.0.0.1")
"""The first representative of an address that is known after an apply only.

It is reserved: no list of public networks contains it, and settings and variables refuse it:
https://www.iana.org/assignments/iana-ipv4-special-registry
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where requests come from: public networks, or VPC endpoints by their ids.

    `is_room` marks an isolated room, `may_push` where the push user works. With `representative`, the networks are
    representatives of addresses that are known after an apply only, and `may_overlap` names the rooms for which
    Terraform does not check that these addresses are different. `may_be_open`: there is a written reason for this to be
    the whole internet.
    """

    name: str
    networks: tuple[IpNetwork, ...] = ()
    vpc_endpoints: tuple[str, ...] = ()
    is_room: bool = False
    may_push: bool = False
    representative: bool = False
    may_be_open: bool = False
    may_overlap: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A user, or a role with its trust policy; `policies` are all that are attached, without the permissions boundary.

    `secrets` are Terraform resources that create a password or a key of the user, which the state then contains.
    """

    address: str
    arn: str
    account: str
    policies: tuple[Policy, ...]
    trust: Policy | None = None
    boundary: Policy | None = None
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The user's or the role's name."""
        return self.arn.rpartition("/")[2]

    @property
    def evaluated(self) -> tuple[Policy, ...]:
        """The policies that decide what it may do, its permissions boundary among them."""
        return self.policies if self.boundary is None else (*self.policies, self.boundary)

    @cached_property
    def trusted_services(self) -> frozenset[str]:
        """The AWS services that the trust policy names."""
        return frozenset(
            name for statement in (self.trust.statements if self.trust else ()) for name in statement.services
        )

    @cached_property
    def trusted_principals(self) -> frozenset[str]:
        """The ARNs, accounts and wildcards that the trust policy names beside services."""
        return frozenset(
            name
            for statement in (self.trust.statements if self.trust else ())
            for kind, names in (statement.principals or {}).items()
            for name in names
            if kind != "Service"
        )

    @cached_property
    def asked_keys(self) -> frozenset[str]:
        """Service keys that only Allow statements test: a request without them is allowed less."""
        statements = [statement for policy in self.evaluated for statement in policy.statements]
        allowing, denying = (
            {
                condition.key
                for statement in statements
                if statement.allows == allows
                for condition in statement.conditions
            }
            for allows in (True, False)
        )
        return frozenset(key for key in allowing - denying if not key.startswith("aws:"))


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource with a policy of its own, or a repository.

    `tags` are a repository's, None as value or as a whole for what is not known.
    """

    address: str
    arn: str
    account: str
    policy: Policy | None = None
    tags: Mapping[str, str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One build with the ARNs of its role and of the repositories that it mirrors into.

    `uses` says what else it uses, in the region and the account of its stack.
    """

    name: str
    address: str
    role: str
    targets: frozenset[str]
    region: str
    account: str
    uses: MirrorUnit


@dataclass(frozen=True, kw_only=True)
class ApiMethod:
    """One method of an API, with the API's policy."""

    address: str
    arn: str
    account: str
    open_to_all: bool
    """Whether API Gateway answers without authentication."""
    policy: Policy | None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint, and its policy; without one, every request may go through."""

    address: str
    account: str
    region: str
    policy: Policy | None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One inbound rule of a security group that names networks."""

    address: str
    networks: tuple[IpNetwork, ...]
    is_listed: bool = False
    """Whether the networks are those of a list that the deployment file gives."""
    may_be_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """A deployment. Everything is in the order of the stacks."""

    identities: tuple[Identity, ...] = ()
    repositories: tuple[Resource, ...] = ()
    units: tuple[Unit, ...] = ()
    resources: tuple[Resource, ...] = ()
    methods: tuple[ApiMethod, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    openings: tuple[Opening, ...] = ()
    places: tuple[Place, ...] = ()
