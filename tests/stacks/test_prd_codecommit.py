from collections.abc import Callable

import pytest

from tests.terraform import Stacks, Terraform


@pytest.fixture(scope="module")
def codecommit(example: Stacks) -> Terraform:
    return example["prd-codecommit"]


def _arns(*names: str) -> list[str]:
    return [f"${{aws_codecommit_repository.repositories_{name}.arn}}" for name in names]


def test_repositories_cannot_be_deleted_unless_the_deployment_says_so(
    codecommit: Terraform, changed: Callable[..., Stacks]
) -> None:
    repositories = codecommit.resources("aws_codecommit_repository")
    assert {repository["repository_name"] for repository in repositories.values()} == {
        "infrastructure",
        "application",
        "batch",
    }
    assert all(repository["lifecycle"] == {"prevent_destroy": True} for repository in repositories.values())
    unprotected = changed("example", {"prd.codecommit.deletion_protected": False})["prd-codecommit"].resources(
        "aws_codecommit_repository"
    )
    assert unprotected
    assert not any("lifecycle" in repository for repository in unprotected.values())


def test_the_push_user_may_push_to_what_gitlab_mirrors_and_to_nothing_else(codecommit: Terraform) -> None:
    allow = codecommit.statements(codecommit.resource("aws_iam_policy.push_user_allow_policy")["policy"])
    assert set(allow) == {"PushAndPull"}
    assert allow["PushAndPull"]["actions"] == ["codecommit:GitPull", "codecommit:GitPush"]
    # `batch` is filled by the Backlog bridge.
    assert allow["PushAndPull"]["resources"] == _arns("infrastructure", "application")


def test_the_pull_user_may_not_change_anything(codecommit: Terraform) -> None:
    allow = codecommit.statements(codecommit.resource("aws_iam_policy.pull_user_allow_policy")["policy"])
    for statement in allow.values():
        for action in statement["actions"]:
            service, _, name = action.partition(":")
            assert service == "codecommit"
            assert name.startswith(("Get", "BatchGet", "List", "GitPull")), action
            assert "*" not in name
    assert allow["Pull"]["resources"] == _arns("infrastructure", "application", "batch")


@pytest.mark.parametrize(
    ("user", "cidrs"),
    [
        (
            "push",
            "${[for address in values(data.terraform_remote_state.dev_network.outputs.nat_public_ips) : "
            '"${address}/32"]}',
        ),
        ("pull", "${var.pull_from_cidrs}"),
    ],
)
def test_everything_from_elsewhere_is_denied(codecommit: Terraform, user: str, cidrs: str) -> None:
    deny = codecommit.statements(codecommit.resource(f"aws_iam_policy.{user}_user_deny_policy")["policy"])
    assert deny == {
        "DenyFromElsewhere": {
            "sid": "DenyFromElsewhere",
            "effect": "Deny",
            "actions": ["*"],
            "resources": ["*"],
            "condition": [
                {"test": "NotIpAddress", "variable": "aws:SourceIp", "values": cidrs},
                {"test": "Bool", "variable": "aws:ViaAWSService", "values": ["false"]},
            ],
        }
    }


def test_both_policies_of_a_user_are_attached_to_that_user(codecommit: Terraform) -> None:
    attachments = codecommit.resources("aws_iam_user_policy_attachment")
    assert {(a["user"], a["policy_arn"]) for a in attachments.values()} == {
        (f"${{aws_iam_user.{user}_user.name}}", f"${{aws_iam_policy.{user}_user_{role}_policy.arn}}")
        for user in ("push", "pull")
        for role in ("allow", "deny")
    }


def test_no_secret_is_made_by_terraform(codecommit: Terraform) -> None:
    # A password or key that Terraform makes stands in its state for everybody who reads it.
    secrets = {"aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile"}
    assert not secrets & set(codecommit.json["resource"])


def test_given_push_addresses_are_a_variable_that_operations_may_change(
    synthesised: Callable[[str], Stacks],
) -> None:
    minimal = synthesised("minimal")["prd-codecommit"]
    deny = minimal.statements(minimal.resource("aws_iam_policy.push_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == "${var.push_from_cidrs}"
    assert minimal.json["variable"]["push_from_cidrs"]["default"] == ["203.0.113.10/32"]
    assert "terraform_remote_state" not in minimal.json["data"]


def test_the_servers_own_address_pushes_where_there_is_no_proxy(synthesised: Callable[[str], Stacks]) -> None:
    codecommit = synthesised("gitlab-existing-vpc")["prd-codecommit"]
    deny = codecommit.statements(codecommit.resource("aws_iam_policy.push_user_deny_policy")["policy"])
    assert deny["DenyFromElsewhere"]["condition"][0]["values"] == (
        '${[for address in [data.terraform_remote_state.dev_gitlab.outputs.public_ip] : "${address}/32"]}'
    )


def test_clone_urls_and_users_are_outputs(codecommit: Terraform) -> None:
    outputs = codecommit.json["output"]
    assert outputs["clone_urls_codecommit"]["value"]["batch"] == "codecommit::ap-northeast-1://batch"
    assert outputs["clone_urls_https"]["value"]["batch"] == (
        "${aws_codecommit_repository.repositories_batch.clone_url_http}"
    )
    assert {f"{user}_user_{what}" for user in ("push", "pull") for what in ("name", "arn")} <= set(outputs)


def test_without_a_push_user_only_the_bridge_writes(changed: Callable[..., Stacks]) -> None:
    codecommit = changed("example", {"prd.codecommit.push": None})["prd-codecommit"]
    assert set(codecommit.resources("aws_iam_user")) == {"pull_user"}


def test_a_repositorys_own_key_is_usable_through_codecommit_alone(synthesised: Callable[[str], Stacks]) -> None:
    codecommit = synthesised("everything")["prd-codecommit"]
    key = "arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab"
    assert codecommit.resource("aws_codecommit_repository.repositories_infrastructure")["kms_key_id"] == key
    for user in ("push", "pull"):
        policy = codecommit.resource(f"aws_iam_policy.{user}_user_allow_policy")["policy"]
        keys = codecommit.statements(policy)["RepositoryKeys"]
        assert keys["resources"] == [key]
        assert keys["condition"] == [
            {
                "test": "StringEquals",
                "variable": "kms:ViaService",
                "values": ["codecommit.ap-northeast-1.amazonaws.com"],
            }
        ]


def test_the_deny_comes_before_the_allow_and_goes_after_it(codecommit: Terraform) -> None:
    for user in ("push", "pull"):
        allow = codecommit.resource(f"aws_iam_user_policy_attachment.{user}_user_allow_attachment")
        assert allow["depends_on"] == [f"aws_iam_user_policy_attachment.{user}_user_deny_attachment"]


def test_no_plan_lets_the_isolated_room_push(codecommit: Terraform) -> None:
    (apart,) = codecommit.resource("aws_iam_policy.push_user_deny_policy")["lifecycle"]["precondition"]
    assert "var.pull_from_cidrs" in apart["condition"]
    assert "data.terraform_remote_state.dev_network.outputs.nat_public_ips" in apart["condition"]
