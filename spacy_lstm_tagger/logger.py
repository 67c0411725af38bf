"""The logger of a training: a table as spaCy prints it, a line that lives between its rows, and a
file that keeps the figures of each evaluation beside the model.
"""

import json
import math
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.training.loggers import console_logger_v3
from spacy.util import ensure_path, registry

from .checks import check, is_number
from .errors import Errors
from .files.whole import check_place, write_whole
from .pipeline.training_block import read_training
from .progress import LiveLine

FILE = "training-log.jsonl"  # beside model-best and model-last

# What spaCy calls at each step, with the figures if there was an evaluation, and at the end.
LogStep = Callable[[dict[str, Any] | None], None]
Logger = Callable[[Language, IO, IO], tuple[LogStep, Callable[[], None]]]


@registry.loggers("spacy-lstm-tagger.ProgressLogger.v1")
def create_progress_logger(
    *, path: str | Path | None = None, console_output: bool = True
) -> Logger:
    """Print spaCy's table; between its rows, on a terminal, show step, loss, words a second, time
    left and the best score so far; and keep all figures of each evaluation, as a line of JSON.

    path (Optional[Union[str, Path]]): The file for the figures. None: `training-log.jsonl` in the
        folder of --output; without one, none.
    console_output (bool): Whether to print the table. In a chain, another logger may do so: it
        should come behind this one.
    RETURNS (Logger): The logger.
    """

    def set_up(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        table = console_logger_v3(console_output=console_output)
        log_row, end_table = table(nlp, stdout, stderr)
        training = read_training(nlp)
        # What this dev set has no figure for, such as that of texts, is no 0.00.
        unknown = dict.fromkeys(training["score_weights"], math.nan)
        log, live = TrainingLog(ensure_path(path)), LiveLine(stderr)
        progress = TrainingProgress(training["max_steps"])

        def log_step(info: dict[str, Any] | None) -> None:
            progress.update(info)
            if info is None:
                live(progress)
                return
            live.clear()
            log_row({**info, "other_scores": {**unknown, **info["other_scores"]}})
            log.add(info)

        def finalize() -> None:
            live.clear()
            end_table()

        return log_step, finalize

    return set_up


class TrainingLog:
    """The figures of each evaluation of a training.

    path (Optional[Path]): The file. None: one beside the model.
    RAISES (ValueError): If there is a file that is no such log, which would be lost, or a folder.
    RAISES (OSError): If it cannot be written.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self._is_new = True
        if path is not None:
            _check_old(path)
            check_place(path)

    def add(self, info: dict[str, Any]) -> None:
        """Append the figures of an evaluation. The first ones replace the log of another training.

        info (dict[str, Any]): What spaCy tells of it.
        """
        if self.path is None and "output_path" in info:  # the folder of model-last
            self.path = Path(info["output_path"]).parent / FILE
            _check_old(self.path)
        if self.path is None:
            return
        record = {name: info[name] for name in ("step", "epoch", "words", "seconds", "score")}
        record |= {"losses": info["losses"], "scores": info["other_scores"]}
        line = (json.dumps(record, default=float) + "\n").encode("utf-8")
        if self._is_new:  # whole: a file without one whole line is taken for no log
            write_whole(self.path, line)
            self._is_new = False
        else:
            with self.path.open("ab") as file:
                file.write(line)


def read_training_log(path: Path) -> list[dict[str, Any]]:
    """Read a log. A last line that was not written whole, as of a training that was killed, is left
    out.

    path (Path): The file.
    RETURNS (list[dict[str, Any]]): The figures of each evaluation.
    RAISES (ValueError): If it is no such log.
    """
    *lines, last = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = dict(json.loads(line))
            numbers = {name: int(record[name]) for name in ("step", "words")}
            records.append({**record, **numbers, **_tables(record)})
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            place = f"{path}, line {number}"
            raise ValueError(Errors.T002.format(place=place, error=error)) from error
    if last and not records:
        raise ValueError(Errors.T002.format(place=f"{path}, line 1", error="it does not end"))
    return records


def _tables(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """RETURNS (dict[str, dict[str, Any]]): The losses, and the scores that are numbers."""
    scores = dict(record["scores"]).items()
    known = {name: n for name, n in scores if is_number(n) and math.isfinite(n)}
    return {"losses": dict(record["losses"]), "scores": known}


def _check_old(path: Path) -> None:
    check(not path.is_dir(), "[training.logger] path", str(path), "the name of a file")
    if path.exists():
        read_training_log(path)


class TrainingProgress:
    """How far a training is, as a line.

    max_steps (int): How many steps it takes at most. 0: it is not known.
    clock (Callable[[], float]): Tells the seconds.
    """

    def __init__(self, max_steps: int, *, clock: Callable[[], float] = time.monotonic):
        self.max_steps = max_steps
        self.step = -1  # the first one is step 0
        self._clock = clock
        self._start = 0.0  # when step 0 was over
        self._last: float | None = None  # when the last step was; None after an evaluation
        self._steps, self._seconds = 0, 0.0  # between steps without an evaluation
        self._words = 0.0  # a step
        self._losses: dict[str, float] = {}
        self._best: tuple[float, int] | None = None

    def update(self, info: dict[str, Any] | None) -> None:
        """Count a step.

        info (Optional[dict[str, Any]]): What spaCy tells of it: something if there was an
            evaluation, whose losses stand until the next.
        """
        self.step += 1
        now = self._clock()
        if self.step == 0:
            self._start = now
        if info is None:
            if self._last is not None:
                self._steps += 1
                self._seconds += now - self._last
            self._last = now
            return
        self._last = None  # an evaluation, and what is saved after it
        self._losses = info["losses"]
        self._words = info["words"] / (self.step + 1)
        if self._best is None or info["score"] >= self._best[0]:  # spaCy saves the later one
            self._best = (info["score"], info["step"])

    def __str__(self) -> str:
        """RETURNS (str): The line; of what is not known it tells nothing."""
        parts = [f"step {self.step:,}" + (f" of {self.max_steps:,}" if self.max_steps else "")]
        several = len(self._losses) > 1
        losses = [
            f"{name} {loss:,.2f}" if several else f"{loss:,.2f}"
            for name, loss in self._losses.items()
        ]
        if losses:
            parts.append(f"loss {', '.join(losses)}")
        elapsed = self._clock() - self._start
        # Where each step was evaluated, that is in the speed.
        steps, seconds = (self._steps, self._seconds) if self._steps else (self.step, elapsed)
        if self._words and seconds > 0.0:
            parts.append(f"{self._words * steps / seconds:,.0f} words/s")
        if self.max_steps and self.step > 0:
            seconds = elapsed / self.step * (self.max_steps - self.step)
            parts.append(f"{timedelta(seconds=round(seconds))} left")
        if self._best is not None:
            parts += [f"best {self._best[0]:.4f}", f"at step {self._best[1]:,}"]
        return "  ".join(parts)
