"""Random Singer catalogs and selection rules, the same for the same seed.

Names and places are drawn so that rules mostly meet something, and often what is odd: properties
below `items`, names that are no words, metadata before schema, entries without breadcrumb, nested
streams, patterns with sets that are empty or not closed.
"""

import dataclasses
import random

STREAMS = [
    "users", "orders", "order_items", "public-users", "a.b", "Users", "héllo", "s[1]", "*odd",
    "new\nline",
]  # fmt: skip
PROPERTIES = [
    "id", "email", "name", "addr", "zip", "x-y", "$d", "é", "中文", "a.b", "properties", "type",
    "anyOf", "items", "_u", "A1", "q?", "½", "हिन्दी", "metadata", "streams", "schema", "p\x7f",
    "tab\t",
]  # fmt: skip
SETS = ["[]", "[!]", "[a-", "[z-a]", "[]a]", "[!]a]", "]", "[a^-]", "[\\]", "**", "[--0]"]
PLAIN_SCHEMAS = [{"type": "string"}, {"type": ["string", "null"], "format": "date-time"}, {}]
NESTED_SCHEMA = {"type": "object", "properties": {"sub": {"type": "string"}, "id": {}}}


@dataclasses.dataclass
class Case:
    catalog: dict
    extras: dict  # select, metadata, schema, select_filter


class Maker:
    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def name(self, names: list[str]) -> str:
        name = self.random.choice(names)
        return name if self.chance(0.8) else name + self.random.choice("abc012_")

    def shuffled(self, members: list[tuple]) -> dict:
        self.random.shuffle(members)
        return dict(members)

    # --- catalogs -------------------------------------------------------------------------

    def schema(self, depth: int = 0) -> dict:
        choice = self.random.choice
        members = []
        if self.chance(0.8):
            members.append(("type", choice(["object", ["null", "object"], "string"])))
        if self.chance(0.9 if depth == 0 else 0.4 / depth):
            count = self.random.randint(0, 5 if depth == 0 else 3)
            members.append(
                ("properties", {self.name(PROPERTIES): self.subschema(depth) for _ in range(count)})
            )
        for key, probability in (("items", 0.15), ("oneOf", 0.1), ("anyOf", 0.1)):
            if depth < 3 and self.chance(probability):
                inner = self.schema(depth + 1)
                members.append((key, inner if key == "items" else [inner]))
        if self.chance(0.1):
            members.append((choice(["format", "streams", "metadata"]), choice(["x", False, [], {}])))
        return self.shuffled(members)

    def subschema(self, depth: int):
        return self.schema(depth + 1) if self.chance(0.95) else self.random.choice([True, [], {}])

    def metadata(self) -> dict:
        choice = self.random.choice
        members = []
        if self.chance(0.8):
            members.append(("inclusion", choice(["automatic", "available", "unsupported"])))
        if self.chance(0.3):
            members.append(("selected", choice([True, False, None, "yes"])))
        if self.chance(0.3):
            members.append(("selected-by-default", choice([True, False, None, 1])))
        if self.chance(0.2):
            members.append(("table-key-properties", ["id"]))
        return self.shuffled(members)

    def entries(self, schema: dict) -> list[dict]:
        def entry(breadcrumb):
            return {"breadcrumb": breadcrumb, "metadata": self.metadata()}

        entries = [entry([])] if self.chance(0.8) else []
        entries += [entry(place) for place in breadcrumbs(schema) if self.chance(0.7)]
        if self.chance(0.1):
            entries.append(entry(["properties", "gone"]))
        if self.chance(0.03):
            entries.append({"breadcrumb": ["foo"]})
        if self.chance(0.02):
            entries.append({"metadata": {}})
        if self.chance(0.3):
            self.random.shuffle(entries)
        return entries

    def stream(self) -> dict:
        schema = self.schema()
        name = self.name(STREAMS)
        members = [("tap_stream_id", name)]
        if self.chance(0.5):
            members.append(("stream", name))
        if self.chance(0.93):
            members.append(("schema", schema))
        if self.chance(0.8):
            members.append(("metadata", self.entries(schema)))
        if self.chance(0.2):
            members.append(("selected", True))
        if self.chance(0.05):
            members.append(("inclusion", "unsupported"))
        if self.chance(0.03):
            members.append(("streams", [self.stream()]))
        if self.chance(0.02):
            del members[0]
        return self.shuffled(members) if self.chance(0.5) else dict(members)

    def catalog(self) -> dict:
        catalog = {"streams": [self.stream() for _ in range(self.random.randint(0, 4))]}
        if self.chance(0.1):
            catalog["version"] = 1
        return catalog

    # --- rules ----------------------------------------------------------------------------

    def glob(self, word: str) -> str:
        forms = [
            (0.45, word),
            (0.15, "*"),
            (0.1, word[:1] + "*"),
            (0.08, "*" + word[-1:]),
            (0.06, word[:1] + "?" * max(0, len(word) - 1)),
            (0.06, f"[{word[:1]}-z]{word[1:]}"),
            (0.04, f"[!a]{word[1:]}"),
            (0.03, "[" + word),
            (0.03, word + self.random.choice(SETS)),
        ]
        weights, texts = zip(*forms)
        return self.random.choices(texts, weights)[0]

    def pick_stream(self, catalog: dict) -> str:
        ids = [stream.get("tap_stream_id", "x") for stream in catalog["streams"]]
        return self.random.choice(ids) if ids and self.chance(0.8) else self.name(STREAMS)

    def pick_property(self, catalog: dict, stream_id: str) -> list[str]:
        places = [
            place
            for stream in catalog["streams"]
            if stream.get("tap_stream_id") == stream_id
            for place in breadcrumbs(stream.get("schema"))
        ]
        if places and self.chance(0.8):
            return self.random.choice(places)[1::2]
        return [self.name(PROPERTIES) for _ in range(self.random.choice([1, 1, 2]))]

    def pattern(self, catalog: dict) -> str:
        stream_id = self.pick_stream(catalog)
        stream = self.glob(stream_id.replace(".", "\\.") if self.chance(0.7) else stream_id)
        pattern = ("!" if self.chance(0.35) else "") + stream
        if self.chance(0.2):
            return pattern
        path = [self.glob(name) for name in self.pick_property(catalog, stream_id)]
        return ".".join([pattern, *path])

    def patterns(self, catalog: dict, most: int) -> list[str]:
        return [self.pattern(catalog) for _ in range(self.random.randint(0, most))]

    def metadata_extra(self, catalog: dict) -> dict:
        extra = {}
        keys = ["replication-method", "replication-key", "selected", "inclusion", "x"]
        values = ["INCREMENTAL", "id", True, False, ["id"], 5, "unsupported", "automatic"]
        for _ in range(self.random.randint(1, 4)):
            stream_id = self.pick_stream(catalog)
            path = [self.glob(stream_id)]
            if self.chance(0.6):
                path += [self.glob(name) for name in self.pick_property(catalog, stream_id)]
            path.append(self.random.choice(keys))
            extra[".".join(path)] = self.random.choice(values)
        return extra

    def schema_extra(self, catalog: dict) -> dict:
        """Nested schemas only without patterns: Meltano lets properties share them (catalog.h)."""
        is_nested = self.chance(0.3)
        extra = {}
        for _ in range(self.random.randint(1, 3)):
            stream_id = self.pick_stream(catalog)
            properties = {}
            for _ in range(self.random.randint(1, 3)):
                name = self.pick_property(catalog, stream_id)[0]
                schema = NESTED_SCHEMA if is_nested else self.random.choice(PLAIN_SCHEMAS)
                properties[name if is_nested else self.glob(name)] = schema
            extra[stream_id if is_nested else self.glob(stream_id)] = properties
        return extra

    def extras(self, catalog: dict) -> dict:
        extras = {"select": self.patterns(catalog, 4)}
        if self.chance(0.5):
            extras["metadata"] = self.metadata_extra(catalog)
        if self.chance(0.35):
            extras["schema"] = self.schema_extra(catalog)
        if self.chance(0.3):
            extras["select_filter"] = self.patterns(catalog, 3)
        return extras


def breadcrumbs(schema, prefix=()):
    """The places of all properties, also of those that Meltano does not see."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, child in properties.items() if isinstance(properties, dict) else ():
        place = [*prefix, "properties", name]
        yield place
        yield from breadcrumbs(child, place)


def make_case(seed: int) -> Case:
    maker = Maker(seed)
    catalog = maker.catalog()
    return Case(catalog, maker.extras(catalog))
