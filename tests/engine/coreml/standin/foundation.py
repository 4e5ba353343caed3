"""The classes of Foundation that the runtime meets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.coreml.standin.messages import Fault, NSObject


class NSURL(NSObject):
    _path: str

    @classmethod
    def fileURLWithPath_(cls, path: str) -> NSURL:  # noqa: N802
        made = cls.__new__(cls)
        made._path = path
        return made

    def path(self) -> str:
        return self._path


class NSError(NSObject):
    _fault: tuple[str, int, str]

    @classmethod
    def _of(cls, fault: Fault) -> NSError:
        made = cls.__new__(cls)
        made._fault = fault.args
        return made

    def domain(self) -> str:
        return self._fault[0]

    def code(self) -> int:
        return self._fault[1]

    def localizedDescription(self) -> str:  # noqa: N802
        return self._fault[2]


class NSMutableDictionary(NSObject):
    """PyObjC adds Python's ``items`` to it."""

    _rows: dict[str, Any]

    @classmethod
    def dictionary(cls) -> NSMutableDictionary:
        return cls._of({})

    @classmethod
    def _of(cls, rows: dict[str, Any]) -> NSMutableDictionary:
        made = cls.__new__(cls)
        made._rows = rows
        return made

    def setObject_forKey_(self, value: Any, key: str) -> None:  # noqa: N802
        self._rows[key] = value

    def objectForKey_(self, key: str) -> Any:  # noqa: N802
        return self._rows.get(key)


NSMutableDictionary.items = lambda self: self._rows.items()  # type: ignore[attr-defined]


class NSArray(NSObject):
    """PyObjC adds Python's iteration to it. A list of Python's is not one."""

    _of_these: tuple[Any, ...]

    @classmethod
    def _of(cls, these: tuple[Any, ...]) -> NSArray:
        made = cls.__new__(cls)
        made._of_these = these
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self._of_these)
