"""What the IAM guide says about each condition operator, example by example."""

from typing import Any

import pytest

from tests.iam.guide.requests import (
    Context,
    decide,
)

OPERATORS = "reference_policies_elements_condition_operators"

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
]


@pytest.mark.parametrize(("page", "condition", "context", "expected"), CONDITIONS)
def test_an_operator_works_as_the_guide_says(
    page: str, condition: dict[str, Any], context: Context, expected: bool
) -> None:
    assert decide({"Condition": condition}, context=context).allowed == expected, page
    # The same condition in a Deny removes what another statement allows.
    denied = decide({}, {"Effect": "Deny", "Condition": condition}, context=context)
    assert denied.allowed != expected, page
