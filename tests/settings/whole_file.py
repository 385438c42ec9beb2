"""A complete deployment file, functions that change it in one place, and the form of its errors."""

import functools
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from settings import Deployment

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIPDx8vP09fb3+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4P"
KMS_KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/1234abcd-12ab-34cd-86ef-1234567890ab"

WHOLE = f"""\
name: kakehashi
owner: platform-team
tags:
  cost-center: "4711"
region: ap-northeast-1
state:
  s3:
    bucket: example-terraform-state
    key_prefix: kakehashi
    region: ap-northeast-1
    kms_key_arn: arn:aws:kms:ap-northeast-1:333333333333:key/1234abcd-12ab-34cd-86ef-1234567890ab
dev:
  account:
    id: "111111111111"
    assume_role_arn: arn:aws:iam::111111111111:role/kakehashi-deploy
    profile: dev
  network:
    cidr: 10.10.0.0/16
    zones:
      a: {{ public_cidr: 10.10.0.0/24, private_cidr: 10.10.10.0/24 }}
      c: {{ public_cidr: 10.10.1.0/24, private_cidr: 10.10.11.0/24 }}
    nat:
      gateways: per_zone
      eip_allocation_ids:
        a: eipalloc-0123456789abcdef0
        c: eipalloc-0fedcba9876543210
    flow_log_retention_days: 90
  gitlab:
    external_url: https://gitlab.dev.example.com
    work_terminal_cidrs: [198.51.100.128/28]
    zone: a
    instance_type: c7i.2xlarge
    ami:
      owner: "782774275127"
      name_pattern: GitLab CE *
    key_pair: break-glass
    root_volume_gib: 100
    data_volume:
      size_gib: 200
      type: io2
      iops: 8000
    backups:
      at_utc: "09:00"
      keep_days: 35
    termination_protection: true
    images:
      at_utc: "17:00"
      keep: 7
    schedule:
      start: cron(0 8 ? * MON-FRI *)
      stop: cron(0 22 ? * MON-FRI *)
      timezone: Asia/Tokyo
  proxy:
    url: http://proxy.dev.example.com:3128
    cidrs: [10.99.0.0/28]
    no_proxy: [.dev.example.com]
prd:
  account:
    id: "222222222222"
  codecommit:
    repositories:
      infrastructure:
        description: Terraform of the production systems
        kms_key_arn: {KMS_KEY}
      application:
      batch:
    deletion_protected: true
    own_prefixes: [bat]
    push:
      from_cidrs: [203.0.113.10/32]
    pull:
      from_cidrs: [198.51.100.0/28]
    rooms:
      batch_operators:
        from_cidrs: [203.0.113.32/29]
        repositories: [batch]
      vault:
        from_vpc_endpoints: [vpce-0123456789abcdef0, vpce-0fedcba9876543210]
    detection:
      emails: [security@example.com]
      trail_retention_days: 400
  backlog:
    spaces:
      example:
        domain: backlog.jp
        known_hosts:
          - example.git.backlog.jp ssh-ed25519 {ED25519}
        ssh_key_parameter: /kakehashi/backlog/ssh-key
        ssh_key_kms_key_arn: {KMS_KEY.replace("1234abcd-", "12345678-")}
        ssh_public_key: ssh-ed25519 {ED25519} bridge
    repositories:
      website:
        space: example
        project: WEB
        repository: website
        target: {{ create: website }}
      batch:
        space: example
        project: OPS
        repository: batch
        target: {{ codecommit: batch }}
    webhook:
      sender_cidrs: [192.0.2.16/28, 192.0.2.64/28]
    isolation: repository
    cache:
      mode: s3
      expiration_days: 30
    vpc:
      id: vpc-0123456789abcdef0
      subnet_ids: [subnet-0123456789abcdef0]
    reconcile: rate(1 hour)
    alerts:
      emails: [platform-team@example.com]
      silent_hours: 6
    build_timeout_minutes: 60
    log_retention_days: 90
"""


Change = tuple[str, str]

WrongValue = tuple[str, str, str, str, str]
"""The text that is replaced in the whole file, its replacement, and the path, problem and hint of the error.

The error is on the replacement's last line.
"""

Refusal = Callable[[str | bytes], str]
"""Returns the error text for a file with this content."""

Loaded = Callable[[str], Deployment]
"""Loads a file with this content."""


def spoilt(*changes: tuple[str, str]) -> str:
    """The whole file with some texts replaced; each must occur exactly once."""
    text = WHOLE
    for old, new in changes:
        if text.count(old) != 1:
            raise AssertionError(f"{old!r} is there {text.count(old)} times")
        text = text.replace(old, new)
    return text


def spoilt_with_lines(changes: Sequence[Change]) -> tuple[str, list[int]]:
    """The whole file with texts replaced that do not overlap, and for each the last line (from 1) that it changes."""
    text, ends = WHOLE, [0] * len(changes)
    # From the end, so that the places before a change stay where they are.
    for index in sorted(range(len(changes)), key=lambda index: _span(changes[index])[0], reverse=True):
        (start, end), (old, new) = _span(changes[index]), changes[index]
        pairs = zip(reversed(old), reversed(new), strict=False)
        unchanged = len([*takewhile(lambda pair: pair[0] == pair[1], pairs)])
        more = new.count("\n") - text.count("\n", start, end)
        ends = [line + more if line else 0 for line in ends]
        text = text[:start] + new + text[end:]
        ends[index] = (text[:start] + new[: len(new) - unchanged].rstrip("\n")).count("\n") + 1
    return text, ends


def in_different_places(rows: Iterable[WrongValue]) -> list[list[WrongValue]]:
    """Divides rows into few groups, so that one file can have all changes of a group.

    The texts that a group replaces are on different lines, and no path of a group is the beginning of another.
    """
    groups: list[list[WrongValue]] = []
    for row in rows:
        fitting = (group for group in groups if not any(_same_place(row, other) for other in group))
        group = next(fitting, None)
        if group is None:
            groups.append([row])
        else:
            group.append(row)
    return groups


def _same_place(row: WrongValue, other: WrongValue) -> bool:
    lines, others = _lines(row[:2]), _lines(other[:2])
    one, two = row[2].lower(), other[2].lower()  # one row changes a key to capitals
    return bool(lines & others) or one.startswith(two) or two.startswith(one)


@functools.cache
def _lines(change: Change) -> frozenset[int]:
    """The lines (from 0) of the text that a change replaces."""
    return frozenset(WHOLE.count("\n", 0, place) for place in range(*_span(change)))


def _span(change: Change) -> tuple[int, int]:
    old, _ = change
    if WHOLE.count(old) != 1:
        raise AssertionError(f"{old!r} is there {WHOLE.count(old)} times")
    return WHOLE.index(old), WHOLE.index(old) + len(old)


def last_line_of_change(old: str, new: str) -> int:
    """The line (from 1) on which `new` ends when only `old` is replaced by it."""
    start = WHOLE.index(old)
    return (WHOLE[:start] + new.rstrip("\n")).count("\n") + 1


def line_of(text: str, fragment: str) -> int:
    """The line (from 1) of `fragment`, which must occur once in `text`."""
    if text.count(fragment) != 1:
        raise AssertionError(f"{fragment!r} is there {text.count(fragment)} times")
    return text.count("\n", 0, text.index(fragment)) + 1


def error(line: int, path: str, what: str, hint: str) -> str:
    """The two lines that a user sees for one problem of x.yaml."""
    return f"error: x.yaml:{line}: {path}: {what}\nhint: {hint}"


def line_of_change(change: Change) -> int:
    context = ("\n      app", "\n        project: WEB")
    return last_line_of_change(change[0], change[1].removesuffix(context[0]).removesuffix(context[1]))


def without(start: str, end: str, *changes: Change) -> str:
    """The whole file without the text from `start` up to `end`, and with changes."""
    text = spoilt(*changes)
    first = text.index(start)
    return text[:first] + text[text.index(end, first) :]


OF_ENTRIES = (
    "keep the settings of one form. One Backlog repository: space, project, repository, target; "
    "The repositories of a Backlog project: space, from_project, except, target, agreed"
)
OF_TARGETS = (
    "keep the settings of one form. A repository of the bridge's own: description, kms_key_arn, create; "
    "One of prd.codecommit's repositories: codecommit; For a project, a repository of the bridge's own for each of its "
    "repositories: description, kms_key_arn, create_prefix"
)
"""Hints that name the forms of an entry of prd.backlog.repositories, and of its target."""
