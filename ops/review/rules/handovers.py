"""Rules about what exists and reaches others: volumes, addresses and data that are attached, copied or sent on."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.first_deployment import only_handed_over
from ops.review.rule import Plans, ReviewedChange, ReviewFinding, rule
from ops.review.text import shown
from ops.review.translatable import said
from terraform.arns import Arn

# https://registry.terraform.io/providers/hashicorp/aws/latest/docs, collected on 2026-11-29
_HANDING_OVER = {
    "aws_ami_from_instance": ("source_instance_id", "is an image of a server, with its data"),
    "aws_codebuild_project": ("artifacts.location", "its builds write files to a bucket"),
    "aws_dlm_lifecycle_policy": ("policy_details.schedule.share_rule", "its snapshots are shared with other accounts"),
    "aws_ebs_volume": ("snapshot_id", "contains the data of a snapshot"),
    "aws_eip": ("instance", "a server gets an address that allow-lists may name"),
    "aws_eip_association": ("allocation_id", "a server gets an address that allow-lists may name"),
    "aws_s3_bucket_acl": ("access_control_policy.grant", "its ACL lets others in"),
    "aws_s3_bucket_replication_configuration": ("rule", "objects are copied to another bucket"),
    "aws_ssm_parameter": ("overwrite", "overwrites the value of a parameter that may exist"),
    "aws_volume_attachment": ("volume_id", "a server can read and write a volume"),
}
"""By type: the argument that names what exists or who receives it, and what that means."""

_SENDING = {"aws_cloudwatch_event_target": "arn", "aws_cloudwatch_log_subscription_filter": "destination_arn"}


@rule(
    id="handed-over",
    what="A volume, an address or other data is given to a server, a bucket or an account.",
    why="What exists may become readable from elsewhere.",
    only_new=only_handed_over,
)
def handed_over(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_HANDING_OVER):
        path, what = _HANDING_OVER[change.type]
        name, *inner = path.split(".")
        now, was = (_below(values.get(name), inner) for values in (change.after, change.before))
        unknown = change.after_unknown if isinstance(change.after_unknown, Mapping) else {}
        is_open = change.is_configured(name) and bool(_below(unknown.get(name), inner))
        # What replaces an object that was handed over already is handed over as that was.
        if change.appears and ((now and now != was) or (is_open and not was)):
            yield change.finding(said(what), name)
    for change in plans.changes(*_SENDING):
        name = _SENDING[change.type]
        sent = change.after.get(name)
        if change.appears and sent != change.before.get(name) and isinstance(sent, str) and _is_elsewhere(change, sent):
            yield change.finding(said("sends to another account: {arn}", arn=shown(sent)), name)
    for change in plans.changes("aws_s3_object"):
        acl = change.after.get("acl")
        if change.appears and acl not in (None, "private", change.before.get("acl")):
            yield change.finding(said("its ACL is {acl}: it lets others in", acl=shown(acl)), "acl")


def _below(found: Any, path: list[str]) -> list[Any]:
    """What is set at a path through blocks."""
    listed = found if isinstance(found, list) else [found]
    if not path:
        return [one for one in listed if one not in (None, "", False)]
    if found is True:
        return [found]  # all of it is known after the apply only
    return [each for one in listed if isinstance(one, dict) for each in _below(one.get(path[0]), path[1:])]


def _is_elsewhere(change: ReviewedChange, arn: str) -> bool:
    account = change.references.configuration.account(change.address)
    try:
        return Arn.of(arn).account != account
    except ValueError:
        return True
