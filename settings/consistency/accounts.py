"""Rules for the two accounts, for state, and for the deployment as a whole."""

from collections.abc import Iterator

from errors.shown import shown
from settings.consistency.valid_values import ValidValues
from settings.problems import Path, SettingProblem

LABEL_TAGS = ("name", "project", "environment", "owner", "managed-by")
"""The tags that the labels set; a deployment's own tags must not replace them.

Nor may they replace those that policies name, which start with kakehashi: and are on single repositories.
"""

_PARTS = (("dev", "network"), ("dev", "gitlab"), ("prd", "codecommit"), ("prd", "backlog"))


def _something_to_build(valid: ValidValues) -> Iterator[SettingProblem]:
    if not any(valid.names(*part) for part in _PARTS):
        names = ", ".join(".".join(part) for part in _PARTS)
        yield SettingProblem(what="there is nothing to build", hint=f"add at least one of {names}")


def _two_accounts(valid: ValidValues) -> Iterator[SettingProblem]:
    dev, prd = (valid.value(name, "account", "id") for name in ("dev", "prd"))
    if dev is not None and str(dev) == str(prd):
        yield SettingProblem(
            path=("prd", "account", "id"),
            what=f"'{prd}' is also the development account",
            hint="an administrator of one account controls everything in it: use two accounts",
        )


def _roles_are_of_their_account(valid: ValidValues) -> Iterator[SettingProblem]:
    for name in ("dev", "prd"):
        account, role = (valid.value(name, "account", key) for key in ("id", "assume_role_arn"))
        if account is not None and role is not None and role.split(":")[4] != str(account):
            yield SettingProblem(
                path=(name, "account", "assume_role_arn"),
                what=f"{shown(role)} is a role of another account than '{account}'",
                hint="name a role of this account: Terraform refuses to work with any other's credentials",
            )


def _tags(valid: ValidValues) -> Iterator[SettingProblem]:
    first: dict[str, str] = {}
    for key in valid.keys("tags"):
        if key.lower() in LABEL_TAGS or key.lower().startswith("kakehashi:"):
            yield SettingProblem(
                path=("tags", key), what=f"{shown(key)} is a tag that the labels set", hint="choose another key"
            )
        elif key.lower() in first:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
            what = f"{shown(key)} differs from {shown(first[key.lower()])} in upper and lower case only"
            yield SettingProblem(
                path=("tags", key), what=what, hint="IAM ignores case in tag keys: rename or remove one"
            )
        first.setdefault(key.lower(), key)


def _state_key(valid: ValidValues) -> Iterator[SettingProblem]:
    region = valid.value("state", "s3", "region")
    yield from kms_key_problems(valid, ("state", "s3", "kms_key_arn"), region=region, user="the state's bucket")


def _state_account(valid: ValidValues) -> Iterator[SettingProblem]:
    """The state may have an account of its own, which no setting names: its role and its key must agree on it."""
    named = {name: valid.value("state", "s3", name) for name in ("assume_role_arn", "kms_key_arn")}
    accounts = [valid.value(name, "account", "id") for name in ("dev", "prd")]
    role, key = (arn.split(":")[4] if arn is not None else None for arn in named.values())
    if role is not None and key is not None and role != key and not {role, key} & {str(one) for one in accounts}:
        yield SettingProblem(
            path=("state", "s3", "kms_key_arn"),
            what=f"{shown(named['kms_key_arn'])} is a key of account {key}, the state's role is of account {role}",
            hint="name a role and a key of the state's own account, or of one of the two accounts",
        )


def kms_key_problems(
    valid: ValidValues, path: Path, *, user: str, region: str | None, account: str | None = None
) -> Iterator[SettingProblem]:
    """The KMS key at `path` must be in the region and account of what it encrypts, `user`."""
    arn = valid.value(*path)
    if arn is None:
        return
    of_region, of_account = arn.split(":")[3:5]
    if region is not None and of_region != region:
        what = f"{shown(arn)} is a key of {of_region}, {user} is in {region}"
        yield SettingProblem(path=path, what=what, hint=f"name a key of {region}")
    if account is not None and of_account != account:
        what = f"{shown(arn)} is a key of account {of_account}, {user} is in {account}"
        yield SettingProblem(path=path, what=what, hint=f"name a key of account {account}")


RULES = (_something_to_build, _two_accounts, _roles_are_of_their_account, _tags, _state_key, _state_account)
