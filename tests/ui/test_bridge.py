"""Events cross from any thread to the window's, in order; of steps the newest."""

from __future__ import annotations

import threading

from PySide6.QtCore import QThread
from pytestqt.qtbot import QtBot

from app.core.events import Cancelled, Decoding, Loading, Pixels, Stepped
from app.ui.bridge import GAP, Bridge


def preview(shade: int) -> Pixels:
    return Pixels(1, 1, bytes((shade, shade, shade)))


def test_events_of_another_thread_arrive_in_order_on_the_windows_thread(qtbot: QtBot) -> None:
    bridge, heard, threads = Bridge(), [], []
    bridge.happened.connect(heard.append)
    bridge.happened.connect(lambda _event: threads.append(QThread.currentThread()))
    told = [Loading("a"), Stepped("a", 1, 9), Decoding("a"), Loading("b"), Stepped("b", 1, 9)]
    told.append(Cancelled("b"))

    sender = threading.Thread(target=lambda: [bridge.listen(event) for event in told])
    sender.start()
    sender.join()
    qtbot.waitUntil(lambda: len(heard) == len(told))
    assert heard == told
    assert set(threads) == {bridge.thread()}


def test_of_many_steps_the_newest_is_told_and_no_preview_is_lost(qtbot: QtBot) -> None:
    bridge, heard = Bridge(), []
    bridge.happened.connect(heard.append)
    for step in range(1, 100):
        bridge.listen(Stepped("a", step, 100, preview(step) if step == 98 else None))
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [Stepped("a", 99, 100, preview(98))]

    bridge.listen(Stepped("a", 100, 100))
    bridge.listen(Decoding("a"))
    qtbot.waitUntil(lambda: len(heard) == 3)
    assert heard[1:] == [Stepped("a", 100, 100), Decoding("a")]


def test_steps_are_told_at_most_ten_a_second(qtbot: QtBot) -> None:
    bridge, heard = Bridge(), []
    bridge.happened.connect(heard.append)
    for step in range(1, 31):
        bridge.listen(Stepped("a", step, 30))
        qtbot.wait(10)
    qtbot.waitUntil(lambda: heard[-1].step == 30)
    assert GAP == 0.1
    # 30 steps took at least 0.3 s; how long exactly, the machine decides, but not 30 of them.
    assert 2 <= len(heard) < 25


def test_a_closed_bridge_tells_nothing_more(qtbot: QtBot) -> None:
    bridge, heard = Bridge(), []
    bridge.happened.connect(heard.append)
    bridge.listen(Loading("a"))
    bridge.close()
    qtbot.wait(20)
    assert not heard
