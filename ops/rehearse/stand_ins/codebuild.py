"""CodeBuild projects, stored as they were requested; nothing is ever built."""

from datetime import UTC, datetime
from typing import Any

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn

codebuild = StandIn(
    "codebuild",
    "moto refuses projects without a source, forgets EFS mounts and concurrency limits, and cannot update a project",
    api="https://docs.aws.amazon.com/codebuild/latest/APIReference/",
)

# The defaults of a request without these settings.
# https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html
_DEFAULTS: dict[str, Any] = {
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "cache": {"type": "NO_CACHE"},
    "projectVisibility": "PRIVATE",
    "badge": {"badgeEnabled": False},
}


def _project(call: Call) -> dict[str, Any]:
    name = call.params["name"]
    try:
        return call.store["projects"][name]
    except KeyError:
        raise AwsError("ResourceNotFoundException", f"Project cannot be found: {name}") from None


def _settings(call: Call) -> dict[str, Any]:
    return {key: value for key, value in call.params.items() if key != "badgeEnabled"}


@codebuild.answers("CreateProject")
def create_project(call: Call) -> Reply:
    name = call.params["name"]
    if name in call.store["projects"]:
        raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {name}")
    now = datetime.now(UTC)
    call.store["projects"][name] = {
        **_DEFAULTS,
        "encryptionKey": f"arn:aws:kms:{call.region}:{call.account}:alias/aws/s3",
        **_settings(call),
        "arn": f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}",
        "created": now,
        "lastModified": now,
    }
    return {"project": call.store["projects"][name]}


@codebuild.answers("BatchGetProjects")
def batch_get_projects(call: Call) -> Reply:
    # Callers may name a project or give its ARN.
    asked = {name: str(name).rpartition("/")[2] for name in call.params["names"]}
    projects = call.store["projects"]
    return {
        "projects": [projects[name] for name in asked.values() if name in projects],
        "projectsNotFound": [given for given, name in asked.items() if name not in projects],
    }


@codebuild.answers("UpdateProject")
def update_project(call: Call) -> Reply:
    project = _project(call)
    project.update(_settings(call), lastModified=datetime.now(UTC))
    if project.get("concurrentBuildLimit") == -1:  # removes the limit
        del project["concurrentBuildLimit"]
    return {"project": project}


@codebuild.answers("ListProjects")
def list_projects(call: Call) -> Reply:
    return {"projects": sorted(call.store["projects"])}


@codebuild.answers("DeleteProject")
def delete_project(call: Call) -> Reply:
    # AWS does not call it an error when there is nothing to delete.
    # The provider gives the ARN here.
    call.store["projects"].pop(str(call.params["name"]).rpartition("/")[2], None)
    return {}
