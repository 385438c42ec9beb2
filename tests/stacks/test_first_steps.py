"""After the first apply, people with nothing but a stack's HCL know what to do by hand."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.git_access.users import git_users
from settings import load
from tests.terraform import Stacks

DEPLOYMENTS = Path(__file__).parents[2] / "deployments"
CONFIRM = "Confirm the mail that AWS sends to each address that receives alerts."


def steps(stacks: Stacks) -> dict[str, list[Any]]:
    """What each stack says."""
    return {name: it.json["//"].get("after_apply", []) for name, it in stacks.terraform.items()}


def texts(found: list[Any]) -> list[str]:
    return [it if isinstance(it, str) else it["text"] for it in found]


def commands(found: list[Any]) -> list[str]:
    return [command for it in found if isinstance(it, Mapping) for command in it["commands"]]


@pytest.mark.parametrize("deployment", sorted(it.stem for it in DEPLOYMENTS.glob("*.yaml")))
def test_names_only_what_the_handover_has(deployment: str, synthesised: Callable[[str], Stacks]) -> None:
    stacks = synthesised(deployment)
    for name, found in steps(stacks).items():
        said = [*texts(found), *commands(found), *stacks[name].json["//"].get("other_stacks", [])]
        assert not [it for it in said if re.search(r"docs/|main\.py|Kakehashi", it)]
        outputs = stacks[name].json["output"]
        assert {word for it in texts(found) for word in re.findall(r"[a-z]+(?:_[a-z]+)+", it)} <= outputs.keys()


def test_every_stack_with_credentials_or_mails_has_steps(synthesised: Callable[[str], Stacks]) -> None:
    found = steps(synthesised("everything"))
    assert found["dev-network"] == []
    assert found["dev-proxy"] == [CONFIRM]
    assert CONFIRM in found["prd-codecommit"]
    assert CONFIRM in found["backlog-bridge"]
    assert len(found["dev-gitlab"]) == 2


def test_a_credential_goes_into_the_secret_that_its_users_read(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    found = steps(synthesised("everything"))["prd-codecommit"]
    assert "in the outputs push_user_name, pull_user_name and room_user_names." in texts(found)[0]
    create, issue = map(shlex.split, commands(found))
    named = create[create.index("--name") + 1]
    users = git_users(load(DEPLOYMENTS / "everything.yaml"))
    assert {it.secret for it in users} == {named.replace("USER", it.name) for it in users}
    assert create[create.index("--kms-key-id") + 1].startswith("arn:aws:kms:ap-northeast-1:222222222222:key/")
    assert named == issue[issue.index("--secret-id") + 1]
    assert {create[create.index("--region") + 1], issue[issue.index("--region") + 1]} == {"ap-northeast-1"}
    room = {"night": {"from_cidrs": ["203.0.113.64/29"]}}
    alone = {"prd.codecommit.push": None, "prd.codecommit.pull": None, "prd.codecommit.rooms": room}
    found = steps(changed("minimal", alone))["prd-codecommit"]
    assert "in the output room_user_names." in texts(found)[0]
    assert "--kms-key-id" not in commands(found)[0]


def test_gitlabs_host_name_leads_to_the_server_or_its_load_balancer_unless_a_record_is_created(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    def first(stacks: Stacks) -> str:
        return texts(steps(stacks)["dev-gitlab"])[0]

    assert first(synthesised("example")) == "Point GitLab's host name at what the output public_ip says."
    balancer = {"dev.gitlab.route53_zone_id": None}
    assert first(changed("everything", balancer)).endswith("the output load_balancer_dns_name says.")
    assert "host name" not in first(synthesised("everything"))


def test_whoever_logs_in_to_gitlab_reads_the_password_and_compares_a_certificate_that_the_server_made(
    synthesised: Callable[[str], Stacks],
) -> None:
    console, password = commands(steps(synthesised("example"))["dev-gitlab"])
    outputs = synthesised("example")["dev-gitlab"].json["output"]
    assert outputs.keys() >= {"instance_id", "parameters"}
    assert console.startswith("aws ec2 get-console-output --region ap-northeast-1 ")
    assert ' --instance-id "$(terraform output -raw instance_id)" ' in console
    assert ' --name "$(terraform output -raw parameters)/root-password" ' in password
    # With a load balancer, people see a certificate of ACM.
    assert commands(steps(synthesised("everything"))["dev-gitlab"]) == [password]


def test_a_push_mirror_gets_the_address_and_the_credential_of_its_repository(
    synthesised: Callable[[str], Stacks],
) -> None:
    *_, mirrors = steps(synthesised("everything"))["dev-gitlab"]
    assert ": the address https://git-codecommit.ap-northeast-1.amazonaws.com/v1/repos/NAME, direction Push," in mirrors
    assert " those in the secret kakehashi-prd-push-git-credential of account 222222222222." in mirrors
    assert mirrors.endswith(
        " These projects: platform/infrastructure into infrastructure; platform/application into application (only "
        "protected branches)."
    )
    *_, mirrors = steps(synthesised("gitlab-existing-vpc"))["dev-gitlab"]
    assert mirrors.endswith(" Leave Keep divergent refs off.")


def test_gitlab_alone_names_no_secret_and_one_that_nobody_pushes_from_has_no_mirrors(
    changed: Callable[..., Stacks],
) -> None:
    only_backlog = {"prd.codecommit": None, "prd.backlog.repositories.batch.target": {"create": "batch"}}
    for stacks in (changed("gitlab-existing-vpc", {"prd": None}), changed("example", only_backlog)):
        *_, mirrors = steps(stacks)["dev-gitlab"]
        assert (
            ": the address of the CodeCommit repository, direction Push, and as user name and password a user's"
        ) in mirrors
    found = steps(changed("gitlab-existing-vpc", {"prd.codecommit.push": None}))["dev-gitlab"]
    assert [it for it in found if "mirror" in it] == []


def test_the_bridge_stores_what_its_builds_read(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    settings = load(DEPLOYMENTS / "everything.yaml").prd
    assert settings is not None
    assert settings.backlog is not None
    found = steps(synthesised("everything"))["backlog-bridge"]
    *puts, urls = map(shlex.split, commands(found))
    stored = [(it[it.index("--name") + 1], it[-1]) for it in puts]
    assert stored == [
        *((space.ssh_key_parameter, f"file://{name}.key") for name, space in settings.backlog.spaces.items()),
        (settings.backlog.alerts.webhook_parameter, "file://chat-url"),
    ]
    put = shlex.split("aws ssm put-parameter --region ap-northeast-1 --type SecureString --name")
    assert all(it[:8] == put for it in puts)
    assert ["--key-id" in it for it in puts] == [
        *(space.ssh_key_kms_key_arn is not None for space in settings.backlog.spaces.values()),
        False,
    ]
    assert urls == ["terraform", "output", "webhook_urls"]
    *_, example, _ = texts(steps(synthesised("example"))["backlog-bridge"])
    assert " Or one for a whole project, " in example
    assert "chat" not in str(steps(synthesised("example"))["backlog-bridge"])
    # A build for each repository starts for its own hook only.
    assert " Or one for " not in str(
        steps(changed("example", {"prd.backlog.isolation": "repository"}))["backlog-bridge"]
    )


def test_a_key_that_several_spaces_have_is_stored_once(changed: Callable[..., Stacks]) -> None:
    same = {"prd.backlog.spaces.partner.ssh_key_parameter": "/kakehashi/backlog/example/ssh-key"}
    found = commands(steps(changed("everything", same))["backlog-bridge"])
    assert "--key-id" in found[0]
    assert [it.split()[-1] for it in found if "--value" in it] == ["file://example.key", "file://chat-url"]
