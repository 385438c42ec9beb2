from typing import Any

import pytest

from terraform.references import Configuration, PartlyKnown, Unknown, configurations

DOCUMENT: dict[str, Any] = {
    "provider": {
        "aws": [
            {"region": "eu-west-1", "allowed_account_ids": ["111111111111"]},
            {"alias": "us_east_1", "region": "us-east-1", "allowed_account_ids": ["111111111111"]},
        ]
    },
    "variable": {
        "days": {"type": "number", "default": 30},
        "networks": {"type": "list(string)", "default": ["192.0.2.1/32", "192.0.2.2/32"]},
        "open": {"type": "string"},
    },
    "locals": {
        "by_name": {"b": ["x"], "a": ["n", ["m"]]},
        "empty": {"a": []},
        "file": 'a="${var.days}" <${aws_instance.x.id}>',
        "plain": "<&>",
    },
    "resource": {
        "aws_codecommit_repository": {"a": {"repository_name": "git-${var.days}"}},
        "aws_iam_role": {"r": {"name": "r", "path": "/git/"}, "plain": {"name": "plain"}},
        "aws_instance": {"x": {"instance_type": "c7i.large"}, "many": {"count": 2, "ami": "ami-1"}},
        "aws_sns_topic": {"t": {"name": "t", "provider": "aws.us_east_1"}},
    },
}
STACK = Configuration("stack", DOCUMENT)
INSTANCE_ID = Unknown("stack", "aws_instance.x.id", is_assigned=True)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        (7, 7),
        ("$${HOME}", "${HOME}"),
        ("${var.days}", 30),
        ("${var.networks}", ["192.0.2.1/32", "192.0.2.2/32"]),
        ("every ${var.days} days", "every 30 days"),
        ("${aws_instance.x.instance_type}", "c7i.large"),
        ("${aws_codecommit_repository.a.arn}", "arn:aws:codecommit:eu-west-1:111111111111:git-30"),
        ("${aws_iam_role.r.arn}", "arn:aws:iam::111111111111:role/git/r"),
        ("${aws_iam_role.plain.arn}", "arn:aws:iam::111111111111:role/plain"),
        ("${aws_sns_topic.t.arn}", "arn:aws:sns:us-east-1:111111111111:t"),
        ('${toset(["b", "a", "b"])}', ["b", "a"]),
        ("${toset(var.networks)}", ["192.0.2.1/32", "192.0.2.2/32"]),
        ("${jsonencode(local.plain)}", '"\\u003c\\u0026\\u003e"'),
        ("${jsonencode(var.networks)}", '["192.0.2.1/32","192.0.2.2/32"]'),
        ("${flatten(values(local.by_name))}", ["n", "m", "x"]),
        ('${concat(["a,b"], var.networks)}', ["a,b", "192.0.2.1/32", "192.0.2.2/32"]),
        ('${coalescelist(flatten(values(local.empty)), ["none"])}', ["none"]),
        ("${jsonencode(coalescelist(var.networks, []))}", '["192.0.2.1/32","192.0.2.2/32"]'),
        ({"a": ["${var.days}"]}, {"a": [30]}),
    ],
)
def test_resolves_the_parts_that_are_known_before_an_apply(written: Any, value: Any) -> None:
    assert STACK.value(written) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${aws_instance.x.id}", INSTANCE_ID),
        ("x-${aws_instance.x.id}", PartlyKnown(("x-", INSTANCE_ID))),
        (
            "${aws_instance.x.arn}",
            PartlyKnown(("arn:aws:ec2:eu-west-1:111111111111:instance/", INSTANCE_ID)),
        ),
        ("${var.open}", Unknown("stack", "var.open")),
        ("${local.none}", Unknown("stack", "local.none")),
        ("${data.http.x.body}", Unknown("stack", "data.http.x.body")),
        ("${aws_instance.none.id}", Unknown("stack", "aws_instance.none.id")),
        ("${aws_instance.many.ami}", Unknown("stack", "aws_instance.many.ami")),
        ("${sort(var.networks)}", Unknown("stack", "sort(var.networks)")),
        ("${toset(var.open)}", Unknown("stack", "toset(var.open)")),
        ("${concat(var.networks, var.open)}", Unknown("stack", "concat(var.networks, var.open)")),
        ("${concat(var.networks, var.days)}", Unknown("stack", "concat(var.networks, var.days)")),
        ('${concat([""], [])[0] == concat([])}', Unknown("stack", 'concat([""], [])[0] == concat([])')),
        ("${coalescelist([], [])}", Unknown("stack", "coalescelist([], [])")),
        ("${values(var.networks)}", Unknown("stack", "values(var.networks)")),
        ("x %{ if true }y%{ endif }", Unknown("stack", "x %{ if true }y%{ endif }")),
        (
            "${data.terraform_remote_state.other.outputs.id}",
            Unknown("stack", "data.terraform_remote_state.other.outputs.id"),
        ),
    ],
)
def test_names_the_parts_that_are_unknown_before_an_apply(written: str, value: Any) -> None:
    assert STACK.value(written) == value


def test_an_arn_of_an_unknown_form_is_not_compared_as_a_known_value() -> None:
    stack = Configuration("stack", {"resource": {"aws_kms_key": {"k": {}}}})
    assert stack.value("${aws_kms_key.k.arn}") == Unknown("stack", "aws_kms_key.k.arn", is_assigned=False)


@pytest.mark.parametrize("written", ["${local.a}", "${local.b}", "${local.itself}", "${aws_sns_topic.t.name}"])
def test_a_value_that_refers_to_itself_is_unknown(written: str) -> None:
    document = {
        "locals": {"a": "${local.b}", "b": "${local.a}", "itself": "${local.itself}"},
        "resource": {"aws_sns_topic": {"t": {"name": "${aws_sns_topic.t.name}"}}},
    }
    assert isinstance(Configuration("stack", document).value(written), Unknown)


def test_a_variable_without_a_default_is_unknown() -> None:
    stack = Configuration("stack", DOCUMENT, defaults=False)
    assert stack.value("${var.days}") == Unknown("stack", "var.days")
    assert stack.value("git-${var.days}") == PartlyKnown(("git-", Unknown("stack", "var.days")))


def test_the_account_is_unknown_unless_the_provider_allows_exactly_one() -> None:
    assert STACK.stack.account == "111111111111"
    several = {"provider": {"aws": [{"region": "eu-west-1", "allowed_account_ids": ["1", "2"]}]}}
    assert Configuration("several", several).stack.account is None
    assert Configuration("any", {}).stack.account is None


def test_reads_blocks_that_are_written_as_one_object_or_as_lists_of_objects() -> None:
    document = {
        "provider": {"aws": {"region": "eu-west-1", "allowed_account_ids": ["111111111111"]}},
        "locals": [{"name": "t"}],
        "resource": [{"aws_sns_topic": {"t": [{"name": "${local.name}"}]}}, {"aws_sns_topic": {"u": {"name": "u"}}}],
    }
    stack = Configuration("stack", document)
    assert stack.stack.account == "111111111111"
    assert stack.value("${aws_sns_topic.t.arn} ${aws_sns_topic.u.name}") == "arn:aws:sns:eu-west-1:111111111111:t u"


def test_encodes_a_text_around_its_unknown_parts() -> None:
    assert STACK.known("content: ${jsonencode(local.file)}", lambda found: f"[{found.expression}]") == (
        'content: "a=\\"30\\" \\u003c[aws_instance.x.id]\\u003e"'
    )


def test_writes_the_callers_text_for_unknown_parts() -> None:
    assert STACK.known({"a": "x-${aws_instance.x.id}", "b": "${var.days}"}, lambda _: "?") == {"a": "x-?", "b": 30}


def test_lists_the_items_of_a_referenced_list() -> None:
    networks = ["192.0.2.1/32", "192.0.2.2/32"]
    assert STACK.texts("${var.networks}", str) == networks
    assert STACK.texts(["${var.networks}", "${var.open}", "x"], lambda found: found.expression) == [
        *networks,
        "var.open",
        "x",
    ]


def test_finds_the_policy_document_that_an_argument_refers_to() -> None:
    stack = Configuration("stack", {"data": {"aws_iam_policy_document": {"x": {"statement": []}}}})
    assert stack.policy_arguments("${data.aws_iam_policy_document.x.json}") == {"statement": []}
    assert stack.policy_arguments("${data.aws_iam_policy_document.y.json}") is None
    assert stack.policy_arguments('{"Statement": []}') is None


def _backend(key: str, bucket: str = "states") -> dict[str, Any]:
    return {"backend": {"s3": {"bucket": bucket, "key": key, "region": "eu-west-1", "encrypt": True}}}


def _reader(config: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"terraform_remote_state": {"net": {"backend": "s3", "config": config}}}}


def test_reads_an_output_from_the_stack_with_that_state() -> None:
    output = {"vpc": {"value": "${aws_vpc.x.id}"}, "cidr": {"value": "${aws_vpc.x.cidr_block}"}}
    network = {
        "terraform": _backend("net"),
        "output": output,
        "resource": {"aws_vpc": {"x": {"cidr_block": "10.0.0.0/8"}}},
    }
    config = {"bucket": "states", "key": "net", "region": "eu-west-1"}
    stacks = configurations(
        {"network": network, "reader": _reader(config), "stranger": _reader({**config, "key": "x"})}
    )
    cidr, vpc = (f"${{data.terraform_remote_state.net.outputs.{name}}}" for name in ("cidr", "vpc"))
    assert stacks["reader"].value(cidr) == "10.0.0.0/8"
    assert stacks["reader"].value(vpc) == Unknown("network", "aws_vpc.x.id", is_assigned=True)
    assert stacks["stranger"].value(cidr) == Unknown("stranger", "data.terraform_remote_state.net.outputs.cidr")


@pytest.mark.parametrize("written", ["x %{ if var.x }y%{ endif }", "x ${var.y", '${"}'])
def test_a_text_that_cannot_be_split_is_unknown_as_a_whole(written: str) -> None:
    assert Configuration("web", {}).value(written) == Unknown("web", written)
