"""Makes every name and tag, so that two deployments in one account never collide."""

import hashlib
from dataclasses import dataclass

MIRRORED_BY = "kakehashi:mirrored-by"
"""The tag of a repository that a mirror fills: the name of the unit that fills it."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What every name of one deployment in one account starts with."""

    project: str
    environment: str
    owner: str

    def name(self, *parts: str, limit: int = 128) -> str:
        """A name of at most `limit` characters, for example `kakehashi-dev-gitlab`.

        A longer name is cut and ends in a hash of the whole name, so that it is unique and always the same.
        """
        whole = "-".join((self.project, self.environment, *parts))
        if len(whole) <= limit:
            return whole
        digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
        return f"{whole[: limit - 9]}-{digest}"

    def git_user(self, *role: str) -> str:
        """The name of an IAM user for Git, for example `kakehashi-prd-push`."""
        return self.name(*role, limit=64)

    def git_secret(self, *role: str) -> str:
        """The name of the secret that holds a Git user's credential.

        It must not end in a hyphen and six characters: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
        """
        return self.name(*role, "git-credential", limit=512)

    def backup_bucket(self, account_id: str) -> str:
        """The name of the bucket for GitLab's backups."""
        return self.name("gitlab-backups", account_id, limit=63)

    def webhook_api(self) -> str:
        """The name of the API that Backlog's webhooks call."""
        return self.name("backlog")

    def named(self, *parts: str) -> dict[str, str]:
        """The Name tag, for resources whose name AWS shows only there."""
        return {"Name": self.name(*parts, limit=256)}

    def default_tags(self, extra: dict[str, str]) -> dict[str, str]:
        """The tags of everything: the labels, and the deployment's own."""
        return {
            **extra,
            "project": self.project,
            "environment": self.environment,
            "owner": self.owner,
            "managed-by": "kakehashi",
        }
