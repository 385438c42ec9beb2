"""Sources, versions and configurations of providers, and modules that take them."""

from typing import Any

from tests.ops.handover.cases.documents import Document

_OFFLINE = {
    "access_key": "none",
    "secret_key": "none",
    "skip_credentials_validation": True,
    "skip_requesting_account_id": True,
    "skip_metadata_api_check": True,
}


def _required(source: str, version: str = ">= 5.0") -> Document:
    return {"terraform": {"required_providers": {"aws": {"source": source, "version": version}}}}


def _topic(**arguments: Any) -> Document:
    return {"resource": {"aws_sns_topic": {"it": {"name": "t", **arguments}}}}


PROVIDERS: dict[str, Document] = {
    "source_without_a_namespace": _required("aws") | _topic(),
    "source_in_capitals": _required("HashiCorp/AWS", "~> 5.99") | _topic(),
    "source_with_its_registry": _required("registry.terraform.io/hashicorp/aws", "5.100.0") | _topic(),
    "version_without_a_source": {"terraform": {"required_providers": {"aws": ">= 5.1, < 7"}}} | _topic(),
    "required_providers_in_a_list": {"terraform": [{"required_providers": [{"aws": {"source": "aws"}}]}]} | _topic(),
    "several_configurations": _required("aws")
    | {
        "provider": {
            "aws": [
                {"region": "eu-central-1", "default_tags": [{"tags": {"a": "b"}}], **_OFFLINE},
                {"region": "us-east-1", "alias": "us", **_OFFLINE},
            ]
        },
        "resource": {
            "aws_sns_topic": {
                "here": {"name": "here"},
                "us": {"name": "us", "provider": "aws.us"},
            }
        },
    },
    "configuration_from_local_values": _required("aws")
    | {"provider": {"aws": {"region": "${local.region}", "alias": "it", **_OFFLINE}}}
    | {"locals": {"region": "eu-west-1"}}
    | _topic(provider="aws.it"),
    "module_that_takes_a_configuration": _required("aws")
    | {
        "provider": {"aws": [{"region": "us-east-1", "alias": "us", **_OFFLINE}]},
        "module": {"inner": {"source": "./inner", "text": "t", "list": [], "providers": {"aws": "aws.us"}}},
        "output": {"it": {"value": "${module.inner.both}"}},
    },
    "modules_one_after_the_other": {
        "module": {
            "first": {"source": "./inner", "text": "t", "list": ["a"]},
            "second": {
                "source": "./inner",
                "text": "${module.first.both[0]}",
                "list": "${module.first.both[1]}",
                "depends_on": ["module.first"],
            },
        },
        "output": {"it": {"value": "${module.second.both}"}},
    },
    "modules_by_key": {
        "module": {
            "inner": {
                "for_each": '${toset(["a", "b"])}',
                "source": "./inner",
                "text": "${each.key}",
                "list": ["${each.value}"],
            },
            "counted": {"count": 2, "source": "./inner", "text": "${count.index}", "list": []},
        },
        "output": {"it": {"value": "${[module.inner, module.counted[*].both]}"}},
    },
}
