"""Warnings about an instance type that is smaller than GitLab recommends."""

import re
from collections.abc import Iterator

from settings.deployment import Deployment
from settings.problems import SettingProblem

# For up to 1,000 users. https://docs.gitlab.com/administration/reference_architectures/1k_users/
_VCPUS, _MEMORY_GIB = 8, 16

# GiB of memory for each vCPU, by the first letter of an EC2 family; there are no warnings about other families.
_GIB_FOR_EACH_VCPU = {"c": 2, "m": 4, "r": 8, "t": 4}

_BELOW_LARGE = ("nano", "micro", "small", "medium")


def problems(deployment: Deployment) -> Iterator[SettingProblem]:
    """Warnings about a valid deployment."""
    gitlab = deployment.dev.gitlab if deployment.dev is not None else None
    if gitlab is None:
        return
    path = ("dev", "gitlab", "instance_type")
    kind = gitlab.instance_type
    asked = f"GitLab asks for {_VCPUS} vCPU and {_MEMORY_GIB} GB for up to 1,000 users"
    vcpus, gib = size(kind)
    if vcpus is not None and vcpus < _VCPUS:
        memory = f" and {gib} GiB" if gib is not None else ""
        hint = "choose a larger one, for example c7i.2xlarge, or leave it for few users"
        yield SettingProblem(path=path, what=f"'{kind}' has {vcpus} vCPU{memory}; {asked}", hint=hint)
    if re.match(r"t[0-9]", kind):
        # https://docs.gitlab.com/administration/reference_architectures/#recommended-cloud-providers-and-services
        what = f"'{kind}' is burstable, and GitLab advises against it"
        yield SettingProblem(
            path=path, what=what, hint="choose a type with steady performance, for example c7i.2xlarge"
        )


def size(instance_type: str) -> tuple[int | None, int | None]:
    """The vCPUs and GiB of an instance type, as far as they follow from its name."""
    family, _, name = instance_type.partition(".")
    if name in _BELOW_LARGE:
        return (2 if family.startswith("t") else 1), None
    if name == "large":
        vcpus = 2
    elif match := re.fullmatch(r"([0-9]*)xlarge", name):
        vcpus = 4 * int(match[1] or 1)
    else:
        return None, None
    each = _GIB_FOR_EACH_VCPU.get(family[0]) if re.match(r"(?!c5n)[cmrt][5-9]|t[2-4]", family) else None
    return vcpus, vcpus * each if each is not None else None
