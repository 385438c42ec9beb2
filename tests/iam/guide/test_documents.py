"""Policy documents that cannot be evaluated are refused, with the place."""

from typing import Any

import pytest

from iam.documents import parse
from iam.statements import UnsupportedError


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
        # The guide gives an IPv6 address without a prefix the prefix of an IPv4 address.
        ({"Condition": {"IpAddress": {"k": "2001:db8::1"}}}, "policy, statement 1, IpAddress k: value '2001:db8::1'"),
        ({"Condition": {"NumericEquals": {"k": "${a:b}"}}}, "policy, statement 1, NumericEquals k: value '${a:b}'"),
        # One page of the guide allows variables with Bool, another does not.
        ({"Condition": {"Bool": {"k": "${a:b}"}}}, "policy, statement 1, Bool k: value '${a:b}'"),
        # This may be a year, or seconds since 1970.
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
def test_an_unknown_element_or_value_is_refused_with_its_place(statement: dict[str, Any], message: str) -> None:
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    with pytest.raises(UnsupportedError) as refused:
        parse({"Version": "2012-10-17", "Statement": [whole]}, "policy")
    assert refused.value.reason == message


def test_a_document_of_another_form_is_refused() -> None:
    for document, message in (
        ("{", "policy: is no JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (
            '{"Version": "2012-10-17", "Version": "2008-10-17"}',
            "policy: is no JSON: 'Version' comes twice in one object",
        ),
        ({"Version": "2020-01-01", "Statement": []}, "policy: version '2020-01-01'"),
        ({"Rules": []}, "policy: 'Rules' in a policy"),
    ):
        with pytest.raises(UnsupportedError) as refused:
            parse(document, "policy")
        assert refused.value.reason == message
