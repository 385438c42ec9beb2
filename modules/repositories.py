"""CodeCommit repositories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.codecommit_repository import CodecommitRepository
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.labels import MIRRORED_BY
from terraform.templates import escaped


@dataclass(frozen=True, kw_only=True)
class RepositoryProps:
    """A repository's description; optionally, the customer-managed key that encrypts it and the unit that fills it."""

    description: str
    kms_key_arn: str | None = None
    mirrored_by: str | None = None


_PROTECTED = "Terraform refuses to delete the repository while prevent_destroy is true."
_NAMED_AS_A_WHOLE = (
    "Policies may name all repositories as a whole whose names begin with {}: who may use these may use a new one, too."
)


@dataclass(frozen=True, kw_only=True)
class RepositoriesProps:
    """`repositories` by name; with `deletion_protected` Terraform refuses any plan that deletes one.

    Policies may name all repositories whose names begin with one of `own_prefixes` as a whole.
    """

    repositories: Mapping[str, RepositoryProps]
    deletion_protected: bool
    own_prefixes: Sequence[str] = ()


class Repositories(Construct):
    """One repository per name."""

    repositories: dict[str, CodecommitRepository]

    def __init__(self, scope: Construct, id: str, props: RepositoriesProps) -> None:
        super().__init__(scope, id)
        self.repositories = {
            name: CodecommitRepository(
                self,
                name,
                repository_name=name,
                description=escaped(repository.description),
                kms_key_id=repository.kms_key_arn,
                tags={MIRRORED_BY: repository.mirrored_by} if repository.mirrored_by is not None else None,
                lifecycle=TerraformResourceLifecycle(prevent_destroy=True) if props.deletion_protected else None,
            )
            for name, repository in props.repositories.items()
        }
        for mirror in self.repositories.values():
            acknowledge(mirror, CKV2_AWS_37="a mirror: changes are approved at the source, and nobody merges here")
            reasons = [
                *([_PROTECTED] if props.deletion_protected else []),
                *([_NAMED_AS_A_WHOLE.format(" and ".join(props.own_prefixes))] if props.own_prefixes else []),
            ]
            if reasons:
                explain(mirror, " ".join(reasons))
