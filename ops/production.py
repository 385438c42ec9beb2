"""Connects to the production account with boto3, and to no other account."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from errors import refused
from modules.labels import Labels
from settings import Deployment

if TYPE_CHECKING:
    import boto3  # type: ignore[import-untyped]

_TIMEOUT_SECONDS = 30

_LOGIN_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "RequestExpired",
    "UnrecognizedClient",
    "UnrecognizedClientException",
}
_ACCESS_DENIED = {"AccessDenied", "AccessDeniedException"}


def production(deployment: Deployment) -> "boto3.Session":
    """A session of the production account, with the deployment's profile and role.

    Raises RefusedError where the credentials are missing, refused, or of another account.
    """
    if deployment.prd is None:
        raise refused("prd", "the deployment has no production account", "add prd to the deployment file")
    import boto3

    account = deployment.prd.account
    with aws_errors_as_refusals("aws"):
        session = boto3.Session(profile_name=account.profile, region_name=deployment.region)
        if account.assume_role_arn is not None:
            session = _with_role(session, account.assume_role_arn, deployment.region)
        _refuse_other_accounts(client(session, "sts").get_caller_identity()["Account"], account.id)
    return session


def production_labels(deployment: Deployment) -> Labels:
    """The names and tags of the production account's resources."""
    return Labels(project=deployment.name, environment="prd", owner=deployment.owner)


def client(session: "boto3.Session", service: str, *, attempts: int = 5) -> Any:
    """A client that waits 30 seconds for an answer and makes each request up to `attempts` times."""
    from botocore.config import Config  # type: ignore[import-untyped]

    # At level DEBUG, botocore logs whole requests and answers, passwords included.
    logging.getLogger("botocore").setLevel(logging.INFO)
    config = Config(
        connect_timeout=_TIMEOUT_SECONDS,
        read_timeout=_TIMEOUT_SECONDS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    return session.client(service, config=config)


@contextmanager
def aws_errors_as_refusals(where: str) -> Iterator[None]:
    """Raise AWS's errors, and failures to reach AWS, as a RefusedError."""
    from botocore.exceptions import (  # type: ignore[import-untyped]
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        HTTPClientError,
        ProfileNotFound,
    )

    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise refused(where, f"{error.operation_name}: {code}: {message}", _hint(code)) from None
    except ProfileNotFound as error:
        raise refused(where, str(error), "correct AWS_PROFILE or prd.account.profile") from None
    except (EndpointConnectionError, HTTPClientError) as error:
        raise refused(where, str(error), "check the network and the proxy, and run the command again") from None
    except BotoCoreError as error:
        hint = "log in to the production account, see that it can be reached, and run the command again"
        raise refused(where, str(error), hint) from None


def _hint(code: str) -> str:
    if code in _ACCESS_DENIED:
        return "use credentials that may do this in the production account"
    if code in _LOGIN_EXPIRED:
        return "log in to the production account again"
    return "run the command again; it continues where it stopped"


def _with_role(session: "boto3.Session", role_arn: str, region: str) -> "boto3.Session":
    import boto3

    given = client(session, "sts").assume_role(RoleArn=role_arn, RoleSessionName="kakehashi")["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )


def _refuse_other_accounts(actual_id: str, production_id: str) -> None:
    if actual_id != production_id:
        raise refused(
            "aws",
            f"these are credentials of account '{actual_id}', production is '{production_id}'",
            "use the production account's, for example by AWS_PROFILE, or name prd.account.profile in the deployment",
        )
