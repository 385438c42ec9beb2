"""Limits on every resource of a stack."""

import json
import re
from collections.abc import Iterator

from limits.limit import Found, estimated, limit
from terraform.references import Configuration

_NEVER_MEANT = {
    r"<[\w. ]+ object at 0x[0-9a-f]+>": "a Python object was printed",
    r"TfToken\[": "a token was never resolved",
}


@limit(
    what="nothing in the Terraform is a trace of how it was made",
    source="https://developer.hashicorp.com/terraform/cdktf/concepts/tokens",
)
def traces_of_synthesis(stack: Configuration) -> Iterator[Found]:
    text = json.dumps(stack.stack.document)
    for pattern, what in _NEVER_MEANT.items():
        if mark := re.search(pattern, text):
            around = text[max(0, mark.start() - 60) : mark.end() + 60]
            yield "", f"{what}: …{around}…", "this is a fault of Kakehashi"


@limit(
    what="no resource sets its region, which the provider knows from 6.0 on",
    source="https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/enhanced-region-support",
)
def regions(stack: Configuration) -> Iterator[Found]:
    for kind, name, arguments in stack.stack.resources():
        if "region" in arguments:
            what = "the provider before 6.0 does not know it"
            yield f"{kind}.{name}.region", what, "leave the region to the provider"


@limit(
    what="a tag's key has at most 128 characters, and its value 256",
    source="https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html",
)
def tags(stack: Configuration) -> Iterator[Found]:
    for kind, name, arguments in stack.stack.resources():
        for key, value in (stack.known(arguments.get("tags"), estimated) or {}).items():
            if not isinstance(value, str) or len(key) > 128 or len(value) > 256:
                hint = "AWS takes keys of 128 and values of 256 characters"
                yield f"{kind}.{name}.tags", f"{key!r}: {value!r} is too long", hint


LIMITS = (traces_of_synthesis, regions, tags)
