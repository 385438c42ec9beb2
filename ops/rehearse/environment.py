"""The environment of Terraform's runs in a rehearsal: it leads to the emulated AWS only."""

from collections.abc import Mapping
from pathlib import Path

from ops.rehearse.stacks import RehearsalStack

# Keys of nobody: who assumes a role starts from an account that is none of the deployment's, so that reaching the
# right account proves the role was assumed.
CALLER = "000000000000"

# What may pass from the user's environment, of all that steers Terraform: where providers come from.
_KEPT = {"TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"}


def environment(
    stack: RehearsalStack, *, endpoint: str, aws_folder: Path, plugin_cache: Path, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of one Terraform run.

    Nothing of the user's AWS settings passes, and nothing that would change what Terraform does (`TF_VAR_…`,
    `TF_CLI_ARGS…`, `TF_WORKSPACE`, …).
    """
    kept = {
        key: value for key, value in inherited.items() if not key.startswith(("AWS_", "TF_", "MOTO_")) or key in _KEPT
    }
    return {
        "TF_PLUGIN_CACHE_DIR": str(plugin_cache),
        # Without it every stack downloads the provider again; it can break no lock file but those of the copies.
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "true",
        **kept,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": CALLER if stack.assumes_role else stack.account,
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_REGION": stack.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(aws_folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(aws_folder / "credentials"),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }


def write_profiles(stack: RehearsalStack, aws_folder: Path) -> None:
    """AWS configuration for one stack: the profiles that it names, and nothing else."""
    aws_folder.mkdir(parents=True, exist_ok=True)
    key = CALLER if stack.assumes_role else stack.account
    profiles = sorted(stack.profiles)
    (aws_folder / "config").write_text("".join(f"[profile {name}]\nregion = {stack.region}\n" for name in profiles))
    (aws_folder / "credentials").write_text(
        "".join(f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = rehearsal\n" for name in profiles)
    )
