"""What is known of the blocks beside resources: Terraform's settings, providers and other stacks' states."""

import json
import unicodedata
from collections.abc import Iterator

from errors import Problem
from iam.known.argument import OWN_ACCOUNT, Arguments, KnownArguments, each, harmless, one_of, required
from terraform.output import Json
from terraform.references import Configuration

_LABELS = {"resource": 2, "data": 2, "variable": 1, "output": 1, "locals": 0}
"""How many labels a block has, by its kind."""

_KEPT = harmless("where the state is kept")
_BACKENDS = one_of("s3", "local", why="where the state is kept, as the settings say")

_S3 = ("bucket", "key", "region", "profile", "assume_role.role_arn")
_S3_OWN = ("kms_key_id", "use_lockfile")

DATA: dict[str, Arguments] = {
    "terraform_remote_state": {
        "backend": _BACKENDS,
        **each(_KEPT, "config.path", *(f"config.{name}" for name in _S3)),
    }
}

_ACCOUNT = harmless("how Terraform signs in; allowed_account_ids says to which account")

BLOCKS = KnownArguments(
    {
        "//.*": harmless("a comment"),
        "terraform.required_version": harmless("which Terraform applies it"),
        "terraform.required_providers.aws.source": required(
            one_of("hashicorp/aws", why="the only program that Terraform runs")
        ),
        "terraform.required_providers.aws.version": harmless("which of its versions"),
        **each(_KEPT, "terraform.backend.local.path", *(f"terraform.backend.s3.{name}" for name in (*_S3, *_S3_OWN))),
        "terraform.backend.s3.encrypt": one_of(True, why="whoever has the disk alone reads nothing"),
        "provider.aws.alias": harmless("what resources call it"),
        "provider.aws.allowed_account_ids": OWN_ACCOUNT,
        **each(_ACCOUNT, "provider.aws.assume_role.role_arn", "provider.aws.profile", "provider.aws.region"),
        "provider.aws.default_tags.tags.*": harmless(
            "what people and bills call it; the policies' evaluation reads those of repositories"
        ),
        "variable.*": harmless("what operations may change; the promises read the lists of addresses"),
        "output.*": harmless("what the state shows; it changes nothing"),
        **each(harmless("what an object is called in the state"), "moved.from", "moved.to", "removed.from"),
        "removed.//.comment": harmless("a comment"),
        "removed.lifecycle.destroy": one_of(False, why="an object stays as it is, without a place in the state"),
        "locals.*": harmless("a value under a name; what uses it is read with it"),
    }
)


def problems(stack: Configuration) -> Iterator[Problem]:
    """Every block beside resources and data sources of which it is not known whether it gives access."""
    document = stack.stack.document
    rest = {kind: block for kind, block in document.items() if kind not in ("resource", "data")}
    yield from BLOCKS.problems(stack.name, rest, stack)
    for number, provider in enumerate(stack.stack.providers):
        if not provider.get("allowed_account_ids"):
            what = "a provider that works in any account"
            yield Problem(where=f"{stack.name}.provider.aws[{number}]", what=what, hint="write allowed_account_ids")
    for place in _other_forms(document):
        what = "written in another form than as one object, which other programs may read differently"
        yield Problem(where=f"{stack.name}.{place}", what=what, hint="write one object under each name")
    # Terraform reads a block in a list of lists, and makes one text of several spellings.
    for place in _nested_lists({kind: document.get(kind) for kind in document if kind != "//"}, ()):
        what = "a list in a list, which Terraform may read as a block"
        yield Problem(where=f"{stack.name}.{place}", what=what, hint="write one list")
    if not unicodedata.is_normalized("NFC", json.dumps(document, ensure_ascii=False)):
        what = "a text in another spelling than Unicode's NFC, which Terraform changes to it"
        yield Problem(where=stack.name, what=what, hint="write it in NFC")


def _other_forms(document: Json) -> Iterator[str]:
    """The named blocks that are no single object under their labels."""
    level: list[tuple[tuple[str, ...], object]] = [((kind,), document[kind]) for kind in _LABELS if kind in document]
    while level:
        yield from (".".join(place) for place, block in level if not isinstance(block, dict))
        level = [
            ((*place, name), inner)
            for place, block in level
            if isinstance(block, dict) and len(place) <= _LABELS[place[0]]
            for name, inner in block.items()
            if name != "//"
        ]


def _nested_lists(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _nested_lists(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, list):
                yield ".".join(path)
            else:
                yield from _nested_lists(item, path)
