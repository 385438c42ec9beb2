"""The rules, in the order in which a review prints their findings."""

from ops.review.rule import ReviewRule
from ops.review.rules import code, identities, monitoring, networks, policies, state, storage

RULES: tuple[ReviewRule, ...] = (
    identities.access_widened,
    identities.access_unknown,
    networks.world_let_in,
    networks.more_let_in,
    networks.world_let_out,
    policies.policy_to_the_world,
    policies.policy_widened,
    policies.policy_removed,
    identities.deny_detached,
    policies.policy_unknown,
    policies.policy_open,
    identities.policy_of_aws_attached,
    identities.identity_new,
    networks.way_new,
    networks.opened,
    code.metadata_opened,
    identities.shared,
    code.host_key_changed,
    code.runs_otherwise,
    *storage.LOST,
    storage.unknown_lost,
    storage.protection_lifted,
    storage.encryption_lifted,
    storage.retention_shortened,
    storage.versioning_stopped,
    storage.backups_stopped,
    monitoring.watch_stopped,
    state.stale_input,
    state.moved,
    state.forgotten,
    state.provider_changed,
    state.provider_upgraded,
    state.action_invoked,
    state.incomplete,
    state.check_failed,
    state.terraform_changed,
    state.imported,
    state.drifted,
)


def as_markdown() -> str:
    """The rules as a table for the documentation."""
    rows = [
        f"| `{rule.id}` | {'yes' if rule.dangerous else 'no'} | {rule.what} | {rule.why} |"
        for rule in sorted(RULES, key=lambda rule: rule.id)
    ]
    return "\n".join(("| rule | dangerous | what | why |", "|---|---|---|---|", *rows))
