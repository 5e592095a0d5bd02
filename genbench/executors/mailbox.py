"""How a run hears of the tasks that it sent to the machines of a cluster, while they are at it."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import Any

from genbench.executors.parcel import Parcel
from genbench.executors.task import Progress

PATIENCE_SECONDS = 5.0
"""So long a task that has ended waits for its last word to arrive; what it leaves comes back without."""


class Mailbox:
    """An actor beside the run, where machines leave word and checkpoints, and hear whether to stop."""

    def __init__(self) -> None:
        self.words: list[Progress] = []
        self.files: dict[str, Parcel] = {}
        self.stopped = False

    def say(self, word: Progress, files: Parcel) -> bool:
        """Leaves word of a task, and files of it; whether it is to stop."""
        self.words.append(word)
        if files:
            self.files.setdefault(word.name, {}).update(files)
        return self.stopped

    def take(self) -> tuple[list[Progress], dict[str, Parcel]]:
        """All that nobody has taken yet."""
        words, files = self.words, self.files
        self.words, self.files = [], {}
        return words, files

    def ask_to_stop(self) -> None:
        """Has whoever leaves word from now on hear that it is to stop."""
        self.stopped = True


class Messenger:
    """What takes a task's word to the mailbox, and hears in `asked_to_stop` what it answers.

    It is a thread's: a task whose main thread waits for Ray has its cores given to another task meanwhile.
    """

    def __init__(self, mailbox: Any) -> None:
        self.asked_to_stop = threading.Event()
        self._mailbox = mailbox
        self._words: SimpleQueue[tuple[Progress, Parcel] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="messenger", daemon=True)
        self._thread.start()

    def say(self, word: Progress, files: Parcel) -> None:
        """Has the thread leave word."""
        self._words.put((word, files))

    def close(self) -> None:
        """Lets all that was said arrive."""
        self._words.put(None)
        self._thread.join(PATIENCE_SECONDS)

    def _send(self) -> None:
        import ray

        while (letter := self._words.get()) is not None:
            try:
                if ray.get(self._mailbox.say.remote(*letter)):
                    self.asked_to_stop.set()
            except ray.exceptions.RayError:  # the run is gone: nobody is there to train for
                self.asked_to_stop.set()
