"""Ctrl-C in the middle of training."""

import signal

import keras


def interrupting(monkeypatch, event, at):
    """Ctrl-C is pressed once, when `event` happens for the `at`-th time."""
    seen = []

    class CtrlC(keras.callbacks.CSVLogger):
        pass

    def press(self, *args, **kwargs):
        getattr(keras.callbacks.Callback, event)(self, *args, **kwargs)
        if event == "on_epoch_end":
            original.on_epoch_end(self, *args, **kwargs)
        seen.append(event)
        if len(seen) == at:
            signal.raise_signal(signal.SIGINT)

    original = keras.callbacks.CSVLogger
    setattr(CtrlC, event, press)
    monkeypatch.setattr(keras.callbacks, "CSVLogger", CtrlC)
