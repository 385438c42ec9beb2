"""Text that Terraform must take as it stands."""


def literal(text: str) -> str:
    """`text` with Terraform's template markers escaped: a shell's `${X}` is written `$${X}`.

    https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
    """
    return text.replace("${", "$${").replace("%{", "%%{")
