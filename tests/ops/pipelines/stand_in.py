"""A stand-in for the AWS CLI: buckets are folders, and every call is judged by its role's policies.

Of `aws s3 cp` (https://docs.aws.amazon.com/cli/latest/reference/s3/cp.html) and `aws s3api list-objects-v2`, it has
what the pipelines' steps use. A role is assumed with the job's token, which is JSON here: its claims.
"""

import json
import os
import stat
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def install(folder: Path, buckets: Path, roles: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Put the stand-in below `folder`; gives the environment that finds it. `roles` have `trust` and `permissions`."""
    programs = folder / "programs"
    programs.mkdir(parents=True, exist_ok=True)
    buckets.mkdir(exist_ok=True)
    (folder / "roles.json").write_text(json.dumps(roles))
    program = programs / "aws"
    program.write_text(f"#!{sys.executable} -S\nimport sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n")
    program.write_text(f"{program.read_text()}from stand_in import main\nsys.exit(main(sys.argv[1:]))\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {
        "BUCKETS": str(buckets),
        "ROLES": str(folder / "roles.json"),
        "PATH": f"{programs}:{os.environ['PATH']}",
    }


def allows(policy: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a policy allows an action; for the few operators that the documented policies have."""
    effects = {one["Effect"] for one in policy["Statement"] if _is_about(one, action, resource, context)}
    return effects == {"Allow"}


def _is_about(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    patterns = statement.get("Resource", statement.get("NotResource", "*"))
    is_named = any(fnmatchcase(resource, pattern) for pattern in _listed(patterns))
    return (
        any(fnmatchcase(action, pattern) for pattern in _listed(statement["Action"]))
        and is_named != ("NotResource" in statement)
        and all(
            _OPERATORS[operator](context.get(key), _listed(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


_OPERATORS = {
    "StringEquals": lambda value, values: value in values,
    "StringLike": lambda value, values: value is not None and any(fnmatchcase(value, one) for one in values),
    "StringNotEquals": lambda value, values: value not in values,
}


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def assumed(profile: str, roles: Mapping[str, Mapping[str, Any]]) -> str:
    """The role of a profile, as the CLI assumes it. Raises PermissionError."""
    config = ConfigParser()
    config.read(os.environ["AWS_CONFIG_FILE"])
    section = config[f"profile {profile}"]
    role, source = section["role_arn"], section.get("source_profile")
    if source is not None:
        first = assumed(source, roles)
        if not allows(roles[first]["permissions"], "sts:AssumeRole", role, {}):
            raise PermissionError(f"{first} may not assume {role}")
        return role
    claims = json.loads(Path(section["web_identity_token_file"]).read_text())
    issuer = claims.pop("iss").removeprefix("https://")
    context = {f"{issuer}:{name}": value for name, value in claims.items()}
    if not allows(roles[role]["trust"], "sts:AssumeRoleWithWebIdentity", "", context):
        raise PermissionError(f"{claims['sub']} may not assume {role}")
    return role


def main(arguments: list[str]) -> int:
    """Run one command; gives its exit status."""
    roles = json.loads(Path(os.environ["ROLES"]).read_text())
    buckets = Path(os.environ["BUCKETS"])
    try:
        assert arguments[0] == "--profile"
        permissions = roles[assumed(arguments[1], roles)]["permissions"]
        with (buckets / "calls").open("a") as calls:
            calls.write(" ".join(arguments[2:]) + "\n")
        match arguments[2:4]:
            case ["s3", "cp"]:
                return _copy(arguments[4:], buckets, permissions)
            case ["s3api", "list-objects-v2"]:
                return _count(arguments[4:], buckets, permissions)
        raise AssertionError(arguments)
    except PermissionError as error:
        print(f"An error occurred (AccessDenied): {error}", file=sys.stderr)
        return 254  # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html


def _copy(arguments: list[str], buckets: Path, permissions: Mapping[str, Any]) -> int:
    with_values = {"--sse", "--sse-kms-key-id"}
    plain = [
        argument
        for place, argument in enumerate(arguments)
        if not argument.startswith("--") and arguments[place - 1] not in with_values
    ]
    paths = []
    for action, name in zip(("s3:GetObject", "s3:PutObject"), plain, strict=True):
        if name.startswith("s3://"):
            resource = f"arn:aws:s3:::{name.removeprefix('s3://')}"
            if not allows(permissions, action, resource, {}):
                raise PermissionError(f"{action} on {resource}")
        paths.append(buckets / name.removeprefix("s3://") if name.startswith("s3://") else Path(name))
    if not paths[0].exists():
        return 1
    paths[1].parent.mkdir(parents=True, exist_ok=True)
    paths[1].write_bytes(paths[0].read_bytes())
    return 0


def _count(arguments: list[str], buckets: Path, permissions: Mapping[str, Any]) -> int:
    bucket, key = (arguments[arguments.index(name) + 1] for name in ("--bucket", "--prefix"))
    assert arguments[arguments.index("--query") + 1] == f"length(Contents[?Key=='{key}'] || `[]`)"
    if not allows(permissions, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {}):
        raise PermissionError(f"s3:ListBucket on {bucket}")
    print(int((buckets / bucket / key).exists()))
    return 0
