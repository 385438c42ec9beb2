"""What AWS's IAM user guide says of evaluation, example by example, with the page that says it.

The pages are https://docs.aws.amazon.com/IAM/latest/UserGuide/<page>.html.
"""

from typing import Any

import pytest

from iam.evaluation import Decision, Principal, Request, evaluate
from iam.policy import UnsupportedError, parse

ACCOUNT = "111122223333"
BOB = Principal(kind="user", name=f"arn:aws:iam::{ACCOUNT}:user/Bob", account=ACCOUNT)
STRANGER = Principal(kind="user", name="arn:aws:iam::999999999999:user/Eve", account="999999999999")
LAMBDA = Principal(kind="service", name="lambda.amazonaws.com")
NOBODY = Principal(kind="anonymous")

OPERATORS = "reference_policies_elements_condition_operators"
SEVERAL = "reference_policies_condition-logic-multiple-context-keys-or-values"
SETS = "reference_policies_condition-single-vs-multi-valued-context-keys"
VARIABLES = "reference_policies_variables"
CONDITION = "reference_policies_elements_condition"
VERSION = "reference_policies_elements_version"
ACTION = "reference_policies_elements_action"
NOT_ACTION = "reference_policies_elements_notaction"
RESOURCE = "reference_policies_elements_resource"
NOT_RESOURCE = "reference_policies_elements_notresource"
PRINCIPAL = "reference_policies_elements_principal"
NOT_PRINCIPAL = "reference_policies_elements_notprincipal"
LOGIC = "reference_policies_evaluation-logic"
CROSS = "reference_policies_evaluation-logic-cross-account"
DENY_IP = "reference_policies_examples_aws_deny-ip"

Context = dict[str, Any]


def _decide(
    *statements: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::bucket/key",
    context: Context | None = None,
    version: str = "2012-10-17",
) -> Decision:
    documents = [{"Effect": "Allow", "Action": "*", "Resource": "*"} | statement for statement in statements]
    policy = parse({"Version": version, "Statement": documents}, "policy")
    asked = Request(principal=BOB, action=action, resource=resource, context=context or {})
    return evaluate(asked, identity=[policy])


TAG = "aws:PrincipalTag/job-category"
NETWORKS = ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]

CONDITIONS: list[tuple[str, dict[str, Any], Context, bool]] = [
    # String operators
    (OPERATORS, {"StringEquals": {TAG: "iamuser-admin"}}, {TAG: "iamuser-admin"}, True),
    (OPERATORS, {"StringEquals": {TAG: "iamuser-admin"}}, {TAG: "IamUser-Admin"}, False),
    (OPERATORS, {"StringEquals": {TAG: "iamuser-admin"}}, {TAG: "iamuser-admin-2"}, False),
    (OPERATORS, {"StringEquals": {TAG: "iamuser-admin"}}, {}, False),
    (OPERATORS, {"StringEquals": {TAG: "iamuser-*"}}, {TAG: "iamuser-admin"}, False),
    (OPERATORS, {"StringEquals": {TAG: "iamuser-*"}}, {TAG: "iamuser-*"}, True),
    (OPERATORS, {"StringEqualsIgnoreCase": {TAG: "iamuser-admin"}}, {TAG: "IamUser-Admin"}, True),
    (OPERATORS, {"StringEqualsIgnoreCase": {TAG: "iamuser-admin"}}, {TAG: "other"}, False),
    (OPERATORS, {"StringNotEquals": {TAG: "iamuser-admin"}}, {TAG: "other"}, True),
    (OPERATORS, {"StringNotEquals": {TAG: "iamuser-admin"}}, {TAG: "iamuser-admin"}, False),
    (OPERATORS, {"StringNotEquals": {TAG: "iamuser-admin"}}, {}, True),
    (OPERATORS, {"StringNotEqualsIgnoreCase": {TAG: "iamuser-admin"}}, {TAG: "IAMUSER-ADMIN"}, False),
    (OPERATORS, {"StringNotEqualsIgnoreCase": {TAG: "iamuser-admin"}}, {}, True),
    (OPERATORS, {"StringLike": {"s3:prefix": ["", "home/", "home/bob/*"]}}, {"s3:prefix": ""}, True),
    (OPERATORS, {"StringLike": {"s3:prefix": ["", "home/", "home/bob/*"]}}, {"s3:prefix": "home/"}, True),
    (OPERATORS, {"StringLike": {"s3:prefix": ["", "home/", "home/bob/*"]}}, {"s3:prefix": "home/bob/x/y"}, True),
    (OPERATORS, {"StringLike": {"s3:prefix": ["", "home/", "home/bob/*"]}}, {"s3:prefix": "home/eve/x"}, False),
    (OPERATORS, {"StringLike": {"s3:prefix": "t?.*"}}, {"s3:prefix": "t2.micro"}, True),
    (OPERATORS, {"StringLike": {"s3:prefix": "t?.*"}}, {"s3:prefix": "t.micro"}, False),
    (OPERATORS, {"StringLike": {"s3:prefix": "Home/*"}}, {"s3:prefix": "home/x"}, False),
    (OPERATORS, {"StringLike": {"s3:prefix": "a[bc]*"}}, {"s3:prefix": "ab"}, False),
    (OPERATORS, {"StringLike": {"s3:prefix": "*"}}, {}, False),
    (OPERATORS, {"StringNotLike": {"s3:prefix": "home/*"}}, {"s3:prefix": "home/x"}, False),
    (OPERATORS, {"StringNotLike": {"s3:prefix": "home/*"}}, {"s3:prefix": "other"}, True),
    (OPERATORS, {"StringNotLike": {"s3:prefix": "home/*"}}, {}, True),
    # Numeric operators
    (OPERATORS, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, True),
    (OPERATORS, {"NumericLessThanEquals": {"s3:max-keys": 10}}, {"s3:max-keys": "9.5"}, True),
    (OPERATORS, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "11"}, False),
    (OPERATORS, {"NumericLessThanEquals": {"s3:max-keys": "10"}}, {}, False),
    (OPERATORS, {"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, False),
    (OPERATORS, {"NumericLessThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "9"}, True),
    (OPERATORS, {"NumericEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10.0"}, True),
    (OPERATORS, {"NumericEquals": {"s3:max-keys": ["1", "2"]}}, {"s3:max-keys": "2"}, True),
    (OPERATORS, {"NumericNotEquals": {"s3:max-keys": ["1", "2"]}}, {"s3:max-keys": "2"}, False),
    (OPERATORS, {"NumericNotEquals": {"s3:max-keys": ["1", "2"]}}, {"s3:max-keys": "3"}, True),
    (OPERATORS, {"NumericNotEquals": {"s3:max-keys": "1"}}, {}, True),
    (OPERATORS, {"NumericGreaterThan": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, False),
    (OPERATORS, {"NumericGreaterThan": {"s3:max-keys": "9"}}, {"s3:max-keys": "10"}, True),
    (OPERATORS, {"NumericGreaterThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "10"}, True),
    (OPERATORS, {"NumericGreaterThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "-10"}, False),
    # Date operators
    (
        OPERATORS,
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        {"aws:TokenIssueTime": "2020-01-01T00:00:02Z"},
        True,
    ),
    (
        OPERATORS,
        {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}},
        {"aws:TokenIssueTime": "2019-12-31T23:59:59Z"},
        False,
    ),
    (OPERATORS, {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}, {}, False),
    (OPERATORS, {"DateLessThan": {"aws:CurrentTime": "1577836801"}}, {"aws:CurrentTime": "2020-01-01T00:00:00Z"}, True),
    (OPERATORS, {"DateEquals": {"aws:CurrentTime": "2020-01-01"}}, {"aws:CurrentTime": "2020-01-01T00:00Z"}, True),
    (
        OPERATORS,
        {"DateEquals": {"aws:CurrentTime": "2020-01-01T09:00:00+09:00"}},
        {"aws:CurrentTime": "2020-01-01T00:00:00.000Z"},
        True,
    ),
    (OPERATORS, {"DateNotEquals": {"aws:CurrentTime": "2020-01"}}, {"aws:CurrentTime": "2020-01-01"}, False),
    (OPERATORS, {"DateNotEquals": {"aws:CurrentTime": "2020-01-01"}}, {}, True),
    (OPERATORS, {"DateLessThanEquals": {"aws:CurrentTime": "2020-01-01"}}, {"aws:CurrentTime": "2020-01-01"}, True),
    (OPERATORS, {"DateGreaterThanEquals": {"aws:CurrentTime": "2020-01-02"}}, {"aws:CurrentTime": "2020-01-01"}, False),
    # Bool and BinaryEquals
    (OPERATORS, {"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "false"}, True),
    (OPERATORS, {"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "true"}, False),
    (OPERATORS, {"Bool": {"aws:SecureTransport": "false"}}, {}, False),
    (
        OPERATORS,
        {"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}},
        {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="},
        True,
    ),
    (OPERATORS, {"BinaryEquals": {"key": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}, {"key": "QmluYXJ5"}, False),
    (OPERATORS, {"BinaryEquals": {"key": "QmluYXJ5"}}, {}, False),
    # IpAddress and NotIpAddress
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.255"}, True),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.114.0"}, False),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {}, False),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "203.0.113.7"}}, {"aws:SourceIp": "203.0.113.7"}, True),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "203.0.113.7"}}, {"aws:SourceIp": "203.0.113.8"}, False),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "2001:db8:1234:5678::1"}, True),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "2001:db8:1234:5679::1"}, False),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "203.0.113.1"}, True),
    (OPERATORS, {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {"aws:SourceIp": "2001:db8::1"}, False),
    (OPERATORS, {"NotIpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "203.0.113.1"}, False),
    (OPERATORS, {"NotIpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "2001:db8:1234:5678::1"}, False),
    (OPERATORS, {"NotIpAddress": {"aws:SourceIp": NETWORKS}}, {"aws:SourceIp": "198.51.100.1"}, True),
    (OPERATORS, {"NotIpAddress": {"aws:SourceIp": NETWORKS}}, {}, True),
    # ARN operators
    (
        OPERATORS,
        {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:REGION:123456789012:TOPIC-ID"}},
        {"aws:SourceArn": "arn:aws:sns:REGION:123456789012:TOPIC-ID"},
        True,
    ),
    (
        OPERATORS,
        {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:123456789012:T*"}},
        {"aws:SourceArn": "arn:aws:sns:x:123456789012:TOPIC"},
        True,
    ),
    (OPERATORS, {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:REGION:123456789012:TOPIC-ID"}}, {}, False),
    (
        OPERATORS,
        {"StringLike": {"key": "arn:aws:someservice:*:111122223333:finance/*"}},
        {"key": "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"},
        True,
    ),
    (
        OPERATORS,
        {"ArnLike": {"key": "arn:aws:someservice:*:111122223333:finance/*"}},
        {"key": "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"},
        False,
    ),
    (OPERATORS, {"ArnNotLike": {"key": "arn:aws:sns:*:*:a"}}, {"key": "arn:aws:sns:r:1:b"}, True),
    (OPERATORS, {"ArnNotEquals": {"key": "arn:aws:sns:*:*:a"}}, {"key": "arn:aws:sns:r:1:a"}, False),
    (OPERATORS, {"ArnNotLike": {"key": "arn:aws:sns:*:*:a"}}, {}, True),
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
    (SETS, {"ForAnyValue:StringEqualsIfExists": {"k": "a"}}, {}, True),
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
    assert _decide({"Condition": condition}, context=context).allowed == expected, page
    # As a Deny, the same condition takes away what another statement gives.
    denied = _decide({}, {"Effect": "Deny", "Condition": condition}, context=context)
    assert denied.allowed != expected, page


def test_variables_are_plain_text_before_the_version_that_has_them() -> None:
    condition = {"Condition": {"StringEquals": {"k": "${aws:username}"}}}
    written = {"k": "${aws:username}", "aws:username": "bob"}
    assert _decide(condition, context=written, version="2008-10-17").allowed, VERSION
    assert not _decide(condition, context=written).allowed, VERSION
    without_version = parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", **condition}}, "policy")
    asked = Request(principal=BOB, action="s3:GetObject", resource="*", context=written)
    assert evaluate(asked, identity=[without_version]).allowed, VERSION


ELEMENTS: list[tuple[str, dict[str, Any], str, str, bool]] = [
    (ACTION, {"Action": "ec2:StartInstances"}, "EC2:startinstances", "*", True),
    (ACTION, {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}, "sqs:ReceiveMessage", "*", True),
    (ACTION, {"Action": "s3:*"}, "s3:GetObject", "*", True),
    (ACTION, {"Action": "iam:*AccessKey*"}, "iam:CreateAccessKey", "*", True),
    (ACTION, {"Action": "iam:*AccessKey*"}, "iam:CreateUser", "*", False),
    (ACTION, {"Action": "s3:Get?bject"}, "s3:GetObject", "*", True),
    (ACTION, {"Action": "s3:*"}, "s3-object-lambda:GetObject", "*", False),
    (NOT_ACTION, {"Action": None, "NotAction": "iam:*"}, "s3:DeleteBucket", "*", True),
    (NOT_ACTION, {"Action": None, "NotAction": "iam:*"}, "iam:CreateUser", "*", False),
    (NOT_ACTION, {"Action": None, "NotAction": ["iam:*", "s3:Get*"]}, "s3:GetObject", "*", False),
    (RESOURCE, {"Resource": "arn:aws:sqs:us-east-2:1:queue1"}, "sqs:X", "arn:aws:sqs:us-east-2:1:queue1", True),
    (RESOURCE, {"Resource": "arn:aws:iam::1:user/Bob"}, "iam:GetUser", "arn:aws:iam::1:user/bob", False),
    (RESOURCE, {"Resource": "arn:aws:iam::1:user/accounting/*"}, "iam:X", "arn:aws:iam::1:user/accounting/a/b", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/1///test///object.jpg", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b//test/object.jpg", True),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/1-test/object.jpg", False),
    (RESOURCE, {"Resource": "arn:aws:s3:::b/*/test/*"}, "s3:X", "arn:aws:s3:::b/test/object.jpg", False),
    (RESOURCE, {"Resource": "arn:aws:d:*:table/p-*"}, "d:X", "arn:aws:d:r:1:table/p-x", True),
    (RESOURCE, {"Resource": "arn:aws:d:*:table/p-*"}, "d:X", "arn:aws:d:r:1:table/q-x", False),
    (RESOURCE, {"Resource": "arn:aws:d:us-*-1:1:t"}, "d:X", "arn:aws:d:us-east-1:1:t", True),
    (RESOURCE, {"Resource": "arn:aws:d:us-*-1:1:t"}, "d:X", "arn:aws:d:us-east:2-1:1:t", False),
    (RESOURCE, {"Resource": "arn:aws:d:r:?:t"}, "d:X", "arn:aws:d:r:1:t", True),
    (NOT_RESOURCE, {"Resource": None, "NotResource": "arn:aws:s3:::h/*"}, "s3:X", "arn:aws:s3:::h/x", False),
    (NOT_RESOURCE, {"Resource": None, "NotResource": "arn:aws:s3:::h/*"}, "s3:X", "arn:aws:s3:::other/x", True),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:X", "arn:aws:s3:::b/bob/x", True),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:X", "arn:aws:s3:::b/eve/x", False),
    (VARIABLES, {"Resource": "arn:aws:s3:::b/${aws:userid}"}, "s3:X", "arn:aws:s3:::b/", False),
    (
        VARIABLES,
        {"Resource": "arn:aws:sqs:us-east-2:*:${aws:username}-queue"},
        "sqs:X",
        "arn:aws:sqs:us-east-2:1:bob-queue",
        True,
    ),
]


@pytest.mark.parametrize(("page", "statement", "action", "resource", "expected"), ELEMENTS)
def test_an_element_means_what_the_guide_says(
    page: str, statement: dict[str, Any], action: str, resource: str, expected: bool
) -> None:
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    document = {
        "Version": "2012-10-17",
        "Statement": {element: value for element, value in whole.items() if value is not None},
    }
    asked = Request(principal=BOB, action=action, resource=resource, context={"aws:username": "bob"})
    assert evaluate(asked, identity=[parse(document, "policy")]).allowed == expected, page


def _resource_policy(principal: Any, effect: str = "Allow", element: str = "Principal") -> Any:
    statement = {"Sid": "S", "Effect": effect, element: principal, "Action": "*", "Resource": "*"}
    return parse({"Version": "2012-10-17", "Statement": [statement]}, "resource")


def _identity_policy(effect: str = "Allow") -> Any:
    return parse({"Statement": {"Effect": effect, "Action": "*", "Resource": "*"}}, "identity")


PRINCIPALS: list[tuple[str, Any, Principal, bool]] = [
    (PRINCIPAL, "*", BOB, True),
    (PRINCIPAL, "*", NOBODY, True),
    (PRINCIPAL, {"AWS": "*"}, NOBODY, True),
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/Bob"}, BOB, True),
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, BOB, False),
    (PRINCIPAL, {"AWS": ["999999999999", f"arn:aws:iam::{ACCOUNT}:user/Bob"]}, BOB, True),
    (PRINCIPAL, {"Service": "lambda.amazonaws.com"}, LAMBDA, True),
    (PRINCIPAL, {"Service": "ec2.amazonaws.com"}, LAMBDA, False),
    (PRINCIPAL, {"Service": "lambda.amazonaws.com"}, BOB, False),
    # The account alone leaves it to the account, whose policies say nothing here.
    (PRINCIPAL, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, BOB, False),
    (PRINCIPAL, {"AWS": ACCOUNT}, BOB, False),
]


@pytest.mark.parametrize(("page", "named", "principal", "expected"), PRINCIPALS)
def test_a_resource_lets_in_whom_its_policy_names(page: str, named: Any, principal: Principal, expected: bool) -> None:
    asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    found = evaluate(asked, resource=[_resource_policy(named)], resource_account=ACCOUNT)
    assert found.allowed == expected, page


@pytest.mark.parametrize(
    ("page", "identity", "resource", "principal", "expected"),
    [
        (LOGIC, None, None, BOB, False),
        (LOGIC, "Allow", None, BOB, True),
        (LOGIC, "Deny", None, BOB, False),
        (LOGIC, None, ("Allow", "*"), BOB, True),
        (LOGIC, "Deny", ("Allow", "*"), BOB, False),
        (LOGIC, "Allow", ("Deny", "*"), BOB, False),
        (LOGIC, "Allow", ("Allow", {"AWS": ACCOUNT}), BOB, True),
        (CROSS, "Allow", None, STRANGER, False),
        (CROSS, None, ("Allow", {"AWS": "999999999999"}), STRANGER, False),
        (CROSS, "Allow", ("Allow", {"AWS": "999999999999"}), STRANGER, True),
        (CROSS, "Allow", ("Allow", {"AWS": STRANGER.name}), STRANGER, True),
        (CROSS, "Allow", ("Deny", "*"), STRANGER, False),
    ],
)
def test_a_deny_comes_first_and_another_account_needs_both(
    page: str, identity: str | None, resource: tuple[str, Any] | None, principal: Principal, expected: bool
) -> None:
    asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    found = evaluate(
        asked,
        identity=[_identity_policy(identity)] if identity else [],
        resource=[_resource_policy(resource[1], resource[0])] if resource else [],
        resource_account=ACCOUNT,
    )
    assert found.allowed == expected, page


def test_a_role_is_assumed_by_whom_its_trust_names_and_else_by_nobody() -> None:
    def assumes(principal: Principal, named: Any, *, identity: bool) -> bool:
        asked = Request(principal=principal, action="sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/r")
        return evaluate(
            asked,
            identity=[_identity_policy()] if identity else [],
            resource=[_resource_policy(named)],
            resource_account=ACCOUNT,
            resource_decides=True,
        ).allowed

    assert assumes(LAMBDA, {"Service": "lambda.amazonaws.com"}, identity=False)
    assert not assumes(BOB, {"Service": "lambda.amazonaws.com"}, identity=True)
    assert assumes(BOB, {"AWS": BOB.name}, identity=False)
    assert assumes(BOB, {"AWS": ACCOUNT}, identity=True)
    assert not assumes(BOB, {"AWS": ACCOUNT}, identity=False)


def test_not_principal_means_everybody_but_those() -> None:
    policy = _resource_policy({"AWS": [ACCOUNT, BOB.name]}, effect="Deny", element="NotPrincipal")
    for principal, expected in ((BOB, True), (STRANGER, False)):
        asked = Request(principal=principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
        given = [policy, _resource_policy("*")]
        found = evaluate(asked, identity=[_identity_policy()], resource=given, resource_account=ACCOUNT)
        assert found.allowed == expected, NOT_PRINCIPAL


@pytest.mark.parametrize("named", [BOB.name, ACCOUNT])
def test_not_principal_without_the_account_or_with_it_alone_is_refused(named: str) -> None:
    policy = _resource_policy({"AWS": named}, effect="Deny", element="NotPrincipal")
    asked = Request(principal=BOB, action="s3:GetObject", resource="arn:aws:s3:::bucket/key")
    with pytest.raises(UnsupportedError) as refused:
        evaluate(asked, identity=[_identity_policy()], resource=[policy], resource_account=ACCOUNT)
    assert str(refused.value) == (
        "resource, statement S: whom a NotPrincipal means that names a principal or its account alone"
    ), NOT_PRINCIPAL


def test_calls_by_a_service_on_behalf_of_a_user_are_left_out_of_the_guides_deny_by_address() -> None:
    deny = {
        "Sid": "DenyFromElsewhere",
        "Effect": "Deny",
        "Condition": {
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
            "Bool": {"aws:ViaAWSService": "false"},
        },
    }

    def decide(address: str | None, via: str) -> Decision:
        context = {"aws:ViaAWSService": via} | ({"aws:SourceIp": address} if address else {})
        return _decide({}, deny, context=context)

    assert decide("192.0.2.200", "false").allowed, DENY_IP
    assert not decide("198.51.100.1", "false").allowed, DENY_IP
    assert not decide(None, "false").allowed, DENY_IP
    assert decide("198.51.100.1", "true").allowed, DENY_IP
    assert decide("198.51.100.1", "false").because == "denied by policy, statement DenyFromElsewhere"
    assert decide("192.0.2.200", "false").because == "allowed by policy, statement 1"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            {"Condition": {"StringMatches": {"k": "a"}}},
            "policy, statement 1, StringMatches k: operator 'StringMatches'",
        ),
        (
            {"Condition": {"NullIfExists": {"k": "true"}}},
            "policy, statement 1, NullIfExists k: operator 'NullIfExists'",
        ),
        ({"Condition": {"IpAddress": {"k": "10.0.0.0/33"}}}, "policy, statement 1, IpAddress k: value '10.0.0.0/33'"),
        # The guide gives an IPv6 address without a prefix that of an IPv4 one.
        ({"Condition": {"IpAddress": {"k": "2001:db8::1"}}}, "policy, statement 1, IpAddress k: value '2001:db8::1'"),
        ({"Condition": {"NumericEquals": {"k": "${a:b}"}}}, "policy, statement 1, NumericEquals k: value '${a:b}'"),
        # One page lets Bool have variables, another does not.
        ({"Condition": {"Bool": {"k": "${a:b}"}}}, "policy, statement 1, Bool k: value '${a:b}'"),
        # A year, or seconds since 1970?
        ({"Condition": {"DateEquals": {"k": "2020"}}}, "policy, statement 1, DateEquals k: value '2020'"),
        ({"Condition": {"ArnLike": {"k": "user/*"}}}, "policy, statement 1, ArnLike k: value 'user/*'"),
        ({"Condition": {"StringEquals": {"k": "${a b}"}}}, "policy, statement 1, StringEquals k: variable 'a b'"),
        ({"Condition": {"StringEquals": {"k": []}}}, "policy, statement 1, StringEquals k: an empty list"),
        (
            {"Condition": {"StringEquals": {"k": "a", "K": "b"}}},
            "policy, statement 1, StringEquals: a key is written twice",
        ),
        ({"Resource": "arn:aws:s3:::a", "NotResource": "*"}, "policy, statement 1: both Resource and NotResource"),
        (
            {"Resource": "arn:aws:iam::${aws:x}:user/a"},
            "policy, statement 1: a variable before the fifth colon of 'arn:aws:iam::${aws:x}:user/a'",
        ),
        ({"Action": "GetItem"}, "policy, statement 1: action 'GetItem'"),
        ({"Effect": "allow"}, "policy, statement 1: effect 'allow'"),
        ({"Principle": "*"}, "policy, statement 1: 'Principle' in a statement"),
        ({"Principal": {"Federated": "x"}}, "policy, statement 1: principals of type 'Federated'"),
        (
            {"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}},
            "policy, statement 1: principal 'arn:aws:iam::111122223333:user/*'",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(statement: dict[str, Any], message: str) -> None:
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    with pytest.raises(UnsupportedError) as refused:
        parse({"Version": "2012-10-17", "Statement": [whole]}, "policy")
    assert str(refused.value) == message


def test_a_document_of_another_form_is_refused() -> None:
    for document, message in (
        ("{", "policy: is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"Version": "2012-10-17", "Version": "2008-10-17"}', "policy: is no JSON: a key is written twice"),
        ({"Version": "2020-01-01", "Statement": []}, "policy: version '2020-01-01'"),
        ({"Rules": []}, "policy: 'Rules' in a policy"),
    ):
        with pytest.raises(UnsupportedError) as refused:
            parse(document, "policy")
        assert str(refused.value) == message


def test_several_values_are_refused_where_the_guide_wants_a_set_operator() -> None:
    with pytest.raises(UnsupportedError, match=r"^policy, statement 1: 'k' has 2 values, and no set operator$"):
        _decide({"Condition": {"StringEquals": {"k": "a"}}}, context={"k": ["a", "b"]})


def test_a_key_that_nobody_knows_of_is_refused_and_not_taken_for_absent() -> None:
    policy = parse(
        {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:X": "true"}}}},
        "p",
    )
    asked = Request(principal=BOB, action="s3:GetObject", resource="*", absent=frozenset({"aws:y"}))
    with pytest.raises(
        UnsupportedError, match=r"^p, statement 1: whether a request has 'aws:x', and its value, is not known$"
    ):
        evaluate(asked, identity=[policy])
