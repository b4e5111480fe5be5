"""What the operator tells a running daemon: signals, and edits of its file."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType


class Signals:
    """Heard from the process's first moment on, before any tracker is asked: a signal that came while a slow tracker
    was being opened would otherwise end the process. ``stopping``: finish the write in flight and begin no other.
    ``edited``: the file may be a new one. ``wake``: there is something to look at."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.edited = threading.Event()
        self.wake = threading.Event()
        self.forced = False
        self.at_work = False

    def listen(self) -> None:
        """SIGTERM and SIGINT finish the write in flight and stop; SIGHUP reads the file again."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        signal.signal(signal.SIGHUP, self.hang_up)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Raises ``SystemExit`` while the trackers are still being opened: nothing is written then, and a tracker
        that does not answer must not hold up the end."""
        self.stopping.set()
        self.wake.set()
        if not self.at_work:
            raise SystemExit(0)

    def hang_up(self, number: int, frame: FrameType | None) -> None:
        """The file is read again even where it is unchanged: a secret that it names may be a new one."""
        self.forced = True
        self.look()

    def look(self) -> None:
        """The file may have been edited."""
        self.edited.set()
        self.wake.set()

    def watch(self, path: Path) -> threading.Thread:
        """Notices an edit of the file or of a roster beside it, also one that replaces it whole."""
        thread = threading.Thread(target=self.follow, args=(path,), daemon=True)
        thread.start()
        return thread

    def follow(self, path: Path) -> None:
        from watchfiles import watch

        for changes in watch(path.parent, stop_event=self.stopping, recursive=False, rust_timeout=500):
            names = [Path(changed) for _, changed in changes]
            if any(changed.name == path.name or changed.suffix.lower() == ".csv" for changed in names):
                self.look()
