"""Resources get names without a hash and without the words of their type."""

import pytest

from ops.handover import convert, shipped
from ops.handover.by_key import text_by_key
from ops.handover.names import in_snake_case, without_type
from terraform.templates import Interpolation, Literal, Part
from tests.ops.handover.cases.similar import stack
from tests.ops.handover.cases.variables import HASHES


@pytest.mark.parametrize(
    ("type_", "name", "short"),
    [
        ("aws_vpc", "network_vpc", "network"),
        ("aws_iam_role_policy", "mirrors_role_policy", "mirrors"),
        ("aws_cloudwatch_log_group", "flow_logs_log_group", "flow_logs"),
        ("aws_vpc_security_group_ingress_rule", "gitlab_security_group_from_vpc", "gitlab_from_vpc"),
        ("aws_codecommit_repository", "repositories", "repositories"),
        ("aws_vpc", "vpc", ""),
        ("aws_sns_topic", "news-topic", "news"),
        ("aws_sns_topic_subscription", "alerts_subscriptions", "alerts"),
        ("aws_sns_topic", "topics", "topics"),
        ("aws_cloudwatch_log_group", "mirrors_logs", "mirrors_logs"),
        ("aws_vpc_endpoint", "endpoints_s3", "s3"),
        ("aws_vpc_endpoint", "endpoints", "endpoints"),
        ("aws_lb", "proxy_load_balancer", "proxy"),
        ("aws_lb", "load_balancer", ""),
        ("aws_lb_target_group", "load_balancer_https_targets", "https_targets"),
        ("aws_security_group", "load_balancer", "load_balancer"),
        ("aws_cloudwatch_event_target", "alerts_failures_to_topic", "alerts_failures"),
        ("aws_vpc_security_group_egress_rule", "build_to_ssh", "build_to_ssh"),
    ],
)
def test_removes_the_words_of_the_type(type_: str, name: str, short: str) -> None:
    assert without_type(name, type_) == short


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("shop-webServer", "shop_web_server"),
        ("ShopWebServer", "shop_web_server"),
        ("myVPCEndpoint2", "my_vpc_endpoint2"),
        ("S3Bucket", "s3_bucket"),
        ("zone_1A2B3C4D_topic", "zone_1A2B3C4D_topic"),
        ("DNS", "dns"),
        ("Über-Größe", "über_größe"),
    ],
)
def test_names_have_small_letters_and_underscores(name: str, snake: str) -> None:
    assert in_snake_case(name) == snake


def test_a_construct_in_camel_case_is_moved_to_a_name_that_people_write() -> None:
    assert named("ordersTopic", "mailTopic/DeadLetters") == {
        "aws_sns_topic.ordersTopic": "aws_sns_topic.orders",
        "aws_sns_topic.mailTopic_DeadLetters": "aws_sns_topic.mail_topic_dead_letters",
    }
    assert named("orders", "Orders") == {}
    assert named("myNews/de/topic", "myNews/fr/topic") == {
        "aws_sns_topic.myNews_de_topic": 'aws_sns_topic.my_news["de"]',
        "aws_sns_topic.myNews_fr_topic": 'aws_sns_topic.my_news["fr"]',
    }


def named(*paths: str) -> dict[str, str]:
    document = stack("resource", [("aws_sns_topic", path, {"name": path.replace("/", "-")}) for path in paths])
    return dict(convert(document, name="web", schemas=shipped()).moved)


def test_the_state_of_another_stack_has_the_name_of_that_stack() -> None:
    reference = "${data.terraform_remote_state.cross-stack-reference-input-shop-network.outputs.vpc_id}"
    state = {"backend": "local", "config": {"path": "network.tfstate"}}
    document = stack("data", [("terraform_remote_state", "cross-stack-reference-input-shop-network", state)])
    document["output"] = {"vpc_id": {"value": reference}}
    converted = convert(document, name="web", schemas=shipped())
    assert 'data "terraform_remote_state" "shop_network" {' in converted.files["remote_state.tf"]
    assert "= data.terraform_remote_state.shop_network.outputs.vpc_id" in converted.files["outputs.tf"]
    assert converted.moved == {}


def test_local_values_lose_their_hash_where_no_other_has_the_name() -> None:
    files = convert(HASHES["in_local_values"], name="web", schemas=shipped()).files
    assert '  zone = "a"\n' in files["locals.tf"]
    assert "upper(local.zone)" in files["terraform_data.tf"]
    assert "for local in [{ zone_1A2B3C4D = 1 }] : local.zone_1A2B3C4D" in " ".join(files["terraform_data.tf"].split())
    for name in ("room_00000001", "room_00000002", "free_1A2B3C4D", "lower_1a2b3c4d"):
        assert name in files["locals.tf"]


def test_one_without_other_words_is_called_main() -> None:
    assert named("topic") == {"aws_sns_topic.topic": "aws_sns_topic.main"}


def test_those_that_would_get_one_name_keep_longer_ones() -> None:
    assert named("news/topic", "news") == {}
    assert named("old-news/topic", "old_news") == {"aws_sns_topic.old-news_topic": "aws_sns_topic.old_news_topic"}


def test_none_gets_a_name_that_another_has_in_the_json() -> None:
    """Terraform would follow the moves of both from one to the other."""
    assert named("web/topic", "web", "web/topic/topic") == {}
    document = stack("resource", [("aws_sns_topic", "zone/topic", {"name": "a"})])
    document["resource"]["aws_sns_topic"]["zone"] = {"name": "b"}  # a name that its author chose
    assert convert(document, name="web", schemas=shipped()).moved == {}
    assert named("zone_1A2B3C4D", "zone_1A2B3C4D/topic") == {"aws_sns_topic.zone_1A2B3C4D": "aws_sns_topic.zone"}


@pytest.mark.parametrize(
    ("keys", "texts", "parts"),
    [
        (["a", "c"], ["zone-a in 1a", "zone-c in 1c"], ["zone-", 1, " in 1", 1]),
        (["batch", "web"], ["a batch of batch", "a batch of web"], ["a batch of ", 1]),
        (["partner-api", "partner-web"], ["partner-api!", "partner-web!"], [1, "!"]),
        (["x", "y"], ["$x", "$y"], None),
        (["a", "b"], ["same a", "other b"], None),
        (["a", "ab"], ["a", "ab"], [1]),
        (["a", "b"], ["a", "bb"], None),
    ],
)
def test_finds_the_key_in_texts(keys: list[str], texts: list[str], parts: list[str | int] | None) -> None:
    expected: list[Part] | None = None
    if parts is not None:
        expected = [Literal(it) if isinstance(it, str) else Interpolation("each.key") for it in parts]
    assert text_by_key(texts, {"each.key": keys}) == expected
