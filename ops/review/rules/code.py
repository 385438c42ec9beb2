"""Rules about what servers and builds trust, and about the tags by which policies name repositories."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.rules.removal import open_setting
from ops.review.text import code, shown
from ops.review.translatable import said
from terraform.plan_values import Sensitive, any_marked, marked


@rule(
    id="metadata-opened",
    what="A server's metadata can be read without a token, or through more machines.",
    why="An attacker who makes the server fetch a URL can read its role's credentials.",
)
def metadata_opened(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes("aws_instance", "aws_launch_template"):
        now, was = (_metadata(values, "http_tokens") for values in (change.after, change.before))
        is_unknown = any_marked(marked(change.after_unknown, *_OPTIONS, "http_tokens"))
        references = change.references.configuration.references(change.address, *_OPTIONS, "http_tokens")
        if change.appears and is_unknown and (references or was == "required"):
            yield open_setting(change, "metadata_options", "its metadata can be read without a token")
        elif change.appears and now is not None and now not in ("required", was):
            yield change.finding(
                said("its metadata can be read without a token ({value})", value=shown(now)), "metadata_options"
            )
        hops, before = (_metadata(values, "http_put_response_hop_limit") for values in (change.after, change.before))
        if change.is_modified and hops != before and not (isinstance(hops, int) and hops <= (before or 1)):
            yield change.finding(
                said("its metadata can be read through {number} hops", number=shown(hops)), "metadata_options"
            )


_OPTIONS = ("metadata_options", 0)


def _metadata(values: Mapping[str, Any], name: str) -> Any:
    """An option of the metadata; None where it is not given, and what is sensitive where the options are."""
    options = values.get("metadata_options")
    first = options[0] if isinstance(options, list) and options and isinstance(options[0], dict) else {}
    return options if isinstance(options, Sensitive) else first.get(name)


@rule(
    id="host-key-changed",
    what="A build trusts another SSH host key.",
    why="The owner of that key can put code into production's repositories.",
)
def host_key_changed(plans: Plans) -> Iterator[ReviewFinding]:
    # Where builds fetch what they work with, the keys are in an object of a bucket.
    for change in plans.changes("aws_codebuild_project", "aws_s3_object"):
        was, now = (set(_HOST_KEY.findall(json.dumps(values, default=str))) for values in (change.before, change.after))
        if change.appears and change.before:
            yield from (
                change.finding(said("trusts another host key: {key}", key=code(key))) for key in sorted(now - was)
            )


# A line of known_hosts: host, type of the key, and the key in Base64.
_HOST_KEY = re.compile(r"[\w.\[\]:,-]+ (?:ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]{20,}")


@rule(
    id="target-tag-changed",
    what="A tag changes by which policies name a repository.",
    why="With the tag, a build or a user reaches the repository; without it, they no longer do.",
)
def target_tag_changed(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes("aws_codecommit_repository"):
        was, now = (
            {**(values.get("tags_all") or {}), **(values.get("tags") or {})} for values in (change.before, change.after)
        )
        keys = sorted(
            key for key in {*was, *now} if key.lower().startswith("kakehashi:") and was.get(key) != now.get(key)
        )
        for key in keys if change.appears and change.before else ():
            yield change.finding(
                said(
                    "the tag {key} changes from {was} to {now}",
                    key=code(key),
                    was=shown(was.get(key)),
                    now=shown(now.get(key)),
                ),
                "tags",
            )
        if change.appears and change.before and any(change.unknown(name) for name in ("tags", "tags_all")):
            yield open_setting(change, "tags", "the tags by which policies name it change")
