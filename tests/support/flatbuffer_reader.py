"""Reads a flatbuffer with nothing but the text of its schema, as `flatc --json` does; for tables, strings and enums."""

import re

from flatbuffers import encode, packer
from flatbuffers.number_types import Int8Flags, Uint8Flags
from flatbuffers.table import Table


class Schema:
    """Tables, enums and unions of a `.fbs` text."""

    def __init__(self, text):
        text = re.sub(r"//.*", "", text)
        self.root = re.search(r"root_type (\w+);", text)[1]
        self.identifier = re.search(r'file_identifier "(\w+)";', text)[1].encode()
        self.tables, self.enums, self.unions = {}, {}, {}
        for kind, name, body in re.findall(r"(table|enum|union) (\w+)[^{]*\{(.*?)\}", text, re.DOTALL):
            if kind == "table":
                self.tables[name] = re.findall(r"(\w+):(\[?\w+\]?)", body)
            elif kind == "enum":
                self.enums[name] = {int(number): value for value, number in re.findall(r"(\w+) = (\d+)", body)}
            else:
                self.unions[name] = ["NONE", *re.findall(r"\w+", body)]

    def read(self, content):
        """The root table as a dict of the fields that are there."""
        assert content[4:8] == self.identifier, content[4:8]
        return self._table(Table(content, encode.Get(packer.uoffset, content, 0)), self.root)

    def _table(self, table, name):
        found, slot = {}, 0
        for field, kind in self.tables[name]:
            union = None
            if kind in self.unions:
                # A union is two fields: which table it is, and the table.
                at, slot = table.Offset(4 + 2 * slot), slot + 1
                union = self.unions[kind][table.Get(Uint8Flags, table.Pos + at)] if at else None
            at, slot = table.Offset(4 + 2 * slot), slot + 1
            if at:
                found[field] = self._value(table, at, union or kind)
                if union:
                    found[f"{field}_type"] = union
        return found

    def _value(self, table, at, kind):
        if kind.startswith("["):
            places = (table.Vector(at) + 4 * i for i in range(table.VectorLen(at)))
            return [self._part(table, place, kind.strip("[]")) for place in places]
        if kind in self.enums:
            return self.enums[kind][table.Get(Int8Flags, table.Pos + at)]
        return self._part(table, table.Pos + at, kind)

    def _part(self, table, place, kind):
        if kind == "string":
            return table.String(place).decode()
        return self._table(Table(table.Bytes, table.Indirect(place)), kind)
