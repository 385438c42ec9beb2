"""The JSON Schema that editors complete a deployment file from; `python -m settings.schema` writes it."""

import functools
import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from settings.deployment import Deployment

FILE = Path(__file__).parent / "deployment.schema.json"


class _ForEditors(GenerateJsonSchema):
    """A schema whose texts are meant for people: no titles made from names, no empty defaults."""

    # The newest draft that the YAML extensions of all editors know.
    schema_dialect = "http://json-schema.org/draft-07/schema#"

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        """Generate the whole schema, with its dialect."""
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}

    def field_title_should_be_set(self, _: Any) -> bool:
        """Whether a title is made from the key."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Generate a part, with a title only if the part sets one."""
        generated = super().model_schema(schema)
        if generated.get("title") == schema["cls"].__name__:
            del generated["title"]
        return generated

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Generate a setting that may be left out."""
        generated = super().default_schema(schema)
        if generated.get("default", "") is None:
            del generated["default"]
        return generated

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Generate a setting that may be empty, as one with a value: editors then suggest values."""
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Generate a map with free keys of one form, whose values may be empty."""
        generated = super().dict_schema(schema)
        ((pattern, value),) = generated.pop("patternProperties").items()
        if schema["values_schema"]["type"] == "nullable":
            value = {"anyOf": [value, {"type": "null"}]}
        return {**generated, "propertyNames": {"pattern": pattern}, "additionalProperties": value}


@functools.cache
def generated() -> dict[str, Any]:
    """The schema of a deployment file."""
    return Deployment.model_json_schema(schema_generator=_ForEditors)


def text() -> str:
    """The schema as it is written to the file."""
    return json.dumps(generated(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
