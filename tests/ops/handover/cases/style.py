"""Stacks in which values, blocks and texts repeat, and near misses."""

from typing import Any

from tests.ops.handover.cases.documents import Document

_ID = "222222222222"
_REGION = "eu-west-1"


def provider(**arguments: Any) -> Document:
    """A stack's provider for this account and region."""
    return {"provider": {"aws": [{"allowed_account_ids": [_ID], "region": _REGION, **arguments}]}}


def topics(**texts: str) -> Document:
    """A topic with each of these display names."""
    return {"resource": {"aws_sns_topic": {name: {"name": name, "display_name": it} for name, it in texts.items()}}}


ACCOUNT_AND_REGION: dict[str, Document] = {
    "in_texts": provider() | topics(a=f"{_ID} {_REGION}", b=f"x-{_ID}/{_REGION}a", c=_ID, d=_REGION),
    "within_longer_words": provider() | topics(a=f"1{_ID}", b=f"{_ID}0", c=f"x{_REGION}", d=f"{_REGION}1 {_REGION}ab"),
    "after_signs": provider() | topics(a=f"${_ID}", b=f"%{_REGION}", c=f"{_ID}$", d=f"{_REGION}%", e=f"$${{x}}{_ID}{{"),
    "of_another_local_value": provider()
    | {"locals": {"account_id": "1", "region": "x"}}
    | topics(a=f"{_ID} ${{local.account_id}}", b=f"{_REGION} {_ID} ${{local.region}}"),
    "of_the_same_local_value": provider()
    | {"locals": {"account_id": _ID, "other": f"{_ID}-${{local.account_id}}"}}
    | topics(a=f"{_ID} ${{local.other}}"),
    "in_json": provider()
    | {
        "resource": {
            "terraform_data": {"it": {"input": f'{{"a":"{_ID}","b":["{_REGION}","{_ID}"],"{_ID}":"{_REGION}"}}'}}
        }
    },
    "in_keys_and_expressions": provider()
    | {"output": {"o": {"value": {_ID: _ID, _REGION: [_ID, f'${{upper("{_REGION}")}}', {"a": _REGION}]}}}},
    "in_long_texts": provider()
    | {"locals": {"name": "bridge"}}
    | topics(a=f"{_ID} {_REGION}\n" * 12, b=f"{_ID} ${{local.name}} {_REGION}\n" * 12, c=f"{_ID} {_REGION}\nb\n"),
    "in_provisioners_and_conditions": provider()
    | {
        "resource": {
            "terraform_data": {
                "it": {
                    "input": [_ID, _ID, _REGION, _REGION],
                    "provisioner": [{"local-exec": {"command": f"echo {_ID}", "when": "destroy"}}],
                    "lifecycle": {
                        "precondition": [{"condition": "${path.module != null}", "error_message": f"Not {_ID}."}]
                    },
                }
            }
        }
    },
    "in_zones": provider()
    | {"resource": {"aws_subnet": {z: {"vpc_id": "v", "availability_zone": f"{_REGION}{z}"} for z in ("a", "b", "c")}}},
}
