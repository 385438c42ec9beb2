"""The mapping templates of the webhook: which build a name starts, in the Velocity language of API Gateway.

A name of the request is only looked up, in a table of constants, and never written: what reaches CodeBuild is a value
of the table, or no project at all, which CodeBuild refuses. A template that cannot read the request's name, or finds no
entry, therefore starts nothing.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import json
import re
from collections.abc import Iterable, Mapping

PARAMETER = "mirror"

_CONSTANT = re.compile(r"[A-Za-z0-9_.-]+")
"""Texts that mean nothing to Velocity or JSON."""

# A map without the key gives null, and `#set` with null leaves a variable as it was: each is set once, and `$!` writes
# nothing for null. https://velocity.apache.org/engine/1.7/user-guide.html#set
_NAME = f'#set($name = $input.params("{PARAMETER}"))'


def request(hooks: Mapping[str, tuple[str, str]]) -> str:
    """Start the build that a hook's name stands for: a project, and its variable MIRROR."""
    table = {name: {"project": project, "mirror": mirror} for name, (project, mirror) in hooks.items()}
    override = '[{"name": "MIRROR", "value": "$!found.mirror", "type": "PLAINTEXT"}]'
    return "\n".join(
        (
            _table(table, nothing={}),
            _NAME,
            "#set($found = $hooks.get($name))",
            f'{{"projectName": "$!found.project", "environmentVariablesOverride": {override}}}',
            "",
        )
    )


def refused(names: Iterable[str]) -> str:
    """Answer 404 to a name that stands for nothing, and leave the status as it is for every other.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
    """
    unknown = '"$!name" != "" && "$!hooks.get($name)" == ""'
    return "\n".join(
        (
            _table(dict.fromkeys(names, "known"), nothing=""),
            _NAME,
            f"#if({unknown})#set($context.responseOverride.status = 404)#end",
            '{"started": false}',
            "",
        )
    )


def _table(hooks: Mapping[str, object], *, nothing: object) -> str:
    """The table, with a line for each hook.

    `nothing` is what an empty name stands for. This entry comes last, so that the line of every hook ends in a comma:
    the handover writes them as a loop.
    """
    for text in _texts(hooks):
        if not _CONSTANT.fullmatch(text):
            raise ValueError(f"{text!r} could be read as a part of the template")
    entries = [f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in sorted(hooks.items())]
    return f'#set($hooks = {{\n{"".join(entries)}  "": {json.dumps(nothing)}\n}})'


def _texts(hooks: Mapping[str, object]) -> Iterable[str]:
    for name, value in hooks.items():
        yield name
        yield from value.values() if isinstance(value, Mapping) else (str(value),)
