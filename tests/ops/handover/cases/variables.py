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

HASHES: dict[str, Document] = {
    "in_local_values": {
        "locals": {
            "zone_1A2B3C4D": "a",
            "list_5E6F7A8B": ["${local.zone_1A2B3C4D}", "x-${local.room_00000001}"],
            "room_00000001": 1,
            "room_00000002": 2,
            "free": "x",
            "free_1A2B3C4D": "y",
            "lower_1a2b3c4d": "z",
        },
        "resource": {
            "terraform_data": {
                "it": {
                    "input": [
                        "${upper(local.zone_1A2B3C4D)} ${local.list_5E6F7A8B[0]}",
                        "${[for local in [{ zone_1A2B3C4D = 1 }] : local.zone_1A2B3C4D]}",
                        "local.zone_1A2B3C4D",
                        "%{ for it in local.list_5E6F7A8B }${it}${local.room_00000002}%{ endfor }",
                        "${local.free}${local.free_1A2B3C4D}${local.lower_1a2b3c4d}",
                    ],
                }
            }
        },
    }
}
