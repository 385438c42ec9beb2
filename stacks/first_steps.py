"""What people do after the first apply of a stack, for those who have its HCL and nothing else."""

from modules.labels import Labels
from settings import Deployment
from settings.backlog import BacklogSettings
from settings.codecommit import CodeCommitSettings
from settings.gitlab import GitlabSettings
from stacks.base import FirstStep

_CREDENTIAL = "username: ServiceUserName, password: ServicePassword, credential_id: ServiceSpecificCredentialId"


def git_credentials(region: str, settings: CodeCommitSettings) -> FirstStep:
    """For those who apply prd-codecommit."""
    users = [
        *(["push_user_name"] if settings.push is not None else []),
        *(["pull_user_name"] if settings.pull is not None else []),
        *(["room_user_names"] if settings.rooms else []),
    ]
    key = _option("--kms-key-id", settings.credentials.kms_key_arn)
    named = "USER-git-credential"
    return FirstStep(
        text=f"Issue a Git credential for each IAM user: USER stands for its name, in the output{_listed(users)}. "
        "IAM shows the password only then. These commands put it into a secret, where people look it up; the console "
        "issues one, too, under Security credentials of the user. Git's addresses are in the output clone_urls_https.",
        commands=(
            f"aws secretsmanager create-secret --region {region} --name {named}{key}",
            "aws iam create-service-specific-credential --user-name USER --service-name codecommit.amazonaws.com "
            f"--output json --query 'ServiceSpecificCredential.{{{_CREDENTIAL}}}' | aws secretsmanager "
            f"put-secret-value --region {region} --secret-id {named} --secret-string file:///dev/stdin",
        ),
    )


def gitlab(region: str, settings: GitlabSettings) -> list[str | FirstStep]:
    """For those who apply dev-gitlab, without its mirrors."""
    front = "load_balancer_dns_name" if settings.load_balancer is not None else "public_ip"
    certificate = FirstStep(
        text="Before the first login, compare the SHA-256 fingerprint of GitLab's self-signed certificate with the one "
        "that the server writes to its console. Or put a certificate of your own in its place, in /etc/gitlab/ssl.",
        commands=(
            f'aws ec2 get-console-output --region {region} --instance-id "$(terraform output -raw instance_id)" '
            "--query Output --output text",
        ),
    )
    return [
        *([f"Point GitLab's host name at what the output {front} says."] if settings.route53_zone_id is None else []),
        *([certificate] if settings.makes_its_certificate else []),
        FirstStep(
            text="Log in to GitLab as root. The password is in an SSM parameter.",
            commands=(
                f"aws ssm get-parameter --region {region} --with-decryption --name "
                '"$(terraform output -raw parameters)/root-password" --query Parameter.Value --output text',
            ),
        ),
    ]


def gitlab_mirrors(deployment: Deployment) -> list[str]:
    """For those who apply dev-gitlab."""
    prd = deployment.prd
    target, login, projects = "the address of the CodeCommit repository", "a user's who may push to it", ""
    if prd is not None and prd.codecommit is not None:
        if prd.codecommit.push is None:
            return []
        secret = Labels(project=deployment.name, environment="prd", owner=deployment.owner).git_secret("push")
        target = f"the address https://git-codecommit.{deployment.region}.amazonaws.com/v1/repos/NAME"
        login = f"those in the secret {secret} of account {prd.account.id}"
        projects = _projects(prd.codecommit)
    return [
        "Give each GitLab project that goes into CodeCommit a push mirror, in its settings under Repository, Mirroring "
        f"repositories: {target}, direction Push, and as user name and password {login}. Leave Keep divergent refs "
        f"off.{projects}"
    ]


def bridge(region: str, settings: BacklogSettings) -> list[FirstStep]:
    """For those who apply backlog-bridge."""
    put = f"aws ssm put-parameter --region {region} --type SecureString"
    keys: dict[str, tuple[str, str | None]] = {}  # spaces may have one parameter
    for space, it in settings.spaces.items():
        first, encrypted_with = keys.get(it.ssh_key_parameter, (space, None))
        keys[it.ssh_key_parameter] = first, encrypted_with or it.ssh_key_kms_key_arn
    chat = settings.alerts.webhook_parameter
    project = (
        " Or one for a whole project, under Integrations, Webhook, for Git pushes alone: the URL of SPACE.PROJECT. "
        "Both for one repository start two builds."
        if settings.isolation == "space"
        else ""
    )
    return [
        FirstStep(
            text="Store the private SSH key of each space, here in a file SPACE.key to delete afterwards. It has no "
            "passphrase, and its public half is registered in Backlog for a user who may read the repositories.",
            commands=[
                f"{put} --name {name}{_option('--key-id', key)} --value file://{space}.key"
                for name, (space, key) in keys.items()
            ],
        ),
        *(
            [
                FirstStep(
                    text="Store the URL of the chat's webhook, here in a file chat-url.",
                    commands=(f"{put} --name {chat} --value file://chat-url",),
                )
            ]
            if chat is not None
            else []
        ),
        FirstStep(
            text="Register the webhooks, so that a push does not wait for the schedule: in Backlog's project settings, "
            f"under Git, the URL of each repository.{project} Whoever has a URL can start builds: keep it secret.",
            commands=("terraform output webhook_urls",),
        ),
    ]


def _projects(settings: CodeCommitSettings) -> str:
    """Which project goes into which repository, as far as the settings say so."""
    named = {name: it for name, it in settings.repositories.items() if it is not None and it.gitlab_project is not None}
    if not named:
        return ""
    pairs = "; ".join(
        f"{it.gitlab_project} into {name}{' (only protected branches)' if it.only_protected_branches else ''}"
        for name, it in named.items()
    )
    return f" These projects: {pairs}."


def _option(name: str, value: str | None) -> str:
    return f" {name} {value}" if value is not None else ""


def _listed(names: list[str]) -> str:
    """`s a, b and c` behind a noun, or ` a`."""
    *first, last = names
    return f"s {', '.join(first)} and {last}" if first else f" {last}"
