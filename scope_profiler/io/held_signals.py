"""Signals that arrive while HDF5 is at work."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any


class HeldSignals:
    """Inside, the handlers that Python has for signals run when `deliver` is called, and at the end.

    What a handler raises while HDF5 calls into Python would become an error of
    HDF5's, or be lost. Handlers run in the main thread alone; in others this does nothing.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._arrived: list[int] = []

    def __enter__(self) -> HeldSignals:
        if threading.current_thread() is threading.main_thread():
            for number in signal.valid_signals():
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._arrive)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._arrive:
                signal.signal(number, handler)
        if exception[0] is None:
            self.deliver()

    def _arrive(self, number: int, frame: Any) -> None:
        self._arrived.append(number)

    def deliver(self) -> None:
        """Call the handlers of what has arrived; raises what they raise."""
        while self._arrived:
            number = self._arrived.pop(0)
            self._handlers[number](number, sys._getframe(1))
