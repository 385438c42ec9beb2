"""The first lines of a review, in English and Japanese."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from errors import RefusedError
from ops.review import language
from ops.review.acknowledgements import Acknowledgement
from ops.review.headline import headline
from ops.review.outcome import Review
from ops.review.report import markdown
from ops.review.rules import RULES
from tests.ops.review.plans import PLANS, real_review, reviewed
from tests.ops.review.rule_cases import REPOSITORY, allow, policy
from tests.terraform.plans import change, plan

CATALOGUE = tomllib.loads((Path(language.__file__).with_name("japanese.toml")).read_text(encoding="utf-8"))
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")

# Planning failed in it, so it cannot be reviewed.
SCENARIOS = sorted(folder.name for folder in PLANS.iterdir() if folder.name != "lists-overlap")


def first_lines(found: Review, name: str = "en") -> list[str]:
    """The heading, and the line of counts where there is one."""
    return [line for line in headline(found, language.language(name)) if line]


@pytest.mark.parametrize(
    ("scenario", "sentence", "counts"),
    [
        (
            "pull-list-one-network-more",
            "`kakehashi-prd-pull` may now also pull `application`, `infrastructure` from `203.0.113.64/28`, "
            "and 1 other finding.",
            "Dangerous: 2 findings in 1 stack: `access-widened`, `policy-widened`",
        ),
        (
            "push-list-changed",
            "`kakehashi-prd-push` may now also pull and push to `application`, `infrastructure` from "
            "`203.0.113.10/32`, and 1 other finding.",
            "Dangerous: 3 findings in 1 stack: `access-widened` (2), `policy-widened`",
        ),
        (
            "repository-imported",
            "`kakehashi-prd-pull` may now also pull `legacy` from `198.51.100.0/28`; `kakehashi-prd-push` may now also "
            "pull and push to `legacy` from `54.214.0.1/32`, and 2 other findings.",
            "Dangerous: 5 findings in 1 stack: `access-widened` (3), `policy-widened` (2)",
        ),
        (
            "webhook-senders-changed",
            "`backlog-bridge/aws_api_gateway_rest_api_policy.webhook_senders`: `DenyOtherSenders` (Deny): "
            "`203.0.113.32/28` added to `aws:SourceIp`.",
            "Dangerous: 1 finding in 1 stack: `policy-widened`",
        ),
        (
            "gitlab-unprotected",
            "`dev-gitlab/aws_instance.gitlab_instance`: it may be terminated (`disable_api_termination` is `false`).",
            "Dangerous: 1 finding in 1 stack: `protection-lifted`",
        ),
        (
            "nat-address-replaced",
            "`dev-network/aws_eip.network_nat_a_address`: its public address is released, and still named in "
            "`prd-codecommit`, and 1 other finding.",
            "Dangerous: 2 findings in 2 stacks: `address-lost`, `stale-input`",
        ),
        (
            "alerts-removed",
            "`backlog-bridge/aws_sns_topic_subscription.alerts_subscriptions_platform-team_ex…` is destroyed: "
            "one receiver is no longer notified.",
            "Dangerous: 1 finding in 1 stack: `watch-stopped`",
        ),
    ],
)
def test_the_heading_says_what_happens_and_the_counts_come_below(scenario: str, sentence: str, counts: str) -> None:
    assert first_lines(real_review(scenario)) == [f"## 🛑 {sentence}", counts]


def test_who_may_push_from_more_places_is_said_in_japanese() -> None:
    heading, counts = first_lines(real_review("pull-list-one-network-more"), "ja")
    assert heading == (
        "## 🛑 `kakehashi-prd-pull` は、新たに `203.0.113.64/28` からも `application`, `infrastructure` を"
        " pull できるようになります（ほかに 1 件）"
    )
    assert counts == "危険な指摘：1 スタックで 2 件：`access-widened`, `policy-widened`"


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_japanese_heading_names_as_much_as_the_english_one(scenario: str) -> None:
    english, japanese = (first_lines(real_review(scenario), name)[0] for name in language.LANGUAGES)
    named = [re.findall("`[^`]+`", heading) for heading in (english, japanese.replace("/プラン`", "/the plan`"))]
    assert sorted(named[0]) == sorted(named[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", language.LANGUAGES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_first_lines_of_every_plan_fit_into_200_characters(scenario: str, name: str) -> None:
    heading, *_ = first_lines(real_review(scenario), name)
    assert len(heading) <= 200
    assert bool(JAPANESE.search(heading)) == (name == "ja")


def new_users_that_pull(*names: str) -> Review:
    """A review of new users who may pull a repository from anywhere."""
    repository = {"repository_name": "application", "arn": REPOSITORY}
    allows = policy(allow(Action="codecommit:GitPull", Resource=REPOSITORY))
    found = [change("aws_codecommit_repository.it", "no-op", repository, repository)]
    for name in names:
        user = {"name": name, "arn": f"arn:aws:iam::222222222222:user/{name}"}
        attached = {"user": name, "name": "it", "policy": allows}
        found.append(change(f"aws_iam_user.{name}", "create", None, user))
        found.append(change(f"aws_iam_user_policy.{name}", "create", None, attached))
    return reviewed(plan(*found))


def test_identities_that_may_do_the_same_are_in_one_clause() -> None:
    heading = first_lines(new_users_that_pull("a", "b"))[0]
    assert heading.startswith("## 🛑 `a`, `b` are new and may pull `application` from ")


def test_identities_that_do_not_fit_are_counted() -> None:
    names = [letter * 30 for letter in "abcdefgh"]
    heading = first_lines(new_users_that_pull(*names))[0]
    assert heading.startswith(f"## 🛑 `{'a' * 30}` and 7 more are new and may pull ")
    assert heading.endswith(", and 16 other findings.")
    assert len(heading) <= 200


def test_a_sentence_about_a_long_finding_says_what_the_rule_says() -> None:
    found = reviewed(plan(change("aws_security_group." + "x" * 300, "delete", {"name": "n" * 300})))
    assert all(len(line) <= 200 for line in first_lines(found))


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_what_is_acknowledged_not_read_or_an_output_is_in_the_heading(name: str) -> None:
    address = change("aws_eip.a", "delete", {})
    [lost] = reviewed(plan(address)).dangerous
    accepted = Acknowledgement(allowed=lost.allowed_as, because="the old office is closed", where="test")
    unread = change("aws_s3_bucket.a", "update", {"request_payer": "a"}, {"request_payer": "b"})
    headings = [
        first_lines(reviewed(plan(address), acknowledged=(accepted,)), name)[0],
        first_lines(reviewed(plan(unread)), name)[0],
        first_lines(reviewed(plan()), name)[0],
    ]
    assert [heading[:4] for heading in headings] == ["## 🟡", "## 🟠", "## ✅"]
    assert all(bool(JAPANESE.search(heading)) == (name == "ja") for heading in headings)


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("en", "## 🛑 Nothing dangerous except what is acknowledged (1), but 1 acknowledgement to remove"),
        ("ja", "## 🛑 承認済みの 1 件のほかに危険な指摘はありませんが、削除すべき承認 1 件があります"),
    ],
)
def test_what_is_acknowledged_is_in_the_heading_beside_what_is_to_be_removed(name: str, heading: str) -> None:
    lost = plan(change("aws_eip.a", "delete", {}))
    allowed = (reviewed(lost).dangerous[0].allowed_as, f"address-lost@{'0' * 16}")
    accepted = tuple(Acknowledgement(allowed=one, because="the office is closed", where="test") for one in allowed)
    assert first_lines(reviewed(lost, acknowledged=accepted), name) == [heading]


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("en", "## 🟠 1 change to read, and nothing dangerous except what is acknowledged (1): "),
        ("ja", "## 🟠 読んで確かめるべき 1 件の変更があります（承認済みの 1 件のほかに、危険な指摘はありません）："),
    ],
)
def test_what_is_acknowledged_is_in_the_heading_beside_what_no_rule_has_read(name: str, heading: str) -> None:
    address = change("aws_eip.a", "delete", {})
    unread = change("aws_s3_bucket.a", "update", {"request_payer": "a"}, {"request_payer": "b"})
    [lost] = reviewed(plan(address)).dangerous
    accepted = Acknowledgement(allowed=lost.allowed_as, because="the old office is closed", where="test")
    found = reviewed(plan(address, unread), acknowledged=(accepted,))
    assert first_lines(found, name)[0].startswith(heading)


def test_the_catalogue_has_every_rule_and_nothing_else() -> None:
    assert set(CATALOGUE["rules"]) == {rule.id for rule in RULES}
    for texts in CATALOGUE["rules"].values():
        assert set(texts) == {"what", "why"}
        assert all(JAPANESE.search(text) for text in texts.values())


@pytest.mark.parametrize(("english", "japanese"), CATALOGUE["texts"].items())
def test_a_translated_text_has_the_same_values(english: str, japanese: str) -> None:
    names = [{name for _, name, _, _ in string.Formatter().parse(text)} for text in (english, japanese)]
    assert names[0] - {None} == names[1] - {None}


def test_a_text_without_a_translation_is_an_error() -> None:
    with pytest.raises(KeyError):
        language.language("ja").say("Nobody has translated this.")


def test_refuses_a_language_that_the_comment_does_not_have() -> None:
    with pytest.raises(RefusedError) as caught:
        language.language("fr")
    assert str(caught.value) == "error: --language: 'fr' is not a language of the comment\nhint: choose one of en, ja"


@pytest.mark.parametrize("scenario", ["everything-destroyed", "first-deployment", "tags-changed", "nothing-changes"])
def test_the_whole_comment_is_in_japanese_but_for_what_a_rule_finds(scenario: str) -> None:
    text = markdown(real_review(scenario), 1_000_000, language.language("ja"))
    headings = [line for line in text.splitlines() if line.startswith(("## ", "### ", "**", "<details>", "| ユ"))]
    assert len(headings) > 1
    assert [line for line in headings if not JAPANESE.search(line)] == []


def test_what_is_to_be_removed_and_accepted_is_said_in_japanese() -> None:
    lost = reviewed(plan(change("aws_eip.a", "delete", {})))
    unused = Acknowledgement(allowed=f"address-lost@{'0' * 16}", because="the old office is closed", where="test")
    accepted = Acknowledgement(allowed=lost.dangerous[0].allowed_as, because="the old office is closed", where="test")
    found = reviewed(plan(change("aws_eip.a", "delete", {})), acknowledged=(unused, accepted))
    text = markdown(found, 65_536, language.language("ja"))
    assert f"- `address-lost@{'0' * 16}` に一致する指摘はありません" in text
    assert "理由：`the old office is closed`" in text
    assert "承認するには、理由を添えて：\n    ```yaml\n    - allow: address-lost:stack/aws_eip.a@" in markdown(
        lost, 65_536, language.language("ja")
    )
