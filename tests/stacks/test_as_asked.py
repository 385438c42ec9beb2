"""Finished Terraform that is not as the deployment file asks for is refused."""

import functools
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from errors import Problem
from settings import Deployment, load
from stacks import as_asked
from terraform.references import configurations
from tests.iam.changes import every, fact
from tests.terraform import Stacks

Json = dict[str, Any]
Change = Callable[[dict[str, Json]], object]

PRD, BRIDGE, GITLAB, NETWORK = "prd-codecommit", "backlog-bridge", "dev-gitlab", "dev-network"
RULE, TARGET = "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"
FORGOTTEN = {"from": "aws_codecommit_repository.repositories_batch", "lifecycle": {"destroy": False}}
SILENT = "none notifies anybody of Reconciled of kakehashi-prd-backlog-batch"
SUBSCRIPTION, ALARM = "aws_sns_topic_subscription", "aws_cloudwatch_metric_alarm"


def found(project: Path, stacks: Stacks, name: str, change: Change) -> list[Problem]:
    """What is not as a deployment file asks for, once its Terraform is changed."""
    return list(_problems(project, stacks, name, change))


def places(project: Path, stacks: Stacks, change: Change, *, until: str) -> list[str]:
    """Where the changed Terraform of everything.yaml is not as asked, up to one place: looking for all takes longer."""
    seen = []
    for problem in _problems(project, stacks, "everything", change):
        seen.append(problem.where)
        if problem.where == until:
            break
    return seen


def _problems(project: Path, stacks: Stacks, name: str, change: Change) -> Iterator[Problem]:
    documents = pickle.loads(pickle.dumps({stack: dict(one.json) for stack, one in stacks.terraform.items()}))  # noqa: S301
    change(documents)
    read = configurations(documents, defaults=False)
    return as_asked.problems(_deployment(project / "deployments" / f"{name}.yaml"), read)


@functools.cache
def _deployment(file: Path) -> Deployment:
    return load(file)


def _found(project: Path, stacks: Stacks, name: str, change: Change) -> list[str]:
    return [f"{problem.where}: {problem.what}" for problem in found(project, stacks, name, change)]


@pytest.mark.parametrize(
    "name", ["minimal", "example", "everything", "backlog-only", "existing-proxy", "gitlab-existing-vpc"]
)
def test_every_deployment_is_as_asked(synthesised: Callable[[str], Stacks], project: Path, name: str) -> None:
    assert _found(project, synthesised(name), name, lambda _: None) == []


def without(stack: str, kind: str, name: str | None = None) -> Change:
    """Removes all resources of a type, or the one of a name."""
    return lambda stacks: (
        stacks[stack]["resource"].pop(kind) if name is None else stacks[stack]["resource"][kind].pop(name)
    )


def rule(name: str, stack: str = PRD, **arguments: object) -> Change:
    return lambda stacks: stacks[stack]["resource"][RULE][name].update(arguments)


def in_pattern(name: str, old: str, new: str) -> Change:
    def change(stacks: dict[str, Json]) -> None:
        one = stacks[PRD]["resource"][RULE][name]
        assert old in one["event_pattern"]
        one["event_pattern"] = one["event_pattern"].replace(old, new)

    return change


def default(stack: str, variable: str, value: list[str]) -> Change:
    return lambda stacks: stacks[stack]["variable"][variable].update(default=value)


def reason(stack: str, variable: str) -> Change:
    def change(stacks: dict[str, Json]) -> None:
        facts = stacks[stack]["//"]["metadata"]["kakehashi"]["facts"]
        next(fact for fact in facts if fact.get("variable") == variable)["open_because"] = "another"

    return change


def backend(stack: str, **arguments: object) -> Change:
    return lambda stacks: stacks[stack]["terraform"]["backend"]["s3"].update(arguments)


def remote(stack: str, **arguments: object) -> Change:
    return lambda stacks: next(iter(stacks[stack]["data"]["terraform_remote_state"].values()))["config"].update(
        arguments
    )


def in_build(stacks: dict[str, Json], change: Callable[[str], str]) -> None:
    source = stacks[BRIDGE]["resource"]["aws_codebuild_project"]["mirrors_batch_project"]["source"]
    before = source["buildspec"]
    source["buildspec"] = change(before)
    assert source["buildspec"] != before


def of_unit(called: str, **changes: object) -> Change:
    return lambda stacks: fact(stacks, BRIDGE, fact="mirror unit", unit=called).update(changes)


def tagged(stack: str, repository: str, tags: Json | None) -> Change:
    return lambda stacks: stacks[stack]["resource"]["aws_codecommit_repository"][f"repositories_{repository}"].update(
        tags=tags
    )


SELECTS = "so nobody is notified of one"
NETWORKS = "are not the networks of the deployment file"
REASON = "is not the deployment file's reason"
NO_EVENT = "selects no event of one service"

CHANGES: dict[str, tuple[Change, str]] = {
    "no trail": (without(PRD, "aws_cloudtrail"), "no trail is made"),
    "no rule": (without(PRD, RULE), "selects every GitPush"),
    "no rule for pulls": (without(PRD, RULE, "detection_pulls"), "selects every GitPull"),
    "no rule where IAM reports": (without(PRD, RULE, "detection_forwarded_credentials"), "no rule in us-east-1"),
    "no rule where people are notified": (without(PRD, RULE, "detection_credentials"), "no rule in ap-northeast-1"),
    "no state": (rule("detection_pushes", state=None), "selects every GitPush"),
    "a disabled rule": (rule("detection_pushes", state="DISABLED"), "selects every GitPush"),
    "no read-only events": (rule("detection_pulls", state="ENABLED"), "selects every GitPull"),
    "no pattern": (rule("detection_pushes", event_pattern=None), NO_EVENT),
    "an empty pattern": (rule("detection_pushes", event_pattern="{}"), NO_EVENT),
    "a pattern that is no JSON": (rule("detection_pushes", event_pattern="{"), NO_EVENT),
    "another event": (in_pattern("detection_pushes", "GitPush", "GitFetch"), "selects every GitPush"),
    "another source": (in_pattern("detection_pushes", "aws.codecommit", "aws.s3"), "selects every GitPush"),
    "one event is missing": (
        in_pattern("detection_credentials", '"PutUserPolicy",', ""),
        "selects every PutUserPolicy",
    ),
    "one more condition": (in_pattern("detection_pulls", '"eventName"', '"x":["y"],"eventName"'), "every GitPull"),
    "one more condition around": (in_pattern("detection_pulls", '"source"', '"id":["y"],"source"'), "every GitPull"),
    "no target": (without(PRD, TARGET, "detection_pulls_to_topic"), "no target gets the events"),
    "no subscription": (without(PRD, SUBSCRIPTION), "nobody instead of security@example.com is notified"),
    "another subscriber": (
        lambda stacks: next(iter(stacks[PRD]["resource"][SUBSCRIPTION].values())).update(endpoint="evil@example.org"),
        "evil@example.org instead of security@example.com is notified",
    ),
    "one subscriber of two": (
        without(BRIDGE, SUBSCRIPTION, "alerts_subscriptions_on-call_example_com"),
        "platform-team@example.com instead of",
    ),
    "no alarm": (without(BRIDGE, ALARM), "none notifies anybody of Reconciled"),
    "no alarm of one mirror's silence": (without(BRIDGE, ALARM, "alerts_silence_batch"), SILENT),
    "no alarm of one mirror that differs": (
        without(BRIDGE, ALARM, "alerts_inequality_batch"),
        "none notifies anybody of OldestInequality of kakehashi-prd-backlog-batch",
    ),
    "an alarm without action": (
        lambda stacks: stacks[BRIDGE]["resource"][ALARM]["alerts_silence_batch"].update(alarm_actions=[]),
        SILENT,
    ),
    "an alarm that takes silence for health": (
        lambda stacks: stacks[BRIDGE]["resource"][ALARM]["alerts_silence_batch"].update(treat_missing_data="ignore"),
        SILENT,
    ),
    "a repository that leaves the state": (
        lambda stacks: stacks[PRD].update(removed=[FORGOTTEN]),
        f"{PRD}: removed: ",
    ),
    "a log group that leaves the account": (
        lambda stacks: stacks[BRIDGE]["removed"][0].update(lifecycle={"destroy": True}),
        f"{BRIDGE}: removed: ",
    ),
    "a repository that another state takes": (
        lambda stacks: stacks[BRIDGE].update(moved=[{"from": "aws_s3_bucket.a", "to": "aws_s3_bucket.b"}]),
        f"{BRIDGE}: moved: ",
    ),
    "no rule for failed builds": (without(BRIDGE, RULE), "no rule selects failed builds"),
    "no rule for mirrors that differ": (
        without(BRIDGE, RULE, "alerts_differences"),
        "no rule selects mirrors that differ",
    ),
    "a disabled rule for failed builds": (rule("alerts_failures", BRIDGE, state="DISABLED"), SELECTS),
    "one more command in a build": (
        lambda stacks: in_build(stacks, lambda text: text + "\n      - curl https://example.com"),
        "aws_codebuild_project.mirrors_batch_project.source.buildspec: this is no buildspec of mirrors",
    ),
    "a build with an expression": (
        lambda stacks: in_build(stacks, lambda text: text.replace("$folder", "${HOME}")),
        "this is no buildspec of mirrors",
    ),
    "another repository in a unit": (
        of_unit("kakehashi-prd-backlog-batch", targets=["batch", "website"]),
        "kakehashi: kakehashi-prd-backlog-batch: its targets is ['batch', 'website'] instead of ['batch']",
    ),
    **{
        f"another {what} of a unit": (
            of_unit("kakehashi-prd-backlog-batch", **{what: value}),
            f"kakehashi: kakehashi-prd-backlog-batch: its {what} is {value!r} instead of ",
        )
        for what, value in (
            ("ssh_key_parameter", "/kakehashi/backlog/partner/ssh-key"),
            ("ssh_key_kms_key", "arn:aws:kms:ap-northeast-1:222222222222:key/other"),
            ("state_parameter", "/kakehashi/backlog/example/ssh-key"),
            ("notify_parameter", "/kakehashi/backlog/other"),
            ("program", ["kakehashi-prd-backlog-program-222222222222/units/website.json"]),
            ("cache", "kakehashi-prd-backlog-cache-222222222222/batch"),
            ("target_kms_keys", ["arn:aws:kms:ap-northeast-1:222222222222:key/other"]),
            ("subnets", ["subnet-99999999"]),
        )
    },
    "a unit that nobody asked for": (
        of_unit("kakehashi-prd-backlog-batch", unit="other"),
        "kakehashi: other: the deployment file has no such unit",
    ),
    "a unit of which no fact tells": (
        of_unit("kakehashi-prd-backlog-batch", unit="other"),
        "no fact says what kakehashi-prd-backlog-batch mirrors into and uses",
    ),
    "another unit's build": (
        every(
            of_unit("kakehashi-prd-backlog-batch", build="mirrors_website_project"),
            of_unit("kakehashi-prd-backlog-website", build="mirrors_batch_project"),
        ),
        "its build is kakehashi-prd-backlog-website, which is another unit's",
    ),
    "another unit's tag": (
        tagged(BRIDGE, "website", {"kakehashi:mirrored-by": "kakehashi-prd-backlog-batch"}),
        "repositories_website.tags: {'kakehashi:mirrored-by': 'kakehashi-prd-backlog-batch'} is not what",
    ),
    "a target without its tag": (tagged(PRD, "batch", None), "repositories_batch.tags: an empty value is not what"),
    "a unit's tag on what it does not fill": (
        tagged(PRD, "application", {"kakehashi:mirrored-by": "kakehashi-prd-backlog-batch"}),
        "repositories_application.tags: ",
    ),
    "another list": (default(PRD, "pull_from_cidrs", ["203.0.113.200/32"]), NETWORKS),
    "an empty list": (default(BRIDGE, "webhook_sender_cidrs", []), NETWORKS),
    "one more network": (
        lambda stacks: stacks[GITLAB]["variable"]["work_terminal_cidrs"]["default"].append("203.0.113.200/32"),
        NETWORKS,
    ),
    "another reason": (reason(GITLAB, "work_terminal_cidrs"), REASON),
    "another bucket": (backend(PRD, bucket="evil"), "is not where the deployment file keeps the state"),
    "another key": (backend(PRD, key="x"), "is not where the deployment file keeps the state"),
    "another region": (backend(PRD, region="us-west-2"), "is not where the deployment file keeps the state"),
    "another key of KMS": (backend(PRD, kms_key_id="x"), "is not where the deployment file keeps the state"),
    "another role": (
        backend(PRD, assume_role={"role_arn": "x"}),
        "is not where the deployment file keeps the state",
    ),
    "a state on the machine": (
        lambda stacks: stacks[PRD]["terraform"].update(backend={"local": {"path": "x"}}),
        "is not where the deployment file keeps the state",
    ),
    "another deployment's state": (remote(GITLAB, key="x"), "is not the state of a stack of this deployment"),
    "a state that another role reads": (remote(GITLAB, profile="x"), "is not the state of a stack of this deployment"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_as_asked_is_refused(synthesised: Callable[[str], Stacks], project: Path, name: str) -> None:
    change, expected = CHANGES[name]
    found = _found(project, synthesised("everything"), "everything", change)
    assert any(expected in problem for problem in found), found


def test_a_list_that_the_deployment_file_is_not_compared_with_is_refused(
    synthesised: Callable[[str], Stacks], project: Path
) -> None:
    def with_another_list(stacks: dict[str, Json]) -> None:
        stacks[GITLAB]["variable"]["other_cidrs"] = {"type": "list(string)", "default": ["192.0.2.0/24"]}
        listed = {"fact": "address list", "variable": "other_cidrs", "use": "work terminals"}
        stacks[GITLAB]["//"]["metadata"]["kakehashi"]["facts"].append(listed)

    assert _found(project, synthesised("example"), "example", with_another_list) == [
        f"{GITLAB}: var.other_cidrs: it is not known which networks the deployment file gives for it"
    ]
