import re

import pytest

from terraform.arns import Arn, arn, parts

PLACE = {"region": "eu-west-1", "account": "111111111111"}


def test_makes_an_arn_of_the_resources_own_attributes() -> None:
    values = {**PLACE, "repository_name": "batch", "description": None}
    assert arn("aws_codecommit_repository", "arn", values) == "arn:aws:codecommit:eu-west-1:111111111111:batch"


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        ("aws_iam_role", None, "arn:aws:iam::111111111111:role/x"),
        ("aws_iam_user", "/", "arn:aws:iam::111111111111:user/x"),
        ("aws_iam_policy", "/git/users/", "arn:aws:iam::111111111111:policy/git/users/x"),
    ],
)
def test_puts_the_path_before_the_name_of_an_iam_resource(kind: str, path: str | None, expected: str) -> None:
    assert arn(kind, "arn", {**PLACE, "name": "x", "path": path}) == expected


def test_distinguishes_the_arns_of_one_resource_by_attribute() -> None:
    values = {**PLACE, "id": "abc"}
    assert arn("aws_api_gateway_rest_api", "execution_arn", values) == "arn:aws:execute-api:eu-west-1:111111111111:abc"
    assert arn("aws_api_gateway_rest_api", "arn", values) is None


def test_makes_no_arn_with_an_unknown_part() -> None:
    assert arn("aws_instance", "arn", PLACE) is None
    assert parts("aws_instance", "arn") == ("region", "account", "id")


def test_makes_no_arn_of_a_type_with_an_unknown_form() -> None:
    assert arn("aws_kms_key", "arn", {**PLACE, "id": "x"}) is None
    assert parts("aws_kms_key", "arn") is None


def test_splits_an_arn_whose_resource_has_colons() -> None:
    text = "arn:aws:logs:eu-west-1:111111111111:log-group:x:*"
    arn_read = Arn.of(text)
    assert (arn_read.service, arn_read.account, arn_read.resource) == ("logs", "111111111111", "log-group:x:*")
    assert str(arn_read) == text


@pytest.mark.parametrize("text", ["*", "arn:aws:s3", "arn:aws:iam::111111111111"])
def test_refuses_an_arn_of_fewer_than_six_parts(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        Arn.of(text)
