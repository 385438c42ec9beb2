"""How API Gateway maps a webhook to a request to CodeBuild, and the response to the answer."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.terraform import Stacks, Terraform

FORM = "application/x-www-form-urlencoded"
SAID = '{"build": {"arn": "arn:aws:codebuild:ap-northeast-1:222222222222:build/x", "serviceRole": "role"}}'


@dataclass(frozen=True, kw_only=True)
class ApiAnswer:
    """The status of an answer, and every body that it may have."""

    status: str
    bodies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method's mapping, evaluated as API Gateway documents it for integrations of type AWS."""

    terraform: Terraform
    integration: dict[str, Any]
    responses: tuple[dict[str, Any], ...]

    def sent(self, content_type: str | None) -> str | None:
        """The body that the back end receives; None if the sender is answered 415 instead.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
        """
        # A request without a type counts as JSON; parameters such as the charset do not belong to the type.
        kind = (content_type or "application/json").partition(";")[0].strip().lower()
        if kind in self.integration["request_templates"]:
            return self.constant(self.integration["request_templates"][kind])
        assert self.integration["passthrough_behavior"] == "NEVER", "the back end receives the sender's own body"
        return None

    def answered(self, status: int, body: str) -> ApiAnswer:
        """The answer to the sender when the back end answers with `status` and `body`.

        A pattern must match the whole status; the response without a pattern is used for every other status. Any of
        several templates may be used; without a template the sender receives the back end's body.
        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
        """
        patterns = [response.get("selection_pattern") for response in self.responses]
        matching = [
            number for number, pattern in enumerate(patterns) if pattern and re.fullmatch(pattern, str(status))
        ] or [number for number, pattern in enumerate(patterns) if not pattern]
        assert len(matching) == 1, f"several responses, or none, match {status}"
        response = self.responses[matching[0]]
        templates = response.get("response_templates") or {}
        return ApiAnswer(
            status=self.resolved(response["status_code"]),
            bodies=tuple(self.constant(template) for template in templates.values()) or (body,),
        )

    def constant(self, template: str) -> str:
        """A template's text; refuses a template that computes anything."""
        text = self.resolved(template)
        assert not re.search("[$#]", text), f"not a constant: {text}"
        return text

    def resolved(self, text: str) -> str:
        """The text with references replaced by the resources' arguments."""
        return re.sub(r"\$\{(\w+\.\w+)\.(\w+)\}", lambda found: str(self.terraform.resource(found[1])[found[2]]), text)


@pytest.fixture(scope="module")
def methods(example: Stacks) -> dict[str, Method]:
    """Every method of the API by its path."""
    bridge = example["backlog-bridge"]

    def path(part: dict[str, Any]) -> str:
        name = part["resource_id"].removeprefix("${").removesuffix("}").rpartition(".")[0]
        if name.startswith("aws_api_gateway_method."):
            return path(bridge.resource(name))
        found: str = bridge.resource(name)["path_part"]
        return found

    responses = bridge.resources("aws_api_gateway_integration_response").values()
    return {
        path(integration): Method(
            terraform=bridge,
            integration=integration,
            responses=tuple(response for response in responses if path(response) == path(integration)),
        )
        for integration in bridge.resources("aws_api_gateway_integration").values()
    }


def test_every_repository_has_a_method_that_calls_an_aws_service(methods: dict[str, Method]) -> None:
    assert methods.keys() == {"website", "batch"}
    assert {method.integration["type"] for method in methods.values()} == {"AWS"}


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8"])
def test_backlogs_form_starts_the_repositorys_own_build_and_nothing_else(
    methods: dict[str, Method], content_type: str
) -> None:
    for key, method in methods.items():
        sent = method.sent(content_type)
        assert sent is not None
        assert json.loads(sent) == {"projectName": f"kakehashi-prd-backlog-{key}"}


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "multipart/form-data", "application/x-amz-json-1.1", "*/*"]
)
def test_any_other_content_type_is_refused_before_codebuild(
    methods: dict[str, Method], content_type: str | None
) -> None:
    for method in methods.values():
        assert method.sent(content_type) is None


def test_the_request_to_codebuild_does_not_depend_on_the_sender(methods: dict[str, Method]) -> None:
    for method in methods.values():
        assert method.integration["integration_http_method"] == "POST"
        assert method.integration["request_parameters"] == {
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            "integration.request.header.X-Amz-Target": "'CodeBuild_20161006.StartBuild'",
        }


def test_answers_200_when_a_build_started(methods: dict[str, Method]) -> None:
    for method in methods.values():
        assert method.answered(200, SAID) == ApiAnswer(status="200", bodies=('{"started": true}',))


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 502, 503, 504, 302])
def test_answers_503_when_a_build_did_not_start(methods: dict[str, Method], status: int) -> None:
    for method in methods.values():
        assert method.answered(status, SAID) == ApiAnswer(status="503", bodies=('{"started": false}',))


@pytest.mark.parametrize("status", [200, 400, 500])
def test_does_not_return_codebuilds_response(methods: dict[str, Method], status: int) -> None:
    for method in methods.values():
        for body in method.answered(status, SAID).bodies:
            assert json.loads(body).keys() == {"started"}
