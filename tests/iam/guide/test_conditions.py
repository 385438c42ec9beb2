"""What the IAM guide says about missing keys, several keys and values, and policy variables, example by example."""

from typing import Any

import pytest

from iam.documents import parse
from iam.evaluation import Decision, evaluate
from iam.requests import Request
from iam.statements import UnsupportedError
from tests.iam.guide.requests import (
    BOB,
    Context,
    decide,
)

OPERATORS = "reference_policies_elements_condition_operators"
SEVERAL = "reference_policies_condition-logic-multiple-context-keys-or-values"
SETS = "reference_policies_condition-single-vs-multi-valued-context-keys"
VARIABLES = "reference_policies_variables"
CONDITION = "reference_policies_elements_condition"
VERSION = "reference_policies_elements_version"
DENY_IP = "reference_policies_examples_aws_deny-ip"

CONDITIONS: list[tuple[str, dict[str, Any], Context, bool]] = [
    # …IfExists
    (OPERATORS, {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}}, {"ec2:InstanceType": "t2.micro"}, True),
    (OPERATORS, {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}}, {"ec2:InstanceType": "m3.x"}, False),
    (OPERATORS, {"StringLikeIfExists": {"ec2:InstanceType": ["t1.*", "t2.*"]}}, {}, True),
    (OPERATORS, {"StringNotEqualsIfExists": {"key": "a"}}, {}, True),
    (OPERATORS, {"StringNotEqualsIfExists": {"key": "a"}}, {"key": "a"}, False),
    (OPERATORS, {"NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}}, {}, True),
    (OPERATORS, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, {}, True),
    (
        OPERATORS,
        {"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "1800"}},
        {"aws:MultiFactorAuthAge": "3600"},
        False,
    ),
    (
        OPERATORS,
        {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "StringEquals": {"key": "a"}},
        {"key": "b"},
        False,
    ),
    # Null
    (OPERATORS, {"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
    (OPERATORS, {"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "2020-01-01"}, False),
    (OPERATORS, {"Null": {"aws:TokenIssueTime": False}}, {"aws:TokenIssueTime": "2020-01-01"}, True),
    (OPERATORS, {"Null": {"aws:TokenIssueTime": "false"}}, {}, False),
    # Names of keys
    (CONDITION, {"StringEquals": {"AWS:USERNAME": "bob"}}, {"aws:username": "bob"}, True),
    (CONDITION, {"StringEquals": {"aws:username": "bob"}}, {"aws:UserName": "bob"}, True),
    # Several operators, keys and values
    (SEVERAL, {"StringEquals": {"a": ["1", "2"]}}, {"a": "2"}, True),
    (SEVERAL, {"StringEquals": {"a": ["1", "2"]}}, {"a": "3"}, False),
    (SEVERAL, {"StringEquals": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}, True),
    (SEVERAL, {"StringEquals": {"a": "1", "b": "2"}}, {"a": "1", "b": "3"}, False),
    (SEVERAL, {"StringEquals": {"a": "1"}, "StringLike": {"b": "2*"}}, {"a": "1", "b": "22"}, True),
    (SEVERAL, {"StringEquals": {"a": "1"}, "StringLike": {"b": "2*"}}, {"a": "1"}, False),
    (SEVERAL, {"StringNotEquals": {"a": ["1", "2"]}}, {"a": "3"}, True),
    (SEVERAL, {"StringNotEquals": {"a": ["1", "2"]}}, {"a": "2"}, False),
    (SEVERAL, {"StringNotEquals": {"a": "1", "b": "2"}}, {"a": "3", "b": "2"}, False),
    (SEVERAL, {"StringNotEquals": {"a": "1", "b": "2"}}, {"a": "3", "b": "4"}, True),
    # Keys with several values
    (
        SETS,
        {"ForAllValues:StringEquals": {"k": ["PostDateTime", "Message", "Tags"]}},
        {"k": ["PostDateTime", "Message"]},
        True,
    ),
    (
        SETS,
        {"ForAllValues:StringEquals": {"k": ["PostDateTime", "Message", "Tags"]}},
        {"k": ["PostDateTime", "UserName"]},
        False,
    ),
    (SETS, {"ForAllValues:StringEquals": {"k": "a"}}, {}, True),
    (SETS, {"ForAllValues:StringEquals": {"k": "a"}}, {"k": []}, True),
    (SETS, {"ForAllValues:StringEquals": {"k": "a"}}, {"k": ""}, True),
    (SETS, {"ForAllValues:StringEquals": {"k": "a"}, "Null": {"k": "false"}}, {}, False),
    (
        SETS,
        {"ForAnyValue:StringEquals": {"k": ["ID", "PostDateTime"]}},
        {"k": ["UserName", "Message", "PostDateTime"]},
        True,
    ),
    (SETS, {"ForAnyValue:StringEquals": {"k": ["ID", "PostDateTime"]}}, {"k": ["UserName"]}, False),
    (SETS, {"ForAnyValue:StringEquals": {"k": "a"}}, {}, False),
    (SETS, {"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ""}, False),
    (SETS, {"ForAnyValue:StringLike": {"k": "key*"}}, {"k": ["other", "key1"]}, True),
    (SETS, {"ForAllValues:StringLike": {"k": "key*"}}, {"k": ["other", "key1"]}, False),
    (SETS, {"ForAllValues:StringNotEquals": {"k": ["a", "b"]}}, {"k": ["c", "d"]}, True),
    (SETS, {"ForAllValues:StringNotEquals": {"k": ["a", "b"]}}, {"k": ["c", "b"]}, False),
    (SETS, {"ForAnyValue:StringNotEquals": {"k": ["a", "b"]}}, {"k": ["c", "b"]}, True),
    (SETS, {"ForAnyValue:StringNotEquals": {"k": ["a", "b"]}}, {"k": ["a", "b"]}, False),
    # Policy variables
    (
        VARIABLES,
        {"StringLike": {"s3:prefix": "${aws:username}/*"}},
        {"s3:prefix": "bob/x", "aws:username": "bob"},
        True,
    ),
    (
        VARIABLES,
        {"StringLike": {"s3:prefix": "${aws:username}/*"}},
        {"s3:prefix": "eve/x", "aws:username": "bob"},
        False,
    ),
    (
        VARIABLES,
        {"StringLike": {"s3:prefix": "${AWS:UserName}/*"}},
        {"s3:prefix": "bob/x", "aws:username": "bob"},
        True,
    ),
    (VARIABLES, {"StringEquals": {"k": "${aws:username}"}}, {"k": "bob", "aws:username": "bob"}, True),
    (VARIABLES, {"StringLike": {"k": "${aws:username}"}}, {"k": "bob", "aws:username": "*"}, False),
    (VARIABLES, {"StringEquals": {"k": "${aws:username}"}}, {"k": "bob"}, False),
    (VARIABLES, {"StringNotEquals": {"k": "${aws:username}"}}, {"k": "bob"}, False),
    (VARIABLES, {"StringEquals": {"k": ["bob", "${aws:username}"]}}, {"k": "bob"}, False),
    (VARIABLES, {"StringLikeIfExists": {"k": "${aws:username}"}}, {}, True),
    (VARIABLES, {"StringEquals": {"k": "x/${aws:userid, 'anonymous'}"}}, {"k": "x/anonymous"}, True),
    (VARIABLES, {"StringEquals": {"k": "x/${aws:userid, 'anonymous'}"}}, {"k": "x/A1", "aws:userid": "A1"}, True),
    (
        VARIABLES,
        {"StringEquals": {"k": "x/${aws:userid, 'anonymous'}"}},
        {"k": "x/anonymous", "aws:userid": "A1"},
        False,
    ),
    (VARIABLES, {"StringLike": {"k": "a${*}"}}, {"k": "a*"}, True),
    (VARIABLES, {"StringLike": {"k": "a${*}"}}, {"k": "ab"}, False),
    (VARIABLES, {"StringLike": {"k": "a${?}${$}"}}, {"k": "a?$"}, True),
    (VARIABLES, {"StringLike": {"k": "a${?}"}}, {"k": "ab"}, False),
    (
        VARIABLES,
        {"ArnLike": {"k": "arn:aws:iam::1:user/${aws:username}"}},
        {"k": "arn:aws:iam::1:user/bob", "aws:username": "bob"},
        True,
    ),
    (VARIABLES, {"StringEquals": {"k": "${aws:PrincipalTag/team}"}}, {"k": "a", "aws:PrincipalTag/team": "a"}, True),
]


@pytest.mark.parametrize(("page", "condition", "context", "expected"), CONDITIONS)
def test_a_condition_holds_as_the_guide_says(
    page: str, condition: dict[str, Any], context: Context, expected: bool
) -> None:
    assert decide({"Condition": condition}, context=context).allowed == expected, page
    # The same condition in a Deny removes what another statement allows.
    denied = decide({}, {"Effect": "Deny", "Condition": condition}, context=context)
    assert denied.allowed != expected, page


def test_variables_are_plain_text_in_the_older_version() -> None:
    condition = {"Condition": {"StringEquals": {"k": "${aws:username}"}}}
    written = {"k": "${aws:username}", "aws:username": "bob"}
    assert decide(condition, context=written, version="2008-10-17").allowed, VERSION
    assert not decide(condition, context=written).allowed, VERSION
    without_version = parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", **condition}}, "policy")
    asked = Request(principal=BOB, action="s3:GetObject", resource="*", context=written)
    assert evaluate(asked, identity=[without_version]).allowed, VERSION


def test_the_guides_deny_by_address_exempts_calls_by_a_service_on_behalf_of_a_user() -> None:
    deny = {
        "Sid": "DenyFromElsewhere",
        "Effect": "Deny",
        "Condition": {
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
            "Bool": {"aws:ViaAWSService": "false"},
        },
    }

    def from_address(address: str | None, via: str) -> Decision:
        context = {"aws:ViaAWSService": via} | ({"aws:SourceIp": address} if address else {})
        return decide({}, deny, context=context)

    assert from_address("192.0.2.200", "false").allowed, DENY_IP
    assert not from_address("198.51.100.1", "false").allowed, DENY_IP
    assert not from_address(None, "false").allowed, DENY_IP
    assert from_address("198.51.100.1", "true").allowed, DENY_IP
    assert from_address("198.51.100.1", "false").because == "denied by policy, statement DenyFromElsewhere"
    assert from_address("192.0.2.200", "false").because == "allowed by policy, statement 1"


def test_several_values_are_refused_where_the_guide_wants_a_set_operator() -> None:
    with pytest.raises(UnsupportedError) as refused:
        decide({"Condition": {"StringEquals": {"k": "a"}}}, context={"k": ["a", "b"]})
    assert refused.value.reason == "policy, statement 1: 'k' has 2 values, and no set operator"


def test_an_unknown_key_is_refused_and_does_not_count_as_absent() -> None:
    policy = parse(
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:X": "true"}}}},
        "p",
    )
    asked = Request(principal=BOB, action="s3:GetObject", resource="*", absent=frozenset({"aws:y"}))
    with pytest.raises(UnsupportedError) as refused:
        evaluate(asked, identity=[policy])
    assert refused.value.reason == "p, statement 1: whether a request has 'aws:x', and its value, is not known"
