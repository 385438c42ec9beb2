"""The findings in plans that the real Terraform made; `make_plans` makes them."""

import pytest

from errors import RefusedError
from ops.review import review
from ops.review.access_markdown import before_and_after
from tests.ops.review.plans import PLANS, comment, found_rules, real, real_review
from tests.ops.review.scenarios import SCENARIOS

# All dangerous findings of each scenario, by rule and address.
DANGEROUS: dict[str, set[tuple[str, str]]] = {
    # Builds reach Backlog and package indexes by name, whatever their addresses. The last two are another project's.
    "first-deployment": {
        ("access-widened", "aws_iam_role.mirrors_website_role"),
        ("access-widened", "aws_iam_user.pull_user"),
        ("access-widened", "aws_iam_user.push_user"),
        ("world-let-out", "aws_vpc_security_group_egress_rule.build_security_group_to_https"),
        ("world-let-out", "aws_vpc_security_group_egress_rule.build_security_group_to_ssh"),
        ("more-let-in", "aws_security_group.admin"),
        ("policy-widened", "aws_iam_role.admin"),
    },
    "nothing-changes": set(),
    "repository-added": set(),
    "repository-removed": {("repository-lost", "aws_codecommit_repository.repositories_infrastructure")},
    "repository-renamed": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("access-widened", "aws_iam_user.push_user"),
        ("repository-lost", "aws_codecommit_repository.repositories_infrastructure"),
        ("policy-widened", "aws_iam_policy.pull_user_allow_policy"),
        ("policy-widened", "aws_iam_policy.push_user_allow_policy"),
    },
    "description-changed": set(),
    "push-list-changed": {
        ("access-widened", "aws_iam_user.push_user"),
        ("policy-widened", "aws_iam_policy.push_user_deny_policy"),
    },
    "pull-list-one-network-more": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("policy-widened", "aws_iam_policy.pull_user_deny_policy"),
    },
    "pull-list-narrowed": set(),
    "pull-list-widened-to-the-world": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("policy-to-the-world", "aws_iam_policy.pull_user_deny_policy"),
        ("policy-widened", "aws_iam_policy.pull_user_deny_policy"),
        ("policy-removed", "aws_iam_policy.push_user_deny_policy"),
    },
    "room-added": {
        ("access-widened", "aws_iam_user.rooms_operators"),
        ("identity-new", "aws_iam_user.rooms_operators"),
        ("policy-widened", "aws_iam_policy.rooms_operators_allow_policy"),
    },
    "push-user-removed": {("policy-removed", "aws_iam_policy.push_user_deny_policy")},
    "gitlab-replaced": {("server-lost", "aws_instance.gitlab_instance")},
    "gitlab-tainted": {("server-lost", "aws_instance.gitlab_instance")},
    "gitlab-volume-replaced": {("volume-lost", "aws_ebs_volume.data_volume")},
    "gitlab-images-kept-fewer": {("retention-shortened", "aws_dlm_lifecycle_policy.image_backups_policy")},
    "gitlab-larger": set(),
    "gitlab-unprotected": {("protection-lifted", "aws_instance.gitlab_instance")},
    "gitlab-hours-removed": {
        ("watch-stopped", "aws_scheduler_schedule.power_schedule_start"),
        ("watch-stopped", "aws_scheduler_schedule.power_schedule_stop"),
    },
    "terminals-one-network-more": {
        (
            "more-let-in",
            f'aws_vpc_security_group_ingress_rule.gitlab_security_group_from_terminals_{port}["203.0.113.128/28"]',
        )
        for port in ("http", "https", "ssh")
    },
    "nat-address-replaced": {
        ("address-lost", "aws_eip.network_nat_a_address"),
        ("stale-input", "data.terraform_remote_state.dev_network"),
    },
    "flow-logs-kept-shorter": {("retention-shortened", "aws_cloudwatch_log_group.flow_logs_log_group")},
    "zone-added": {
        ("more-let-in", "aws_vpc_security_group_ingress_rule.endpoints_security_group_from_private_c"),
        ("more-let-in", "aws_vpc_security_group_ingress_rule.endpoints_security_group_from_public_c"),
        ("way-new", "aws_nat_gateway.network_nat_c"),
        ("way-new", "aws_route.network_private_c_to_nat"),
    },
    "tags-changed": set(),
    "region-changed": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("access-widened", "aws_iam_user.push_user"),
        ("place-changed", "the provider's region"),
        ("policy-widened", "aws_iam_policy.pull_user_allow_policy"),
        ("policy-widened", "aws_iam_policy.push_user_allow_policy"),
    },
    "webhook-senders-changed": {("policy-widened", "aws_api_gateway_rest_api_policy.webhook_senders")},
    "host-key-changed": {
        ("host-key-changed", "aws_s3_object.program_units_website"),
        ("mirror-runs-otherwise", "aws_s3_object.program_units_website"),
    },
    # The role reaches one repository more; what runs stays the same.
    "mirror-added": {
        ("access-widened", "aws_iam_role.spaces_example_mirror_role"),
        ("policy-widened", "aws_iam_role_policy.spaces_example_mirror_role_policy"),
    },
    "cache-given-up": {
        ("file-system-lost", "aws_efs_file_system.caches_website_file_system"),
        ("mirror-runs-otherwise", "aws_codebuild_project.mirrors_website_project"),
        ("mirror-runs-otherwise", "aws_s3_object.program_units_website"),
        ("policy-removed", "aws_efs_file_system_policy.caches_website_policy"),
    },
    "alerts-removed": {("watch-stopped", "aws_sns_topic_subscription.alerts_subscriptions_platform-team_example_com")},
    "drift-policy-opened": {("policy-widened", "aws_iam_policy.pull_user_deny_policy")},
    "drift-logs-deleted": set(),
    "refresh-only": {
        ("policy-to-the-world", "aws_iam_policy.pull_user_deny_policy"),
        ("policy-widened", "aws_iam_policy.pull_user_deny_policy"),
    },
    "repository-imported": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("access-widened", "aws_iam_user.push_user"),
        ("policy-widened", "aws_iam_policy.pull_user_allow_policy"),
        ("policy-widened", "aws_iam_policy.push_user_allow_policy"),
    },
    "repository-moved": {
        ("access-widened", "aws_iam_user.pull_user"),
        ("access-widened", "aws_iam_user.push_user"),
        ("moved", "aws_codecommit_repository.repositories_platform"),
        ("policy-widened", "aws_iam_policy.pull_user_allow_policy"),
        ("policy-widened", "aws_iam_policy.push_user_allow_policy"),
    },
    "repository-forgotten": {("forgotten", "aws_codecommit_repository.repositories_infrastructure")},
    "repository-deposed": {("repository-lost", "aws_codecommit_repository.repositories_application")},
    "targeted": {("incomplete", "the plan")},
    "secret-changed": set(),
    "elsewhere-opened": {
        ("check-failed", "check.named"),
        ("more-let-in", "aws_security_group.admin"),
        ("opened", "aws_s3_bucket_public_access_block.data"),
        ("policy-widened", "aws_iam_role.admin"),
        ("versioning-stopped", "aws_s3_bucket_versioning.data"),
        ("world-let-in", "aws_security_group.admin"),
    },
    "elsewhere-destroyed": {
        ("bucket-lost", "aws_s3_bucket.data"),
        ("logs-lost", 'module.inner["a"].aws_cloudwatch_log_group.logs'),
        ("logs-lost", 'module.inner["b"].aws_cloudwatch_log_group.logs'),
        ("opened", "aws_s3_bucket_public_access_block.data"),
        ("secret-lost", "aws_secretsmanager_secret.token"),
        ("secret-lost", "aws_ssm_parameter.token"),
        ("versioning-stopped", "aws_s3_bucket_versioning.data"),
        ("volume-lost", "aws_ebs_volume.data"),
    },
    "elsewhere-volume-replaced": {("volume-lost", "aws_ebs_volume.data")},
}


@pytest.mark.parametrize("scenario", sorted(DANGEROUS))
def test_finds_the_dangerous_changes_and_nothing_else(scenario: str) -> None:
    assert found_rules(real_review(scenario)) == DANGEROUS[scenario]


def test_every_scenario_has_its_plans() -> None:
    assert {folder.name for folder in PLANS.iterdir()} == {scenario.name for scenario in SCENARIOS} | {
        "everything",
        "first-deployment",
    }
    assert len(SCENARIOS) >= 25


def test_a_plan_that_failed_is_not_reviewed() -> None:
    with pytest.raises(RefusedError) as raised:
        review(real("lists-overlap"), [])
    assert str(raised.value) == (
        "error: prd-codecommit.json.xz: planning stopped with an error, so the plan is not complete\n"
        "hint: create it with `terraform show -json PLANFILE` from a plan that succeeded"
    )


def _shown(scenario: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The table as it is shown: pull and push, by principal and repositories."""
    table = real_review(scenario).access
    return {
        (row.principal, ", ".join(row.repositories)): (
            before_and_after(row.pull, table.origins),
            before_and_after(row.push, table.origins),
        )
        for row in table.rows
    }


def test_the_table_shows_access_before_and_after() -> None:
    shown = _shown("pull-list-widened-to-the-world")
    both = "application, infrastructure"
    assert shown["kakehashi-prd-pull", both] == ("`198.51.100.0/28` → **`0.0.0.0/0` (anywhere)**", "nowhere")
    pull, push = shown["kakehashi-prd-push", both]
    assert pull.endswith(" → **nowhere**")
    assert push.endswith(" → **nowhere**")


def test_the_table_contains_a_repository_that_the_apply_creates() -> None:
    assert _shown("repository-added")["kakehashi-prd-pull", "batch"] == ("nowhere → **`198.51.100.0/28`**", "nowhere")


def test_the_table_shows_access_that_was_opened_by_hand_as_access_before() -> None:
    pull = _shown("drift-policy-opened")["kakehashi-prd-pull", "application, infrastructure"]
    assert pull == ("`0.0.0.0/0` (anywhere) → **`198.51.100.0/28`**", "nowhere")


@pytest.mark.parametrize(("scenario", "is_changed"), [("repository-added", {"batch"}), ("tags-changed", set())])
def test_a_row_is_changed_when_its_access_differs(scenario: str, is_changed: set[str]) -> None:
    rows = real_review(scenario).access.rows
    assert {name for row in rows if row.is_changed for name in row.repositories} == is_changed
    assert rows


def test_a_description_shows_literally_in_the_comment() -> None:
    text = comment(real_review("description-changed"))
    assert "→ ``The application | `as` it is </details> @everyone``" in text


def test_the_review_of_a_first_deployment_fits_into_a_comment() -> None:
    found = real_review("first-deployment")
    assert len(comment(found)) <= 65_536
    assert len(comment(found, 1_000_000)) > 65_536


def test_a_room_that_pulls_through_vpc_endpoints_is_in_the_table() -> None:
    [row] = [row for row in real_review("everything").access.rows if row.principal == "kakehashi-prd-pull-vault"]
    assert {origin.name for origin in row.pull.after} == {"vpce-0123456789abcdef0", "vpce-0fedcba9876543210"}


@pytest.mark.parametrize("scenario", ["first-deployment", "everything"])
def test_an_arn_that_the_apply_assigns_leaves_nobodys_access_unknown(scenario: str) -> None:
    found = real_review(scenario)
    assert not {"access-unknown", "access-still-unknown"} & {one.rule for one in (*found.dangerous, *found.notes)}
