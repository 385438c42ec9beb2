"""How API Gateway maps a webhook to a request to CodeBuild, and the response to the answer."""

import json
import random
import re
from dataclasses import dataclass
from typing import Any

import airspeed  # type: ignore[import-untyped]
import pytest

from modules import webhook_templates
from tests.terraform import Stacks, Terraform

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SAID = '{"build": {"arn": "arn:aws:codebuild:ap-northeast-1:222222222222:build/x", "serviceRole": "role"}}'
METHOD = "aws_api_gateway_method"
UNIT = "kakehashi-prd-backlog-example"


@dataclass(frozen=True)
class Request:
    """What a template sees as `$input`: a path, a body, and nothing else of the request."""

    name: str | None
    body: str = ""

    def params(self, name: str) -> str | None:
        """The value of a path parameter."""
        return self.name if name == "mirror" else None

    def path(self, _: str) -> str:
        """The body."""
        return self.body


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method's mapping, evaluated as API Gateway documents it for integrations of type AWS."""

    terraform: Terraform
    integration: dict[str, Any]
    responses: tuple[dict[str, Any], ...]

    def sent(self, content_type: str | None, request: Request) -> str | None:
        """The body that the back end receives; None if the sender is answered 415 instead.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html
        """
        # A request without a type counts as JSON; parameters such as the charset do not belong to the type.
        kind = (content_type or JSON).partition(";")[0].strip().lower()
        if kind in self.integration["request_templates"]:
            return evaluated(self.integration["request_templates"][kind], request)[0]
        assert self.integration["passthrough_behavior"] == "NEVER", "the back end receives the sender's own body"
        return None

    def answered(self, status: int, request: Request) -> tuple[int, str]:
        """The answer to the sender when the back end answers with `status`.

        A pattern must match the whole status; the response without a pattern is used for every other status.
        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
        """
        patterns = [response.get("selection_pattern") for response in self.responses]
        matching = [
            number for number, pattern in enumerate(patterns) if pattern and re.fullmatch(pattern, str(status))
        ] or [number for number, pattern in enumerate(patterns) if not pattern]
        assert len(matching) == 1, f"several responses, or none, match {status}"
        response = self.responses[matching[0]]
        # Without a template the sender would receive the back end's body.
        (template,) = response["response_templates"].values()
        body, override = evaluated(template, request)
        return override.get("status", int(self.resolved(response["status_code"]))), body

    def resolved(self, text: str) -> str:
        """The text with references replaced by the resources' arguments."""
        return re.sub(r"\$\{(\w+\.\w+)\.(\w+)\}", lambda found: str(self.terraform.resource(found[1])[found[2]]), text)


def evaluated(template: str, request: Request) -> tuple[str, dict[str, int]]:
    """What a template makes of a request, and the status that it sets."""
    override: dict[str, int] = {}
    context = {"responseOverride": override}
    text = airspeed.Template(template).merge({"input": request, "context": context})
    return text.strip(), override


@pytest.fixture(scope="module")
def methods(example: Stacks) -> dict[str, Method]:
    """The methods of the API by their resources' names."""
    bridge = example["backlog-bridge"]
    responses = bridge.resources("aws_api_gateway_integration_response").values()
    return {
        name.removesuffix("_start_build"): Method(
            terraform=bridge,
            integration=integration,
            responses=tuple(
                one for one in responses if one["resource_id"].endswith(f"{name[:-12]}_post.resource_id}}")
            ),
        )
        for name, integration in bridge.resources("aws_api_gateway_integration").items()
    }


def test_there_is_one_method_at_the_path_of_hooks_and_one_at_the_path_of_before(example: Stacks) -> None:
    resources = example["backlog-bridge"].resources("aws_api_gateway_resource")
    assert {name: (one["parent_id"], one["path_part"]) for name, one in resources.items()} == {
        "webhook_hooks": ("${aws_api_gateway_rest_api.webhook_api.root_resource_id}", "hooks"),
        "webhook_hook_resource": ("${aws_api_gateway_resource.webhook_hooks.id}", "{mirror}"),
        "webhook_old_hook_resource": ("${aws_api_gateway_rest_api.webhook_api.root_resource_id}", "{mirror}"),
    }


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", JSON, None])
@pytest.mark.parametrize("name", ["website", "batch", "example.WEB", "example.OPS"])
def test_a_webhook_starts_the_build_of_its_unit_for_its_mirror(
    methods: dict[str, Method], name: str, content_type: str | None
) -> None:
    assert len(methods) == 2
    for method in methods.values():
        sent = method.sent(content_type, Request(name, SAID))
        assert sent is not None
        assert json.loads(sent) == _start(UNIT, name)


def _start(project: str, mirror: str) -> dict[str, Any]:
    override = {"name": "MIRROR", "value": mirror, "type": "PLAINTEXT"}
    return {"projectName": project, "environmentVariablesOverride": [override]}


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/x-amz-json-1.1", "*/*"])
def test_any_other_content_type_is_refused_before_codebuild(methods: dict[str, Method], content_type: str) -> None:
    for method in methods.values():
        assert method.sent(content_type, Request("website")) is None


def test_the_request_to_codebuild_has_constant_headers(methods: dict[str, Method]) -> None:
    for method in methods.values():
        assert method.integration["integration_http_method"] == "POST"
        assert method.integration["request_parameters"] == {
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            "integration.request.header.X-Amz-Target": "'CodeBuild_20161006.StartBuild'",
        }


def test_answers_200_when_a_build_started(methods: dict[str, Method]) -> None:
    for method in methods.values():
        assert method.answered(200, Request("website", SAID)) == (200, '{"started": true}')


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 502, 503, 504, 302])
@pytest.mark.parametrize("name", ["website", "example.WEB"])
def test_answers_503_when_a_build_did_not_start(methods: dict[str, Method], status: int, name: str) -> None:
    for method in methods.values():
        assert method.answered(status, Request(name, SAID)) == (503, '{"started": false}')


@pytest.mark.parametrize("status", [400, 500])
def test_answers_404_to_an_unknown_name(methods: dict[str, Method], status: int) -> None:
    for method in methods.values():
        assert method.answered(status, Request("nobody", SAID)) == (404, '{"started": false}')


@pytest.mark.parametrize("name", [None, ""])
def test_answers_503_where_the_name_cannot_be_read(methods: dict[str, Method], name: str | None) -> None:
    """API Gateway's documentation does not say whether a response's template sees the request's parameters."""
    for method in methods.values():
        assert method.answered(400, Request(name)) == (503, '{"started": false}')


KNOWN = {
    "web": ("p-1", "web"),
    "web-2": ("p-1", "web-2"),
    "api": ("p-2", "api"),
    "partner.WEB": ("p-2", "partner.WEB"),
}
PIECES = (
    *KNOWN,
    *"$#!{}\"'\\/%\n\r\t\x00 ,:.[]()",
    *("#set($found = {})", "#set($name = 'web')", "$found", "$!hooks", "${hooks}", "$hooks.get('web')", "#end", "#*"),
    *("#if(true)", "#foreach($x in [1..9])$x#end", "#include('x')", "#parse('x')", "#stop", "#evaluate('x')", "##"),
    *(
        "class",
        "get",
        "keys",
        "__class__",
        "getClass()",
        "size",
        "null",
        "true",
        "0",
        "mirror",
        "project",
        "$input.body",
    ),
    *("橋", "\u202e", "\ufeff", "é", "e\u0301", "\U0001f309", "\ud800", "\uff37EB", "WEB", "..", "web ", "toString"),
    '", "sourceVersion": "',
)
"""What hostile names and bodies are made of."""


def _hostile(chance: random.Random) -> str:
    pieces = chance.choices(PIECES, k=chance.choice((0, 1, 1, 2, 3, 8)))
    if chance.random() < 0.01:
        pieces *= 2_000
    text = "".join(pieces)
    if text and chance.random() < 0.2:
        start = chance.randrange(len(text))
        text = text[start : start + chance.randrange(1, 9)]
    return text


@pytest.mark.slow
def test_what_reaches_codebuild_is_an_entry_of_the_table_or_no_project_whatever_is_asked() -> None:
    chance = random.Random("webhook")
    request = airspeed.Template(webhook_templates.request(KNOWN))
    refused = airspeed.Template(webhook_templates.refused(KNOWN))
    nothing, tried = _start("", ""), {True: 0, False: 0}
    for _ in range(10_000):
        asked = Request(_hostile(chance), _hostile(chance))
        assert asked.name is not None
        sent = json.loads(request.merge({"input": asked}))
        is_known = asked.name in KNOWN
        assert sent == (_start(*KNOWN[asked.name]) if is_known else nothing), repr(asked.name)
        override: dict[str, int] = {}
        answer = refused.merge({"input": asked, "context": {"responseOverride": override}}).strip()
        assert answer == '{"started": false}'
        assert override == ({} if is_known or not asked.name else {"status": 404}), repr(asked.name)
        tried[is_known] += 1
    assert min(tried.values()) > 100


def test_a_table_has_a_line_for_each_name_in_their_order_which_ends_in_a_comma() -> None:
    for template in (webhook_templates.request(KNOWN), webhook_templates.refused(KNOWN)):
        lines = template.splitlines()
        assert [line.partition(":")[0] for line in lines[1:6]] == [f'  "{name}"' for name in (*sorted(KNOWN), "")]
        assert [line.endswith(",") for line in lines[1:6]] == [True] * len(KNOWN) + [False]
        assert template.endswith("}\n")


@pytest.mark.parametrize("name", ["a b", "a$b", "#set", 'a"b', "", "橋", "a\nb", "a\\b"])
def test_a_table_takes_no_text_that_means_something_to_the_template(name: str) -> None:
    for hooks in ({name: ("p", "m")}, {"a": (name, "m")}, {"a": ("p", name)}):
        with pytest.raises(ValueError, match=r"could be read as a part of the template$"):
            webhook_templates.request(hooks)
    with pytest.raises(ValueError, match=r"could be read as a part of the template$"):
        webhook_templates.refused([name])
