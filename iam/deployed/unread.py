"""Refuses what would give something to a user or role that its stack does not make."""

from collections import Counter

from iam.deployed.stack import DeployedStack
from iam.statements import UnsupportedError

SECRETS = ("aws_iam_access_key", "aws_iam_service_specific_credential", "aws_iam_user_login_profile")
"""Resources that give a user a password or a key, and put it into the state."""


def refuse_others(stack: DeployedStack) -> None:
    """Raise UnsupportedError for a policy or a secret of a user or role that is not made here."""
    for owner in ("user", "role"):
        names = Counter(
            (stack.text(arguments[owner], address), stack.text(arguments["name"], address))
            for _, address, arguments in stack.of(f"aws_iam_{owner}_policy")
        )
        for (whose, name), times in names.items():
            if times > 1:
                raise UnsupportedError(stack.name, f"{times} policies of {whose} named {name!r}, of which one remains")
        made = {stack.text(arguments["name"], address) for _, address, arguments in stack.of(f"aws_iam_{owner}")}
        given = (f"aws_iam_{owner}_policy", f"aws_iam_{owner}_policy_attachment", *(SECRETS if owner == "user" else ()))
        for kind in given:
            for _, address, arguments in stack.of(kind):
                if (name := stack.text(arguments[owner], address)) not in made:
                    raise UnsupportedError(address, f"whose it is: no {owner} {name!r} is made here")
