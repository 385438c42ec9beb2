"""Variables and outputs."""

from tests.ops.handover.cases.documents import Document, variable

VARIABLES: dict[str, Document] = {
    "default_with_braces": variable(type="string", default='${not.a.reference} %{ if } $${x} \\ " \n'),
    "default_object": variable(
        type="object({a = string, b = optional(number, 2)})", default={"a": "${x}"}, nullable=False
    ),
    "default_null": variable(type="string", default=None),
    "default_false": variable(type="bool", default=False),
    "default_empty": variable(type="list(string)", default=[]),
    "untyped": variable(default=["a", 1, True]),
    "any": variable(type="any", default={"a": [1]}),
    "map_of_numbers": variable(type="map(number)", default={"a": 1, "b": "2"}),
    "sensitive": variable(type="string", default="x", sensitive=True),
    "description_with_braces": variable(type="string", default="x", description='Say "${x}", %{y}, $${z}\nand more.'),
    "validation": variable(
        type="string",
        default="abc",
        validation=[
            {"condition": '${can(regex("^[a-z]+$", var.it))}', "error_message": "Not ${var.it}, $${x}."},
            {"condition": "${length(var.it) > 1}", "error_message": 'Longer than "1".'},
        ],
    ),
    "output_of_everything": {
        "output": {
            "o": {
                "value": "x",
                "description": "${not.read}",
                "sensitive": True,
                "depends_on": ["terraform_data.it"],
                "precondition": [{"condition": "${local.one == 1}", "error_message": "One is ${1}."}],
            }
        },
        "locals": {"one": 1},
        "resource": {"terraform_data": {"it": {}}},
    },
}
