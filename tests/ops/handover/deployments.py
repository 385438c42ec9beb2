"""Random deployment files with valid settings, and with texts that are easily changed by a conversion."""

import random
from typing import Any

from tests.settings.whole_file import ED25519, KMS_KEY

_WORDS = ("infra", "app", "batch", "web-site", "api_2", "x1", "zeta", "docs", "jobs", "a", "ab")
_TEXTS = (
    "Terraform of the production systems",
    'says "hello" and C:\\temp\\new',
    "costs ${99} and %{100} or $${1}, ends in $",
    "架け橋 é 👍",
    "it's <b>&amp;</b> # no comment // nor this",
    "${aws_vpc.none.id} %{ if true }",
    "EOT <<EOF | `x`",
)
_RETENTION = (1, 7, 30, 90, 365, 731)
_OFFICE = ("198.51.100.128/28", "203.0.113.64/26", "192.0.2.128/32", "203.0.113.99/32")


def deployment(chance: random.Random, name: str) -> dict[str, Any]:
    """The settings of one file. Terraform plans their stacks without requests to AWS."""
    found: dict[str, Any] = {
        "name": name,
        "owner": "platform-team",
        "region": chance.choice(["ap-northeast-1", "ap-northeast-1", "us-east-1"]),
        "tags": {
            key: chance.choice((_TEXTS[0], "4711", "a b+c=d"))
            for key in chance.sample(["cost-center", "data-class", "a:b/c"], chance.randint(0, 3))
        },
    }
    if chance.random() < 0.7:
        found["dev"] = _dev(chance)
        if "gitlab" in found["dev"] and chance.random() < 0.3:
            found["dev"]["proxy"] = {"squid": {"allowed_hosts": [".example.org"]}}
    if "dev" not in found or chance.random() < 0.9:
        found["prd"] = _prd(chance, found)
    return found


def _some(chance: random.Random, all_: tuple[str, ...], least: int = 1) -> list[str]:
    return chance.sample(all_, chance.randint(least, min(len(all_), least + 3)))


def _dev(chance: random.Random) -> dict[str, Any]:
    zones = sorted(chance.sample(["a", "c", "d"] if chance.random() < 0.9 else ["a", "b"], chance.randint(1, 2)))
    dev: dict[str, Any] = {
        "account": {"id": "111111111111"},
        "network": {
            "cidr": chance.choice(["10.10.0.0/16", "172.20.0.0/18", "192.168.0.0/20"]),
            "zones": zones,
            "nat": {"gateways": chance.choice(["per_zone", "one"])},
            "flow_log_retention_days": chance.choice(_RETENTION),
        },
    }
    if chance.random() < 0.6:
        dev["gitlab"] = {
            "external_url": "https://gitlab.dev.example.com",
            "work_terminal_cidrs": _some(chance, _OFFICE),
            "zone": chance.choice(zones),
            "instance_type": chance.choice(["c7i.2xlarge", "m7i.4xlarge"]),
            "ami": {"id": "ami-0123456789abcdef0"},
            "root_volume_gib": chance.choice([100, 500]),
            "termination_protection": chance.random() < 0.5,
        }
    return dev


def _prd(chance: random.Random, found: dict[str, Any]) -> dict[str, Any]:
    prd: dict[str, Any] = {"account": {"id": "222222222222"}}
    repositories = _some(chance, _WORDS)
    if chance.random() < 0.85:
        prd["codecommit"] = {
            "repositories": {name: _repository(chance) for name in repositories},
            "deletion_protected": chance.random() < 0.5,
            "push": {"from_cidrs": ["192.0.2.1/32", "192.0.2.2/32"][: chance.randint(1, 2)]},
            "pull": {"from_cidrs": chance.sample(["198.51.100.0/28", "203.0.113.10/32"], chance.randint(1, 2))},
        }
        if "proxy" in found.get("dev", {}) and chance.random() < 0.4:
            prd["codecommit"]["push"] = {"from_stack": "dev-network"}
    if "codecommit" not in prd or chance.random() < 0.6:
        prd["backlog"] = _backlog(chance, list(prd.get("codecommit", {}).get("repositories", ()))[1:])
    return prd if found["region"] == "ap-northeast-1" else _without_keys(prd)


def _without_keys(settings: Any) -> Any:
    """The settings without the key, which is one of ap-northeast-1."""
    if not isinstance(settings, dict):
        return settings
    return {name: _without_keys(it) for name, it in settings.items() if name != "kms_key_arn"}


def _repository(chance: random.Random) -> dict[str, Any] | None:
    if chance.random() < 0.4:
        return None
    repository = {"description": chance.choice(_TEXTS)}
    return repository | ({"kms_key_arn": KMS_KEY} if chance.random() < 0.3 else {})


def _backlog(chance: random.Random, targets: list[str]) -> dict[str, Any]:
    spaces = chance.sample(["example", "partner"], chance.randint(1, 2))
    mirrors: dict[str, Any] = {}
    for target in chance.sample(targets, min(len(targets), chance.randint(0, 2))):
        mirrors[target] = {"target": {"codecommit": target}}
    for name in chance.sample(["website", "partner-api", "tools"], chance.randint(1, 3)):
        mirrors[name] = {"target": {"create": name, **(_repository(chance) or {})}}
    for index, mirror in enumerate(mirrors.values()):
        mirror |= {"space": spaces[index % len(spaces)], "project": "WEB", "repository": f"repo-{index}"}
    cache = chance.choice(["none", "s3", "none"])
    return {
        "isolation": "repository" if cache == "s3" or chance.random() < 0.5 else "space",
        "spaces": {
            space: {
                "domain": "backlog.jp",
                "known_hosts": [f"{space}.git.backlog.jp ssh-ed25519 {ED25519}"],
                "ssh_key_parameter": f"/kakehashi/backlog/{space}/ssh-key",
            }
            for space in spaces
        },
        "repositories": mirrors,
        "deletion_protected": chance.random() < 0.5,
        "webhook": {"sender_cidrs": chance.sample(["192.0.2.16/28", "192.0.2.64/28"], chance.randint(1, 2))},
        "cache": {"mode": cache},
        "lfs": chance.choice(["warn", "refuse"]) if chance.random() < 0.3 else "warn",
        "reconcile": chance.choice(["rate(1 hour)", "rate(30 minutes)", "cron(30 * * * ? *)"]),
        "alerts": {"emails": _some(chance, ("platform-team@example.com", "on-call@example.com")), "silent_hours": 3},
        "build_timeout_minutes": chance.choice([60, 120]),
        "log_retention_days": chance.choice(_RETENTION),
    }
