"""An API that starts a build when Backlog's webhook reports a push."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cdktf import Fn, IResolvable, ITerraformDependable, TerraformResource, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.api_gateway_deployment import ApiGatewayDeployment
from cdktf_cdktf_provider_aws.api_gateway_integration import ApiGatewayIntegration
from cdktf_cdktf_provider_aws.api_gateway_integration_response import ApiGatewayIntegrationResponse
from cdktf_cdktf_provider_aws.api_gateway_method import ApiGatewayMethod
from cdktf_cdktf_provider_aws.api_gateway_method_response import ApiGatewayMethodResponse
from cdktf_cdktf_provider_aws.api_gateway_method_settings import (
    ApiGatewayMethodSettings,
    ApiGatewayMethodSettingsSettings,
)
from cdktf_cdktf_provider_aws.api_gateway_resource import ApiGatewayResource
from cdktf_cdktf_provider_aws.api_gateway_rest_api import ApiGatewayRestApi, ApiGatewayRestApiEndpointConfiguration
from cdktf_cdktf_provider_aws.api_gateway_rest_api_policy import ApiGatewayRestApiPolicy
from cdktf_cdktf_provider_aws.api_gateway_stage import ApiGatewayStage
from cdktf_cdktf_provider_aws.codebuild_project import CodebuildProject
from constructs import Construct

from modules import webhook_templates
from modules.acknowledged import acknowledge
from modules.explained import explain
from modules.inputs import mark, whole_number
from modules.labels import Labels
from modules.policies import builds, roles
from modules.policies.statement import document
from modules.role import Role, RoleProps
from terraform.templates import escaped

STAGE = "hook"
HOOKS = "hooks"
CONTENT_TYPES = ("application/x-www-form-urlencoded", "application/json")
"""Of the webhooks of a Git repository, and of a project."""
ACCEPTED = "200"
UNKNOWN = "404"
TRY_AGAIN = "503"

_REQUESTS_PER_SECOND = 1
_BURST = 20
_THROTTLE = """\
Backlog sends few webhooks at a time. Whoever learns a URL can start no more builds than this, and each is billed. \
Backlog does not repeat what is refused with 429: the schedule brings it."""

_LIMITS = {
    "settings.throttling_rate_limit": whole_number(
        "webhook_requests_per_second", "How many webhooks a second may start builds.", low=1, high=1_000
    ),
    "settings.throttling_burst_limit": whole_number(
        "webhook_burst", "How many webhooks may start builds at once.", low=1, high=1_000
    ),
}

_SNAPSHOT = """\
A deployment is a snapshot: only a new one applies a changed method or list of senders. \
The old one goes last, because the stage uses it until then.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html"""

_DEFAULT_ANSWER = """\
The answer without a pattern is the default. It is 503, because Backlog repeats a webhook on 5xx only. \
It depends on the other, because API Gateway refuses concurrent changes of one method."""


@dataclass(frozen=True, kw_only=True)
class WebhookApiProps:
    """`hooks` has the name of one of `projects` and the value of its variable MIRROR, by the last part of a URL.

    `sender_cidrs` is a list, or a reference to one.
    """

    labels: Labels
    region: str
    sender_cidrs: list[str]
    projects: Mapping[str, CodebuildProject]
    hooks: Mapping[str, tuple[str, str]]


class WebhookApi(Construct):
    """A regional REST API whose one method calls CodeBuild without a Lambda function, at `/hooks/<name>`.

    It never uses the request's body: it sends a constant, which it finds by the name. It answers 404 to a name that it
    does not know, and 503 if CodeBuild does not succeed, because Backlog repeats a webhook on 5xx only. The method is
    also at `/<name>`, where it was before, so that webhooks registered then go on working.
    """

    urls: dict[str, str]

    def __init__(self, scope: Construct, id: str, props: WebhookApiProps) -> None:
        super().__init__(scope, id)
        api = ApiGatewayRestApi(
            self,
            "api",
            name=props.labels.webhook_api(),
            description="Starts mirror builds when Backlog repositories are pushed to",
            endpoint_configuration=ApiGatewayRestApiEndpointConfiguration(types=["REGIONAL"]),
        )
        acknowledge(api, CKV_AWS_237="a new API has a new URL, and starts nothing before people register it in Backlog")
        senders = ApiGatewayRestApiPolicy(
            self,
            "senders",
            rest_api_id=api.id,
            policy=document(self, "policy", builds.invoked_from(api.execution_arn, props.sender_cidrs)),
        )
        role = Role(
            self,
            "role",
            RoleProps(
                name=props.labels.name("backlog-webhook", limit=64),
                description="Lets the webhook API start the mirror builds",
                trust=roles.assumed_by("apigateway"),
                permissions=builds.start_builds([project.arn for project in props.projects.values()]),
            ),
        )
        hooks = ApiGatewayResource(self, "hooks", rest_api_id=api.id, parent_id=api.root_resource_id, path_part=HOOKS)
        parents = {"hook": hooks.id, "old_hook": api.root_resource_id}
        methods = [
            StartBuildMethod(
                self,
                name,
                StartBuildMethodProps(api=api, parent_id=parent, region=props.region, hooks=props.hooks, role=role),
            )
            for name, parent in parents.items()
        ]
        deployment = ApiGatewayDeployment(
            self,
            "deployment",
            rest_api_id=api.id,
            triggers={
                "senders": Fn.sha1(senders.policy),
                "methods": Fn.sha1(Fn.jsonencode([part for method in methods for part in method.deployed()])),
            },
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=[senders, *(method.last for method in methods)],
        )
        explain(deployment, _SNAPSHOT)
        stage = ApiGatewayStage(
            self,
            "stage",
            rest_api_id=api.id,
            deployment_id=deployment.id,
            stage_name=STAGE,
            description="What Backlog calls",
        )
        acknowledge(
            stage,
            CKV_AWS_73="one call of one service: there is nothing to trace between them",
            CKV_AWS_76="API Gateway logs by a role of the whole account, which is not this bridge's to set",
            CKV_AWS_120="a cached answer would start no build",
            CKV2_AWS_4="API Gateway logs by a role of the whole account, which is not this bridge's to set",
            CKV2_AWS_29="the resource policy admits Backlog's senders only, and a flood is throttled",
            CKV2_AWS_51="the back end is an AWS service, which knows the API by its role",
        )
        throttle = ApiGatewayMethodSettings(
            self,
            "throttle",
            rest_api_id=api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings=ApiGatewayMethodSettingsSettings(
                throttling_rate_limit=_REQUESTS_PER_SECOND, throttling_burst_limit=_BURST
            ),
        )
        explain(throttle, _THROTTLE)
        mark(throttle, _LIMITS)
        acknowledge(throttle, CKV_AWS_225="a cached answer would start no build")
        self.urls = {name: f"{stage.invoke_url}/{HOOKS}/{name}" for name in props.hooks}


@dataclass(frozen=True, kw_only=True)
class StartBuildMethodProps:
    """The API, the resource above the path, and the builds that its names start."""

    api: ApiGatewayRestApi
    parent_id: str
    region: str
    hooks: Mapping[str, tuple[str, str]]
    role: Role


class StartBuildMethod(Construct):
    """`POST …/<name>` as a call of CodeBuild's StartBuild."""

    last: ApiGatewayIntegrationResponse

    def __init__(self, scope: Construct, id: str, props: StartBuildMethodProps) -> None:
        super().__init__(scope, id)
        api_id = props.api.id
        self._api_id = api_id
        self._resource = ApiGatewayResource(
            self,
            "resource",
            rest_api_id=api_id,
            parent_id=props.parent_id,
            path_part=f"{{{webhook_templates.PARAMETER}}}",
        )
        self._method = ApiGatewayMethod(
            self,
            "post",
            rest_api_id=api_id,
            resource_id=self._resource.id,
            http_method="POST",
            authorization="NONE",
            api_key_required=False,
            request_parameters={f"method.request.path.{webhook_templates.PARAMETER}": True},
        )
        acknowledge(
            self._method,
            CKV_AWS_59="Backlog cannot sign its webhooks; the resource policy admits its addresses only",
            CKV2_AWS_53="nothing of the request is used but the name, which a table of constants must have",
        )
        template = escaped(webhook_templates.request(props.hooks))
        self._integration = ApiGatewayIntegration(
            self,
            "start_build",
            rest_api_id=api_id,
            resource_id=self._resource.id,
            http_method=self._method.http_method,
            type="AWS",
            integration_http_method="POST",
            uri=f"arn:aws:apigateway:{props.region}:codebuild:action/StartBuild",
            credentials=props.role.role.arn,
            passthrough_behavior="NEVER",
            request_parameters={
                "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
                "integration.request.header.X-Amz-Target": "'CodeBuild_20161006.StartBuild'",
            },
            request_templates=dict.fromkeys(CONTENT_TYPES, template),
        )
        explain(
            self._integration, "Nothing of the request's body is used: what is sent is a constant, found by the name."
        )
        accepted = self._answer("accepted", ACCEPTED, r"2\d{2}", json.dumps({"started": True}), [self._integration])
        explain(accepted, "CodeBuild's own response would tell the account, the role and the log group.")
        unknown = self._status("unknown", UNKNOWN)
        refused = escaped(webhook_templates.refused(props.hooks))
        self.last = self._answer("try_again", TRY_AGAIN, None, refused, [accepted, unknown])
        explain(self.last, _DEFAULT_ANSWER)
        self._answers = [accepted, self.last]

    def deployed(self) -> list[IResolvable]:
        """Values that need a new deployment when they change.

        Only what is configured here: a whole resource has attributes that AWS sets later.
        """
        return list(self._deployed())

    def _deployed(self) -> Iterator[IResolvable]:
        mapped = ("uri", "credentials", "request_parameters", "request_templates", "passthrough_behavior")
        answered = ("status_code", "selection_pattern", "response_templates")
        configured: dict[TerraformResource, tuple[str, ...]] = {
            self._resource: ("id", "path_part"),
            self._method: ("authorization", "request_parameters"),
            self._integration: mapped,
            **dict.fromkeys(self._answers, answered),
        }
        for part, names in configured.items():
            for name in names:
                yield part.interpolation_for_attribute(name)

    def _status(self, name: str, status: str) -> ApiGatewayMethodResponse:
        return ApiGatewayMethodResponse(
            self,
            f"{name}_status",
            rest_api_id=self._api_id,
            resource_id=self._method.resource_id,
            http_method=self._method.http_method,
            status_code=status,
        )

    def _answer(
        self,
        name: str,
        status: str,
        pattern: str | None,
        template: str,
        after: Sequence[ITerraformDependable],
    ) -> ApiGatewayIntegrationResponse:
        return ApiGatewayIntegrationResponse(
            self,
            name,
            rest_api_id=self._api_id,
            resource_id=self._method.resource_id,
            http_method=self._method.http_method,
            status_code=self._status(name, status).status_code,
            selection_pattern=pattern,
            response_templates={"application/json": template},
            depends_on=after,
        )
