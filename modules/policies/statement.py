"""An IAM statement as plain values, and statements as a Terraform document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from constructs import Construct

from modules.acknowledged import acknowledge
from modules.explained import explain


@dataclass(frozen=True, kw_only=True)
class PolicyCondition:
    """One condition of a statement: `values` may be a reference to a list."""

    test: str
    variable: str
    values: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class PolicyStatement:
    """One statement; without `services`, `roles` and `everybody` it has no principal, as in an identity's policy.

    `roles` are ARNs. `resources_without` names an argument, or one of its keys as `tags["owner"]`: the resources are
    the members of a collection that do not have it, and the HCL lists them from the collection. `why` explains
    what the statement does not say itself. `acknowledged` has the reasons for accepting checkov's findings on it, by
    the check's id.
    """

    sid: str
    effect: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    services: Sequence[str] = ()
    roles: Sequence[str] = ()
    everybody: bool = False
    conditions: Sequence[PolicyCondition] = ()
    resources_without: str | None = None
    why: str | None = None
    acknowledged: Mapping[str, str] = field(default_factory=dict)


def document(scope: Construct, id: str, statements: Sequence[PolicyStatement]) -> str:
    """The statements as an `aws_iam_policy_document`; returns the reference to its JSON."""
    policy = DataAwsIamPolicyDocument(scope, id, statement=[_terraform(statement) for statement in statements])
    for place, statement in enumerate(statements):
        if statement.why is not None:
            explain(policy, statement.why, f"statement.{place}")
        if statement.resources_without is not None:
            members = {"resources": {"without": statement.resources_without}}
            policy.add_override(f"statement.{place}.//.members", members)
        if statement.acknowledged:
            acknowledge(policy, f"statement.{place}", **statement.acknowledged)
    return policy.json


def _terraform(statement: PolicyStatement) -> DataAwsIamPolicyDocumentStatement:
    principals = [
        *([DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"])] if statement.everybody else []),
        *(
            [DataAwsIamPolicyDocumentStatementPrincipals(type="Service", identifiers=list(statement.services))]
            if statement.services
            else []
        ),
        *(
            [DataAwsIamPolicyDocumentStatementPrincipals(type="AWS", identifiers=list(statement.roles))]
            if statement.roles
            else []
        ),
    ]
    conditions = [
        DataAwsIamPolicyDocumentStatementCondition(
            test=condition.test, variable=condition.variable, values=list(condition.values)
        )
        for condition in statement.conditions
    ]
    return DataAwsIamPolicyDocumentStatement(
        sid=statement.sid,
        effect=statement.effect,
        actions=list(statement.actions),
        resources=list(statement.resources) or None,
        principals=principals or None,
        condition=conditions or None,
    )
