"""A small synthesised deployment of two stacks in two accounts, as the CDK for Terraform writes it."""

import json
from pathlib import Path
from typing import Any

from ops.handover import convert, hand_over, shipped
from ops.rehearse.rehearsal import Handover
from terraform.facts import AddressList, LogRetention, to_metadata
from terraform.output import Stack, load

DEV = "111111111111"
PRD = "222222222222"
REGION = "ap-northeast-1"


def _moved(stack: Stack) -> dict[str, str]:
    return convert(load(stack.file, exact_numbers=True), name=stack.name, schemas=shipped()).moved


HANDOVER = Handover(write=hand_over, moved_addresses=_moved)
"""The real handover."""


def write(
    out: Path,
    *,
    dev: dict[str, Any] | None = None,
    provider: dict[str, Any] | None = None,
    bucket: str | None = None,
    prevent_destroy: bool = True,
) -> Path:
    """Write the deployment to `out`.

    `dev` is merged into the dev stack's resources, `provider` into both providers; with `bucket`, state is in S3.
    """
    stacks: dict[str, dict[str, Any]] = {
        "dev": {
            "//": {"metadata": {"kakehashi": to_metadata([LogRetention(variable="flow_log_retention_days")])}},
            "resource": {
                "aws_cloudwatch_log_group": {
                    "flow": {"name": "${var.log_group_name}", "retention_in_days": "${var.flow_log_retention_days}"}
                },
                **(dev or {}),
            },
            "variable": {
                "flow_log_retention_days": {"type": "number", "default": 30, "description": "Days."},
                "log_group_name": {"type": "string", "default": "/sample/flow", "description": "Name."},
            },
            "output": {"log_group": {"value": "${aws_cloudwatch_log_group.flow.name}", "description": "Name."}},
        },
        "prd": {
            "//": {"metadata": {"kakehashi": to_metadata([AddressList(variable="push_cidrs", use="push user")])}},
            "data": {"terraform_remote_state": {"dev": _remote_state("dev", bucket)}},
            "resource": {
                "aws_codecommit_repository": {
                    "app": {
                        "repository_name": "app",
                        "description": "${data.terraform_remote_state.dev.outputs.log_group}",
                        "lifecycle": {"prevent_destroy": prevent_destroy},
                    }
                },
                "aws_iam_policy": {
                    "push": {
                        "name": "push",
                        "policy": '${jsonencode({Version = "2012-10-17", Statement = [{Effect = "Deny", '
                        'Action = "*", Resource = "*", '
                        'Condition = {NotIpAddress = {"aws:SourceIp" = var.push_cidrs}}}]})}',
                    }
                },
            },
            "variable": {
                "push_cidrs": {"type": "list(string)", "default": ["198.51.100.7/32"], "description": "From."}
            },
            "output": {
                "clone_url": {"value": "${aws_codecommit_repository.app.clone_url_http}", "description": "URL."}
            },
        },
    }
    manifest: dict[str, Any] = {"version": "0.21.0", "stacks": {}}
    for (name, document), account in zip(stacks.items(), (DEV, PRD), strict=True):
        folder = out / "stacks" / name
        folder.mkdir(parents=True)
        document["provider"] = {"aws": [{"region": REGION, "allowed_account_ids": [account], **_of(provider, account)}]}
        document["terraform"] = {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}},
            "backend": _backend(name, bucket),
        }
        (folder / "cdk.tf.json").write_text(json.dumps(document, indent=2))
        manifest["stacks"][name] = {
            "name": name,
            "synthesizedStackPath": f"stacks/{name}/cdk.tf.json",
            "workingDirectory": f"stacks/{name}",
            "dependencies": ["dev"] if name == "prd" else [],
        }
    (out / "manifest.json").write_text(json.dumps(manifest))
    return out


def _of(provider: dict[str, Any] | None, account: str) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(json.dumps(provider or {}).replace("ACCOUNT", account))
    return settings


def _backend(name: str, bucket: str | None) -> dict[str, Any]:
    if bucket is None:
        return {"local": {"path": f"../../../terraform-state/sample/{name}.tfstate"}}
    return {"s3": {"bucket": bucket, "key": f"sample/{name}.tfstate", "region": REGION, "use_lockfile": True}}


def _remote_state(name: str, bucket: str | None) -> dict[str, Any]:
    (kind, settings), *_ = _backend(name, bucket).items()
    return {"backend": kind, "config": {key: value for key, value in settings.items() if key != "use_lockfile"}}
