"""A bridge in the emulated account, as commands find it."""

from tests.ops.production import REGION, Production
from tests.settings.whole_file import ED25519

API = "kakehashi-prd-backlog"
API_KEY_PARAMETER = "/kakehashi/backlog/api-key"


def with_bridge(world: Production) -> Production:
    """Give the deployment a bridge with two mirrors, of which nothing is deployed."""
    mirrors = {"website": "WEB", "jobs": "OPS"}
    space = {
        "domain": "backlog.jp",
        "known_hosts": [f"example.git.backlog.jp ssh-ed25519 {ED25519}"],
        "ssh_key_parameter": "/kakehashi/backlog/ssh-key",
        "api_key_parameter": API_KEY_PARAMETER,
    }
    repositories = {
        key: {"space": "example", "project": project, "repository": key, "target": {"create": key}}
        for key, project in mirrors.items()
    }
    webhook = {"sender_cidrs": ["192.0.2.16/28"]}
    world.say({"prd.backlog": {"spaces": {"example": space}, "repositories": repositories, "webhook": webhook}})
    gateway = world.client("apigateway")
    for api in gateway.get_rest_apis()["items"]:
        gateway.delete_rest_api(restApiId=api["id"])
    gateway.create_rest_api(name="somebody-elses")
    return world


def deployed_api(world: Production) -> str:
    """Put the bridge's API in place, and give its id."""
    gateway = world.client("apigateway")
    api_id: str = gateway.create_rest_api(name=API)["id"]
    resource_id = hook_resource(world, api_id)
    asked = {"restApiId": api_id, "resourceId": resource_id, "httpMethod": "POST"}
    gateway.put_method(**asked, authorizationType="NONE")
    start_build = f"arn:aws:apigateway:{REGION}:codebuild:action/StartBuild"
    role = "arn:aws:iam::222222222222:role/webhook"
    gateway.put_integration(**asked, type="AWS", integrationHttpMethod="POST", uri=start_build, credentials=role)
    made = gateway.create_deployment(restApiId=api_id)
    gateway.create_stage(restApiId=api_id, stageName="hook", deploymentId=made["id"])
    return api_id


def hook_resource(world: Production, api_id: str) -> str:
    """Add the path of all hooks to an API, and give its id."""
    gateway = world.client("apigateway")
    (parent,) = gateway.get_resources(restApiId=api_id)["items"]
    for part in ("hooks", "{mirror}"):
        parent = gateway.create_resource(restApiId=api_id, parentId=parent["id"], pathPart=part)
    resource_id: str = parent["id"]
    return resource_id
