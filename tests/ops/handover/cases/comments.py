"""Comments within expressions, which would swallow what follows them on their line."""

COMMENTS = {
    "in_lists": {
        "variable": {"a": {"default": "q"}},
        "output": {
            "one": {"value": ["${var.a # x\n}", "b"]},
            "two": {"value": ["a", "${var.a // , 1]\n}", "${var.a /* x */}"]},
            "three": {"value": "${var.a # x\n}"},
        },
    },
    "in_keys": {"variable": {"a": {"default": "q"}}, "output": {"k": {"value": {"${var.a # c\n}": "x"}}}},
}
