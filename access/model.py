"""What a deployment holds, as far as access goes: plain values, whatever they were read from.

`access.synthesised` fills it from synthesised Terraform. An address or an id that only AWS knows until an apply is
filled with a representative, and `unknown` says of what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from access.policy import Network, Policy


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where requests come from: public networks, or VPC endpoints by their ids.

    `is_room` marks an isolated room. `representative` says that the networks stand for addresses that only an apply
    will tell. `open_because` is the written intent to let the whole world be here.
    """

    name: str
    networks: tuple[Network, ...] = ()
    vpc_endpoints: tuple[str, ...] = ()
    is_room: bool = False
    representative: bool = False
    open_because: str | None = None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A user, or a role with its trust: `policies` is everything that is attached, by the names people find.

    `secrets` are what Terraform itself would give the user to log in with: a password, an access key.
    """

    address: str
    arn: str
    account: str
    policies: tuple[Policy, ...]
    trust: Policy | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Something that identities act upon, with its own policy where it has one."""

    address: str
    arn: str
    account: str
    policy: Policy | None = None


@dataclass(frozen=True, kw_only=True)
class ApiMethod:
    """One method of an API: `resource` is the one that carries the API's policy."""

    address: str
    arn: str
    authorization: str
    api: str


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One inbound rule of a security group, from networks; a rule from another group lets in no addresses."""

    address: str
    group: str
    ports: str
    networks: tuple[Network, ...]
    open_because: str | None = None


@dataclass(frozen=True, kw_only=True)
class Model:
    """A deployment. `repositories` are those of `resources` that hold code, by name."""

    region: str
    identities: tuple[Identity, ...] = ()
    repositories: Mapping[str, Resource] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    methods: tuple[ApiMethod, ...] = ()
    openings: tuple[Opening, ...] = ()
    places: tuple[Place, ...] = ()
