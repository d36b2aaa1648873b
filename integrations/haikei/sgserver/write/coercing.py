"""Turn the values that clients send into those that are kept, or refuse them as the site does."""

import re
from collections.abc import Mapping
from datetime import date

from haikei.sgserver.schema.entities import DataType, Field
from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import (
    Fault,
    Json,
    bad_request,
    inspect,
    kind,
    moment_text,
    parse_moment,
)

HASHES = (
    "Hash, ActiveSupport::HashWithIndifferentAccess, ActionDispatch::Http::Parameters, "
    "ActionDispatch::Http::ParamsHashWithIndifferentAccess"
)
#: A whole number is signed and has 32 bits on the real site.
_LARGEST = 2**31 - 1
_UUID = re.compile(
    r"\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Coercion:
    """
    How one request's values become kept ones; it knows whose words its refusals use.

    Args:
        verb: `read`, `create`, `update` or `summarize`.
        entity_type: whose field it is.
        field: the field.
    """

    __slots__ = ("_field", "_place", "_verb")

    def __init__(self, verb: str, entity_type: str, field: Field) -> None:
        self._verb = verb
        self._place = f"{entity_type}.{field.name}"
        self._field = field

    def __call__(self, value: Json) -> SqlValue:
        """
        Return the value as it is kept and compared; None for none.

        Raises:
            Fault: it is no value of the field's data type.
        """
        match self._field.data_type:
            case DataType.TEXT | DataType.COLOR | DataType.LIST | DataType.STATUS_LIST:
                return self._text(value)
            case DataType.ENTITY_TYPE | DataType.FOOTAGE:
                return self._text(value)
            case DataType.NUMBER:
                return self._whole(value, (str, int), "String, Integer, NilClass")
            case DataType.PERCENT | DataType.TIMECODE:
                return self._whole(value, (int,), "Integer, NilClass")
            case DataType.DURATION:
                accepted = "String, Integer, NilClass, Float"
                return self._whole(value, (str, int, float), accepted)
            case DataType.FLOAT:
                return self._real(value, (str, float), "String, BigDecimal, Float, NilClass")
            case DataType.CURRENCY:
                accepted = "String, Integer, BigDecimal, Float, NilClass"
                return self._real(value, (str, int, float), accepted)
            case DataType.CHECKBOX:
                return self._checkbox(value)
            case DataType.DATE:
                return self._date(value)
            case DataType.DATE_TIME:
                return self._moment(value)
            case DataType.UUID:
                return self._uuid(value)
            case _:
                raise self.refusal(value, "NilClass")

    def refusal(self, value: Json, accepted: str) -> Fault:
        """Return the fault for a value of a wrong kind."""
        return bad_request(
            f"API {self._verb}() {self._place} expected [{accepted}] data type(s) "
            f"but got {kind(value)}: {inspect(value)}"
        )

    def _invalid(self, value: Json) -> Fault:
        return bad_request(f"Invalid data for '{self._field.data_type}' data type. Value: {value}")

    def _text(self, value: Json) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refusal(value, "String, NilClass")
        return value.strip() or None

    def _whole(self, value: Json, kinds: tuple[type, ...], accepted: str) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise self.refusal(value, accepted)
        if not isinstance(value, str | int | float):
            raise self.refusal(value, accepted)
        try:
            found = int(value)
        except (ValueError, OverflowError):
            raise self._invalid(value) from None
        if not -_LARGEST - 1 <= found <= _LARGEST and self._field.name != "id":
            raise self._too_large()
        return found

    def _too_large(self) -> Fault:
        if self._verb == "create":
            entity_type = self._place.partition(".")[0]
            message = (
                f"Create failed for [{entity_type}]: PG::NumericValueOutOfRange: ERROR:  "
                "integer out of range\n"
            )
            return Fault(104, message)
        return Fault(104, f"Update failed for [{self._place}]: Invalid statement.")

    def _real(self, value: Json, kinds: tuple[type, ...], accepted: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise self.refusal(value, accepted)
        if not isinstance(value, str | int | float):
            raise self.refusal(value, accepted)
        try:
            return round(float(value), 6)
        except (ValueError, OverflowError):
            raise self._invalid(value) from None

    def _checkbox(self, value: Json) -> int:
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, str):
            raise self.refusal(value, "String, FalseClass, TrueClass")
        if value not in {"true", "false"}:
            raise self._invalid(value)
        return int(value == "true")

    def _date(self, value: Json) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.refusal(value, "String, NilClass")
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value).isoformat()
        except ValueError:
            pass  # no day of the calendar: refused below as any other text
        raise bad_request(f"Invalid date format: {value}. Correct format is: 2011-01-21")

    def _moment(self, value: Json) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.refusal(value, "String, NilClass")
        moment = parse_moment(value)
        if moment is None:
            raise bad_request(
                f"Invalid date time format: {value}. Correct format is 2011-01-21T13:26:09Z (UTC), "
                "2011-01-21T13:26:09-07:00 (UTC Offset) or any ISO8601 compatible string."
            )
        return moment_text(moment)

    def _uuid(self, value: Json) -> str | None:
        if not isinstance(value, str):
            raise self.refusal(value, "String")
        if not value:
            return None
        found = _UUID.fullmatch(value.lower())
        if found is None:
            entity_type = self._place.partition(".")[0]
            raise Fault(
                104,
                "Please check your filters for possible invalid value, invalid input syntax for "
                f"type uuid: {inspect(value)}. -- Read failed for entity type [{entity_type}]",
            )
        return "-".join(found.groups())


def reference(verb: str, value: Json, known: Mapping[str, object]) -> tuple[str, int]:
    """
    Return the type and id of a link's value.

    Raises:
        Fault: it lacks one, or the type is unknown.
    """
    if not isinstance(value, Mapping):
        raise bad_request(f"API {verb}() invalid/missing entity hash: {inspect(value)}")
    entity_type = value.get("type")
    if not isinstance(entity_type, str) or entity_type not in known:
        names = ", ".join(f'"{name}"' for name in sorted(known))
        raise bad_request(
            f"API {verb}() invalid/missing entity hash string 'type': {inspect(value)} "
            f"Valid entity types: [{names}]"
        )
    entity_id = value.get("id")
    if isinstance(entity_id, bool) or not isinstance(entity_id, int):
        raise bad_request(
            f"API {verb}() invalid/missing entity hash integer 'id': {inspect(value)}"
        )
    return entity_type, entity_id
