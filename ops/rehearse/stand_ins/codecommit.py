"""CodeCommit repositories, stored as they were requested, without Git."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ops.rehearse.stand_ins import AwsError, Call, Reply, StandIn
from terraform.arns import Arn

codecommit = StandIn(
    "codecommit",
    "moto writes dates as text, which the AWS provider cannot read, and knows neither tags nor updates",
    api="https://docs.aws.amazon.com/codecommit/latest/APIReference/",
)


def _repository(call: Call, name: str) -> dict[str, Any]:
    try:
        return call.store["repositories"][name]
    except KeyError:
        raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist") from None


def _tags(call: Call) -> dict[str, str]:
    name = Arn.of(str(call.params["resourceArn"])).resource
    _repository(call, name)
    return call.store["tags"].setdefault(name, {})


@codecommit.answers("CreateRepository")
def create_repository(call: Call) -> Reply:
    name = call.params["repositoryName"]
    if name in call.store["repositories"]:
        raise AwsError("RepositoryNameExistsException", f"Repository named {name} already exists")
    now = datetime.now(UTC)
    host = f"git-codecommit.{call.region}.amazonaws.com"
    call.store["repositories"][name] = {
        "accountId": call.account,
        "repositoryId": str(uuid4()),
        "repositoryName": name,
        "repositoryDescription": call.params.get("repositoryDescription"),
        "creationDate": now,
        "lastModifiedDate": now,
        "cloneUrlHttp": f"https://{host}/v1/repos/{name}",
        "cloneUrlSsh": f"ssh://{host}/v1/repos/{name}",
        "Arn": f"arn:aws:codecommit:{call.region}:{call.account}:{name}",
        # Without a key in the request, AWS answers with the key behind alias/aws/codecommit.
        "kmsKeyId": call.params.get("kmsKeyId")
        or f"arn:aws:kms:{call.region}:{call.account}:key/00000000-0000-0000-0000-0000c0dec033",
    }
    call.store["tags"][name] = dict(call.params.get("tags") or {})
    return {"repositoryMetadata": call.store["repositories"][name]}


@codecommit.answers("GetRepository")
def get_repository(call: Call) -> Reply:
    return {"repositoryMetadata": _repository(call, call.params["repositoryName"])}


@codecommit.answers("UpdateRepositoryDescription")
def update_description(call: Call) -> Reply:
    repository = _repository(call, call.params["repositoryName"])
    repository["repositoryDescription"] = call.params.get("repositoryDescription")
    return {}


@codecommit.answers("UpdateRepositoryEncryptionKey")
def update_encryption_key(call: Call) -> Reply:
    repository = _repository(call, call.params["repositoryName"])
    before, repository["kmsKeyId"] = repository["kmsKeyId"], call.params["kmsKeyId"]
    return {
        "repositoryId": repository["repositoryId"],
        "kmsKeyId": repository["kmsKeyId"],
        "originalKmsKeyId": before,
    }


@codecommit.answers("DeleteRepository")
def delete_repository(call: Call) -> Reply:
    # AWS does not call it an error when there is nothing to delete.
    name = call.params["repositoryName"]
    call.store["tags"].pop(name, None)
    gone = call.store["repositories"].pop(name, None)
    return {"repositoryId": gone["repositoryId"]} if gone else {}


@codecommit.answers("ListTagsForResource")
def list_tags(call: Call) -> Reply:
    return {"tags": _tags(call)}


@codecommit.answers("TagResource")
def tag_resource(call: Call) -> Reply:
    _tags(call).update(call.params["tags"])
    return {}


@codecommit.answers("UntagResource")
def untag_resource(call: Call) -> Reply:
    tags = _tags(call)
    for key in call.params["tagKeys"]:
        tags.pop(key, None)
    return {}
