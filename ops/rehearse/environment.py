"""The environment of Terraform's runs in a rehearsal: it leads to the emulated AWS only."""

from collections.abc import Mapping
from pathlib import Path

from ops.rehearse.stacks import RehearsalStack
from terraform.cli import own_environment

# The access key of a stack that assumes a role. It belongs to an account outside the deployment, so that a run which
# reaches the right account has assumed the role.
CALLER = "000000000000"


def environment(
    stack: RehearsalStack, *, endpoint: str, aws_folder: Path, plugin_cache: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of one Terraform run. No AWS, moto or Terraform setting of the user's is in it."""
    inherited = {name: value for name, value in inherited.items() if not name.startswith("MOTO_")}
    return {
        "TF_PLUGIN_CACHE_DIR": str(plugin_cache),
        # Without it every stack downloads the provider again. It can break no lock file but those of the copies.
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",
        **own_environment(inherited),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": _access_key(stack),
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": stack.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(aws_folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws_folder / "credentials"),
    }


def write_profiles(stack: RehearsalStack, aws_folder: Path) -> None:
    """AWS configuration for one stack: the profiles that it names, and no others."""
    aws_folder.mkdir(parents=True, exist_ok=True)
    profiles = sorted(stack.profiles)
    (aws_folder / "config").write_text(
        "".join(f"[profile {name}]\nregion = {stack.region}\n" for name in profiles), encoding="utf-8"
    )
    (aws_folder / "credentials").write_text(
        "".join(
            f"[{name}]\naws_access_key_id = {_access_key(stack)}\naws_secret_access_key = rehearsal\n"
            for name in profiles
        ),
        encoding="utf-8",
    )


def _access_key(stack: RehearsalStack) -> str:
    """The emulated AWS takes the access key as the account."""
    return CALLER if stack.assumes_role else stack.account
