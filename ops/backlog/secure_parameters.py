"""Reads secrets that people stored in SSM, and refuses those that are not encrypted there."""

from typing import Any

from errors import refused
from ops.production import aws_errors_as_refusals


def secure_value(parameters: Any, name: str, *, if_plain: str) -> str | None:
    """The secret in the SecureString `name`; None where there is no such parameter.

    Raises RefusedError for a parameter that is not encrypted, with `if_plain` as the next action.
    """
    with aws_errors_as_refusals(name):
        try:
            answer = parameters.get_parameter(Name=name, WithDecryption=True)
        except parameters.exceptions.ParameterNotFound:
            return None
    value: str = answer["Parameter"]["Value"]
    if answer["Parameter"]["Type"] != "SecureString":
        raise refused(name, f"the parameter is a {answer['Parameter']['Type']}, which is not encrypted", if_plain)
    return value
