"""Digests of a stack's own texts are computed where the text in the plan is the one in the JSON."""

import hashlib
from typing import Any

import pytest

from ops.handover import convert, shipped

_LONG = "\n".join(f"line {number}" for number in range(12))
_MD5 = hashlib.md5(_LONG.encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("ignored", "is_computed"), [(["tags"], True), (["content"], False), ("all", False), (["tags", "content"], False)]
)
def test_keeps_the_digest_of_a_text_whose_changes_are_ignored(ignored: Any, is_computed: bool) -> None:
    content = {"bucket": "b", "key": "k", "content": _LONG, "lifecycle": {"ignore_changes": ignored}}
    parameter = {"name": "p", "type": "String", "value": f"${{aws_s3_object.it.key}} {_MD5}"}
    document = {"resource": {"aws_s3_object": {"it": content}, "aws_ssm_parameter": {"it": parameter}}}
    written = convert(document, name="web", schemas=shipped()).files["ssm.tf"]
    assert ("md5(aws_s3_object.it.content)" in written) == is_computed
    assert (_MD5 in written) != is_computed
