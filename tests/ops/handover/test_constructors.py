"""What `jsonencode` is given in an expression is written like every other object."""

import pytest

from ops.handover.constructors import with_constructors
from ops.handover.hcl import Block, Expression, FunctionCall, Template
from ops.handover.printing import expression
from terraform.templates import parts


def _read(source: str) -> Expression:
    template = Template(tuple(parts(f"${{{source}}}")))
    return with_constructors(Block("resource", ("it", "it"), arguments={"it": template})).arguments["it"]


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ('jsonencode({"A" = [aws_it.it.id]})', "jsonencode({\n  A = [aws_it.it.id]\n})"),
        ('jsonencode({\n"a" = "1",\n"b": {}\n})', 'jsonencode({\n  a = "1"\n  b = {}\n})'),
        ('jsonencode({"a b" = 1, c = x ? "y" : null})', 'jsonencode({\n  "a b" = 1\n  "c" = x ? "y" : null\n})'),
        ('jsonencode([1, "x${local.y}", "${local.y}"])', 'jsonencode([1, "x${local.y}", local.y])'),
        (r'jsonencode(["\"\\\n\t\u00e9\U0001F44D", "$${x} %%{y}"])', r'jsonencode(["\"\\\n\té👍", "$${x} %%{y}"])'),
        (r'jsonencode(["\u0024{x}"])', 'jsonencode(["$${x}"])'),
        (r'jsonencode(["\u0024${local.y}", "b"])', r'jsonencode(["\u0024${local.y}", "b"])'),
        (r'jsonencode({"a" = "x\n$\u0024${local.y}\ny\n"})', 'jsonencode({\n  a = "x\\n$\\u0024${local.y}\\ny\\n"\n})'),
        (r'jsonencode(["\ud842\udfb7", "\U0001F44D"])', r'jsonencode(["\ud842\udfb7", "👍"])'),
        (r'jsonencode([{"\U00110000" = 1}, "\UFFFFFFFF"])', r'jsonencode([{ "\U00110000" = 1 }, "\UFFFFFFFF"])'),
        (r'jsonencode(["\u0025${local.y}", "%\u0024{x}"])', 'jsonencode(["%${local.y}", "%$${x}"])'),
        ('jsonencode([{"${local.key}" = [1]}])', 'jsonencode([{ "${local.key}" = [1] }])'),
        ('jsonencode({"a" = [for it in local.x : {"b" = it}]})', "jsonencode({\n  a = [for it in local.x : {"),
        (r'jsonencode(["%{ if true }x%{ endif }", "${~ x ~}"])', 'jsonencode(["%{ if true }x%{ endif }", "${~ x ~}"])'),
    ],
)
def test_writes_what_is_encoded_as_an_object(source: str, written: str) -> None:
    found = _read(source)
    assert isinstance(found, FunctionCall)
    assert " ".join(expression(found).split()).startswith(" ".join(written.split()))


@pytest.mark.parametrize(
    "source",
    [
        "jsonencode(local.it)",
        'jsonencode({"a" = 1})[0]',
        'sha1(jsonencode({"a" = 1}))',
        "jsonencode([for it in local.x : it])",
        "jsonencode([1]...)",
        "jsonencode({(local.key) = [1]})",
        'jsonencode({"a" = 1 /* why */})',
        'jsonencode(({"a" = 1}))',
    ],
)
def test_keeps_other_calls(source: str) -> None:
    assert isinstance(_read(source), Template)


def test_keeps_calls_in_a_block_that_binds_our_names() -> None:
    template = Template(tuple(parts('${jsonencode({"a" = [for local in [1] : local]})}')))
    block = Block("resource", ("it", "it"), arguments={"it": template})
    assert with_constructors(block) == block
