"""The API that starts builds, and the schedule."""

from tests.stacks.bridge import allowed
from tests.terraform import Terraform

MIRROR = [f"codecommit:{name}" for name in ("GetRepository", "GitPull", "GitPush", "UpdateDefaultBranch")]


def test_a_webhook_calls_codebuild_with_what_a_template_makes(bridge: Terraform) -> None:
    integrations = bridge.resources("aws_api_gateway_integration")
    assert integrations.keys() == {"webhook_hook_start_build", "webhook_old_hook_start_build"}
    for integration in integrations.values():
        assert (integration["type"], integration["integration_http_method"]) == ("AWS", "POST")
        assert integration["uri"] == "arn:aws:apigateway:ap-northeast-1:codebuild:action/StartBuild"
        assert integration["passthrough_behavior"] == "NEVER"
        assert integration["request_templates"].keys() == {"application/x-www-form-urlencoded", "application/json"}


def test_a_webhook_is_answered_200_404_or_503(bridge: Terraform) -> None:
    answers = bridge.resources("aws_api_gateway_integration_response")
    statuses = bridge.resources("aws_api_gateway_method_response")
    for hook in ("webhook_hook", "webhook_old_hook"):
        assert answers[f"{hook}_accepted"]["selection_pattern"] == r"2\d{2}"
        assert "selection_pattern" not in answers[f"{hook}_try_again"]
        declared = {
            name: statuses[f"{hook}_{name}_status"]["status_code"] for name in ("accepted", "unknown", "try_again")
        }
        assert declared == {"accepted": "200", "unknown": "404", "try_again": "503"}


def test_only_backlog_may_call_the_webhook(bridge: Terraform) -> None:
    policy = bridge.resource("aws_api_gateway_rest_api_policy.webhook_senders")["policy"]
    deny = bridge.statements(policy)["DenyOtherSenders"]
    assert deny["effect"] == "Deny"
    assert deny["condition"] == [
        {"test": "NotIpAddress", "variable": "aws:SourceIp", "values": "${var.webhook_sender_cidrs}"}
    ]
    assert deny["resources"] == ["${aws_api_gateway_rest_api.webhook_api.execution_arn}/*"]


def test_all_urls_together_start_a_build_a_second_after_twenty_at_once(bridge: Terraform) -> None:
    throttle = bridge.resource("aws_api_gateway_method_settings.webhook_throttle")
    assert throttle["method_path"] == "*/*"
    assert throttle["settings"] == {"throttling_rate_limit": 1, "throttling_burst_limit": 20}


def test_the_webhook_may_start_only_these_projects(bridge: Terraform) -> None:
    started = (["codebuild:StartBuild"], ["${aws_codebuild_project.spaces_example_project.arn}"])
    assert allowed(bridge, "webhook_role") == {"StartBuilds": started}


def test_a_changed_method_or_sender_list_creates_a_new_deployment(bridge: Terraform) -> None:
    deployment = bridge.resource("aws_api_gateway_deployment.webhook_deployment")
    assert deployment["lifecycle"] == {"create_before_destroy": True}
    triggers = deployment["triggers"]
    assert triggers["senders"] == "${sha1(aws_api_gateway_rest_api_policy.webhook_senders.policy)}"
    waits_for = set(deployment["depends_on"])
    assert "aws_api_gateway_rest_api_policy.webhook_senders" in waits_for
    for hook in ("webhook_hook", "webhook_old_hook"):
        for part in ("start_build.request_templates", "accepted.selection_pattern", "try_again.response_templates"):
            assert f"{hook}_{part}" in triggers["methods"]
        assert f"aws_api_gateway_integration_response.{hook}_try_again" in waits_for


def test_the_urls_to_register_are_an_output(bridge: Terraform, with_file_system: Terraform) -> None:
    url = "${aws_api_gateway_stage.webhook_stage.invoke_url}/hooks"
    assert bridge.json["output"]["webhook_urls"]["value"] == {
        name: f"{url}/{name}" for name in ("website", "batch", "example.WEB", "example.OPS")
    }
    # A project whose mirrors have a build each has no webhook of its own.
    assert with_file_system.json["output"]["webhook_urls"]["value"] == {
        name: f"{url}/{name}" for name in ("website", "batch", "partner-api", "partner-client", "partner-server-java")
    }
