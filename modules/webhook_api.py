"""An API that starts a build when Backlog's webhook reports a push."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdktf import Fn, IResolvable, ITerraformDependable, TerraformResourceLifecycle
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

from modules.acknowledged import acknowledge
from modules.labels import Labels
from modules.policies import builds, roles
from modules.policies.statement import document
from modules.role import Role, RoleProps

STAGE = "hook"
FORM = "application/x-www-form-urlencoded"
ACCEPTED = "200"
TRY_AGAIN = "503"

# Backlog sends few webhooks at a time; more requests do not come from Backlog.
_REQUESTS_PER_SECOND = 5
_BURST = 20


@dataclass(frozen=True, kw_only=True)
class WebhookApiProps:
    """`projects` by the path they are started at; `sender_cidrs` a list, or a reference to one."""

    labels: Labels
    region: str
    sender_cidrs: list[str]
    projects: Mapping[str, CodebuildProject]


class WebhookApi(Construct):
    """A regional REST API with one POST method per project, which calls CodeBuild without a Lambda function.

    It never uses the request's body: every method sends a constant. It answers 503 if CodeBuild does not succeed,
    because Backlog repeats a webhook on 5xx only.
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
        hooks = Construct(self, "hooks")
        methods = [
            StartBuildMethod(
                hooks,
                path,
                StartBuildMethodProps(api=api, path=path, region=props.region, project=project, role=role),
            )
            for path, project in props.projects.items()
        ]
        # A deployment is a snapshot: only a new one applies a changed method or sender list.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-create-attach.html
        deployment = ApiGatewayDeployment(
            self,
            "deployment",
            rest_api_id=api.id,
            triggers={
                "senders": Fn.sha1(senders.policy),
                "methods": Fn.sha1(Fn.jsonencode([part for method in methods for part in method.deployed])),
            },
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
            depends_on=[senders, *(method.last for method in methods)],
        )
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
        acknowledge(throttle, CKV_AWS_225="a cached answer would start no build")
        self.urls = {path: f"{stage.invoke_url}/{path}" for path in props.projects}


@dataclass(frozen=True, kw_only=True)
class StartBuildMethodProps:
    """The API, the path below its root, and the project that a POST there starts."""

    api: ApiGatewayRestApi
    path: str
    region: str
    project: CodebuildProject
    role: Role


class StartBuildMethod(Construct):
    """`POST /<path>` as a call of CodeBuild's StartBuild."""

    deployed: list[IResolvable]
    """Values that need a new deployment when they change."""
    last: ApiGatewayIntegrationResponse

    def __init__(self, scope: Construct, id: str, props: StartBuildMethodProps) -> None:
        super().__init__(scope, id)
        api_id = props.api.id
        resource = ApiGatewayResource(
            self, "resource", rest_api_id=api_id, parent_id=props.api.root_resource_id, path_part=props.path
        )
        method = ApiGatewayMethod(
            self,
            "post",
            rest_api_id=api_id,
            resource_id=resource.id,
            http_method="POST",
            authorization="NONE",
            api_key_required=False,
        )
        acknowledge(
            method,
            CKV_AWS_59="Backlog cannot sign its webhooks; the resource policy admits its addresses only",
            CKV2_AWS_53="nothing of the request is used: CodeBuild gets a constant",
        )
        integration = ApiGatewayIntegration(
            self,
            "start_build",
            rest_api_id=api_id,
            resource_id=resource.id,
            http_method=method.http_method,
            type="AWS",
            integration_http_method="POST",
            uri=f"arn:aws:apigateway:{props.region}:codebuild:action/StartBuild",
            credentials=props.role.role.arn,
            passthrough_behavior="NEVER",
            request_parameters={
                "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
                "integration.request.header.X-Amz-Target": "'CodeBuild_20161006.StartBuild'",
            },
            request_templates={FORM: json.dumps({"projectName": props.project.name})},
        )
        accepted = self._answer(props, method, [integration], "accepted", ACCEPTED, r"2\d{2}")
        # The response without a pattern is the default. It depends on the other, because API Gateway refuses concurrent
        # changes of one method.
        try_again = self._answer(props, method, [accepted.response], "try_again", TRY_AGAIN, None)
        self.last = try_again.response
        # Only what is configured here: a whole resource has attributes that AWS sets later.
        configured = {
            resource: ("id", "path_part"),
            method: ("authorization",),
            integration: ("uri", "credentials", "request_parameters", "request_templates", "passthrough_behavior"),
            accepted.response: ("status_code", "selection_pattern", "response_templates"),
            try_again.response: ("status_code", "selection_pattern", "response_templates"),
        }
        self.deployed = [part.interpolation_for_attribute(name) for part, names in configured.items() for name in names]

    def _answer(
        self,
        props: StartBuildMethodProps,
        method: ApiGatewayMethod,
        after: Sequence[ITerraformDependable],
        name: str,
        status: str,
        pattern: str | None,
    ) -> "_Answer":
        declared = ApiGatewayMethodResponse(
            self,
            f"{name}_status",
            rest_api_id=props.api.id,
            resource_id=method.resource_id,
            http_method=method.http_method,
            status_code=status,
        )
        response = ApiGatewayIntegrationResponse(
            self,
            name,
            rest_api_id=props.api.id,
            resource_id=method.resource_id,
            http_method=method.http_method,
            status_code=declared.status_code,
            selection_pattern=pattern,
            # CodeBuild's own response has the account, the role and the log group.
            response_templates={"application/json": json.dumps({"started": status == ACCEPTED})},
            depends_on=after,
        )
        return _Answer(status=declared, response=response)


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """A status that a method may answer with, and the integration's response for it."""

    status: ApiGatewayMethodResponse
    response: ApiGatewayIntegrationResponse
