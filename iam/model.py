"""What a deployment holds, as far as access goes: plain values, whatever they were read from.

`iam.deployed` fills it from synthesised Terraform. Where only an apply will tell an address or an id, a
representative stands for it that equals nothing else.
"""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

from iam.policy import Network, Policy

REPRESENTATIVES = IPv4Address("240.0.0.1")
"""The first address that stands for one which only an apply will tell.

Reserved, so no list of public networks can hold it, and settings and variables refuse it:
https://www.iana.org/assignments/iana-ipv4-special-registry
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where requests come from: public networks, or VPC endpoints by their ids.

    `is_room` marks an isolated room, `may_push` where the push user works. `representative` says that the networks
    stand for addresses that only an apply will tell, and `may_overlap` names the rooms that no check of Terraform's
    keeps them apart from. `may_be_open` is the written intent that this be the whole world.
    """

    name: str
    networks: tuple[Network, ...] = ()
    vpc_endpoints: tuple[str, ...] = ()
    is_room: bool = False
    may_push: bool = False
    representative: bool = False
    may_be_open: bool = False
    may_overlap: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A user, or a role with its trust: `policies` is everything that is attached, by the names people find.

    `secrets` are resources of Terraform that would give the user a password or a key, and put it into the state.
    """

    address: str
    arn: str
    account: str
    policies: tuple[Policy, ...]
    trust: Policy | None = None
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The user's or the role's name."""
        return self.arn.rpartition("/")[2]

    @cached_property
    def asked_keys(self) -> frozenset[str]:
        """The keys of services that only Allow statements ask for: without them a request is allowed less."""
        statements = [statement for policy in self.policies for statement in policy.statements]
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
    """Something that has a policy of its own, or that holds code."""

    address: str
    arn: str
    account: str
    policy: Policy | None = None


@dataclass(frozen=True, kw_only=True)
class ApiMethod:
    """One method of an API, with the policy that the API has."""

    address: str
    arn: str
    account: str
    open_to_all: bool
    """Whether API Gateway asks nobody who they are."""
    policy: Policy | None


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One inbound rule of a security group that names networks; one from another group lets in no addresses."""

    address: str
    networks: tuple[Network, ...]
    may_be_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Model:
    """A deployment. Everything is in the order of the stacks."""

    identities: tuple[Identity, ...] = ()
    repositories: tuple[Resource, ...] = ()
    resources: tuple[Resource, ...] = ()
    methods: tuple[ApiMethod, ...] = ()
    openings: tuple[Opening, ...] = ()
    places: tuple[Place, ...] = ()
