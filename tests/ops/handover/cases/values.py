"""Values of JSON that HCL writes differently."""

from tests.ops.handover.cases.documents import Document

VALUES: dict[str, Document] = {
    "numbers": {"output": {"o": {"value": [0, -1, 1.5, 1e3, 12345678901234567890, 0.1]}}},
    "falsy_values": {"locals": {"no": False, "zero": 0, "empty": "", "none": None, "nothing": [], "void": {}}}
    | {"output": {"o": {"value": "${[local.no, local.zero, local.empty, local.none, local.nothing, local.void]}"}}},
    "keys_that_are_no_words": {
        "output": {
            "o": {"value": {"a b": 1, "for": 2, "null": 3, "1": 4, "ü": 5, "a.b": 6, "$${x}": 7, "//": 8, "": 9}}
        }
    },
    "keys_that_are_long_or_json": {
        "locals": {"name": "x", "map": {'{"a":1,"b":["x"]}': 1, "line\n" * 12: {'{"a":"${local.name}"}': [2]}}},
        "output": {"o": {"value": {"${local.name}\n" * 12: "${local.map}", '["a",{"b":true}]': "line\n" * 12}}},
    },
    "nested_lists_and_maps": {"output": {"o": {"value": [[], [[]], {"a": [{"b": [{}]}]}, [{"c": None}, {"d": 1}]]}}},
    "digits_stay_text": {"output": {"o": {"value": {"id": "012345678901", "n": "1.0"}}}},
    "locals_in_a_list": {"locals": [{"a": 1}, {"b": "${local.a + 1}"}], "output": {"o": {"value": "${local.b}"}}},
    "comments_of_cdktf": {
        "//": {"metadata": {"version": "0.21.0"}},
        "resource": {
            "terraform_data": {
                "it": {"//": {"metadata": {"path": "s/it", "uniqueId": "it"}}, "input": {"//": "kept", "a": 1}}
            }
        },
    },
}
