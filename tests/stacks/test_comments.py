"""Reasons and marks are comments: nothing that is checked or reviewed depends on them."""

from collections.abc import Callable, Mapping
from typing import Any

from iam import deployed
from ops.handover.inputs import with_inputs
from terraform import guards
from terraform.output import Stack
from terraform.references import configurations
from tests.terraform import Stacks, Terraform


def without(value: Any, *names: str) -> Any:
    """The Terraform without what comments have under these names."""
    if isinstance(value, list):
        return [without(item, *names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: it for name, it in item.items() if name not in names} if key == "//" else without(item, *names)
        for key, item in value.items()
    }


def test_access_and_guards_are_the_same_without_reasons_and_marks(synthesised: Callable[[str], Stacks]) -> None:
    written = {name: stack.json for name, stack in synthesised("everything").terraform.items()}
    bare = {name: without(document, "comment", "inputs") for name, document in written.items()}
    assert all(written[name] != bare[name] for name in written)
    models = [deployed.model_of(configurations(it, defaults=False).values()) for it in (written, bare)]
    assert models[0] == models[1]
    for name in written:
        one, other = (Stack(name=name, document=it[name]) for it in (written, bare))
        for read in (guards.guards, guards.ignored, guards.settings):
            assert read(one) == read(other)


def test_every_mark_is_of_a_value_that_can_be_a_variable(synthesised: Callable[[str], Stacks]) -> None:
    for deployment in ("minimal", "example", "everything", "existing-proxy", "gitlab-existing-vpc"):
        for name, stack in synthesised(deployment).terraform.items():
            new = Stack(name=name, document=with_inputs(stack.json, name=name)).variables
            assert all(it["description"].endswith(".") for it in new.values())
            before = stack.json.get("variable", {})
            assert {variable: new[variable] for variable in before} == before


def test_values_that_operations_may_change_are_marked(synthesised: Callable[[str], Stacks]) -> None:
    found = {}
    for name, stack in synthesised("everything").terraform.items():
        new = Stack(name=name, document=with_inputs(stack.json, name=name)).variables
        found[name] = sorted(new.keys() - stack.json.get("variable", {}).keys())
    assert found == {
        "dev-network": ["network_cidr"],
        "dev-proxy": ["alert_emails", "volume_gib"],
        "dev-gitlab": [
            "certificate_arn",
            "data_volume_iops",
            "data_volume_type",
            "image_times_utc",
            "replaced_backup_retention_days",
            "root_volume_gib",
            "route53_zone_id",
            "schedule_timezone",
        ],
        "prd-codecommit": ["alert_emails", "replaced_trail_retention_days"],
        "backlog-bridge": [
            "alert_emails",
            "build_compute_type",
            "build_image",
            "subnet_ids",
            "vpc_id",
            "webhook_burst",
            "webhook_requests_per_second",
        ],
    }


def test_networks_that_stand_in_another_stack_too_say_where(synthesised: Callable[[str], Stacks]) -> None:
    stacks = synthesised("everything").terraform
    rooms = "prd-codecommit's pull_from_cidrs and room_…_from_cidrs, and of its rooms in iam_rooms.tf"
    for stack, name, elsewhere in (
        ("dev-gitlab", "work_terminal_cidrs", rooms),
        ("prd-codecommit", "pull_from_cidrs", "dev-gitlab's work_terminal_cidrs"),
        ("prd-codecommit", "room_batch_operators_from_cidrs", "dev-gitlab's work_terminal_cidrs"),
    ):
        variable = stacks[stack].json["variable"][name]
        assert variable["description"].endswith(f" In HCL, change them in the check of {elsewhere}, too.")
        kept_apart, *public = [it for it in variable["validation"] if "//" in it]
        assert [it["//"]["comment"].startswith("The pattern finds networks that are not public") for it in public] == (
            [True] if stack == "prd-codecommit" else []
        )
        assert kept_apart["error_message"].startswith("An isolated room must not reach GitLab")
        assert kept_apart["//"]["comment"].startswith(f"These networks are those of {elsewhere}: change them here ")
    assert "In HCL" not in stacks["prd-codecommit"].json["variable"]["push_from_cidrs"]["description"]


def test_only_places_that_the_deployment_has_are_named(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    stacks = synthesised("existing-proxy").terraform
    terminals = stacks["dev-gitlab"].json["variable"]["work_terminal_cidrs"]["description"]
    assert terminals.endswith(" change them in the check of prd-codecommit's pull_from_cidrs, too.")

    def addresses(stacks: Mapping[str, Terraform]) -> str:
        vpc = stacks["dev-network"].resource("aws_vpc.network_vpc")
        return str(vpc["//"]["inputs"]["cidr_block"]["description"])

    assert addresses(stacks).endswith(" In HCL, change the subnets in local.zones, too.")
    assert addresses(synthesised("example").terraform).endswith(
        " in local.zones, too, and in dev-proxy the rule in security_groups.tf and squid.conf in user_data/proxy.yaml."
    )
    one_zone = {"dev.network.zones.c": None, "dev.proxy.squid.instances": 1}
    assert " In HCL, change the subnets' addresses, too, and in dev-proxy " in addresses(
        changed("example", one_zone).terraform
    )


def test_says_what_to_change_in_other_stacks(synthesised: Callable[[str], Stacks]) -> None:
    def changes(deployment: str) -> dict[str, list[str]]:
        stacks = synthesised(deployment).terraform.items()
        return {name: it.json["//"]["other_stacks"] for name, it in stacks if "other_stacks" in it.json["//"]}

    into_own = "When you add a mirror into a repository of prd-codecommit, give the repository the tag "
    into_own += "kakehashi:mirrored-by there, and see that iam_push_user.tf leaves it out."
    pulled = "When you add or remove a repository, do the same in prd-codecommit with what users may pull, unless a "
    filled = "When you remove a repository that a mirror fills, remove the mirror in backlog-bridge first."
    assert changes("example") == {
        "dev-network": ["When you add or remove a zone, apply dev-proxy and prd-codecommit, too."],
        "prd-codecommit": [filled],
        "backlog-bridge": [f"{pulled}wildcard there includes it: in iam_pull_user.tf.", into_own],
    }
    assert changes("everything") == {
        "dev-network": [
            "When you add or remove a zone, apply dev-proxy, too.",
            "When you add a NAT gateway, add its address to push_from_cidrs of prd-codecommit, too.",
        ],
        "prd-codecommit": [
            filled,
            "When you add, change or remove a room, do the same with its networks in dev-gitlab: in variables.tf, "
            "in the check of work_terminal_cidrs.",
        ],
        "backlog-bridge": [
            f"{pulled}wildcard there includes it: in iam_pull_user.tf and in local.rooms.",
            into_own,
            "When you add a mirror, add its role in prd-codecommit to those in eventbridge.tf, or its pushes alert.",
        ],
    }
    assert changes("minimal") == changes("backlog-only") == {}


def test_a_single_room_says_where_it_is(changed: Callable[..., Stacks]) -> None:
    stacks = changed("example", {"prd.codecommit.rooms": {"night": {"from_cidrs": ["203.0.113.64/29"]}}}).terraform
    assert (
        stacks["backlog-bridge"]
        .json["//"]["other_stacks"][0]
        .endswith(" includes it: in iam_pull_user.tf and in local.rooms (without it, in iam_rooms.tf).")
    )


def test_whoever_adds_what_has_a_role_of_its_own_is_told_that_detection_names_it(
    changed: Callable[..., Stacks],
) -> None:
    detection = {"prd.codecommit.detection": {"emails": ["security@example.com"]}}
    for isolation, unit in (("space", "space"), ("repository", "mirror")):
        stacks = changed("example", {**detection, "prd.backlog.isolation": isolation}).terraform
        *_, last = stacks["backlog-bridge"].json["//"]["other_stacks"]
        assert last == (
            f"When you add a {unit}, add its role in prd-codecommit to those in eventbridge.tf, or its pushes alert."
        )


def test_a_repository_says_what_keeps_it_and_which_names_policies_include(
    synthesised: Callable[[str], Stacks], changed: Callable[..., Stacks]
) -> None:
    def reasons(stacks: Stacks) -> set[str]:
        repositories = stacks["prd-codecommit"].json["resource"]["aws_codecommit_repository"].values()
        return {it["//"].get("comment", "") for it in repositories}

    keeps = "Terraform refuses to delete the repository while prevent_destroy is true."
    wildcard = (
        "Policies may name all repositories as a whole whose names begin with infrastructure: "
        "who may use these may use a new one, too."
    )
    assert reasons(synthesised("example")) == {keeps}
    assert reasons(synthesised("everything")) == {f"{keeps} {wildcard}"}
    unprotected = {"prd.backlog": None, "prd.codecommit.deletion_protected": False}
    assert reasons(changed("everything", unprotected)) == {wildcard}
    assert reasons(changed("example", unprotected)) == {""}
