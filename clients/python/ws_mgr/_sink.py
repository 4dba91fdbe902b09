"""Where an emitter's events go while a batch or a stream has them."""

from __future__ import annotations

from typing import Callable, Optional

from ._events import Line


class Sink:
    """One block at a time has an emitter's events; put is None outside."""

    __slots__ = ('put',)

    def __init__(self) -> None:
        self.put: Optional[Callable[[Line], None]] = None

    def begin(self, put: Callable[[Line], None]) -> None:
        if self.put is not None:
            raise RuntimeError('a batch or a stream within another')

        self.put = put

    def end(self) -> None:
        self.put = None
