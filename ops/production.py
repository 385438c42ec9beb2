"""Gets into the production account with boto3, and into no other."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from errors import refused
from settings import AccountSettings, Deployment

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

_TIMEOUT_SECONDS = 30


def production(deployment: Deployment) -> "boto3.Session":
    """A session of the production account, by its profile and role.

    Raises RefusedError where the credentials are missing, refused, or of another account.
    """
    if deployment.prd is None:
        raise refused("prd", "the deployment has no production account", "add prd to the deployment file")
    import boto3

    account = deployment.prd.account
    with told_as_refusals("aws"):
        session = boto3.Session(profile_name=account.profile, region_name=deployment.region)
        if account.assume_role_arn is not None:
            session = _assumed(session, account.assume_role_arn, deployment.region)
        _refuse_others(client(session, "sts").get_caller_identity()["Account"], account)
    return session


def client(session: "boto3.Session", service: str, *, attempts: int = 5) -> Any:
    """A client that waits half a minute at most, and makes a request again `attempts` times at most."""
    from botocore.config import Config  # type: ignore[import-untyped]

    # When debugging, botocore logs whole requests and answers, and passwords are in them.
    logging.getLogger("botocore").setLevel(logging.INFO)
    config = Config(
        connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    return session.client(service, config=config)


@contextmanager
def told_as_refusals(where: str) -> Iterator[None]:
    """Turn what AWS refuses, and what keeps it from being asked, into a RefusedError."""
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        raise refused(
            where, f"{error.operation_name}: {said['Code']}: {said['Message']}", _hint(said["Code"])
        ) from None
    except BotoCoreError as error:
        hint = "log in to the production account, see that it can be reached, and run the command again"
        raise refused(where, str(error), hint) from None


def _hint(code: str) -> str:
    if code.startswith("AccessDenied"):
        return "use credentials that may do this in the production account"
    if "Expired" in code or "InvalidClientTokenId" in code or "UnrecognizedClient" in code:
        return "log in to the production account again"
    return "run the command again; what was done so far stands"


def _assumed(session: "boto3.Session", role_arn: str, region: str) -> "boto3.Session":
    import boto3

    given = client(session, "sts").assume_role(RoleArn=role_arn, RoleSessionName="kakehashi")["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )


def _refuse_others(got_into: str, account: AccountSettings) -> None:
    if got_into != account.id:
        raise refused(
            "aws",
            f"these are credentials of account '{got_into}', production is '{account.id}'",
            "use the production account's, for example by AWS_PROFILE, or name prd.account.profile in the deployment",
        )
