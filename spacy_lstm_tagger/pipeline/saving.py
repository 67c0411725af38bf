"""Saving and loading a tagger: everything is checked before any of it is changed."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import srsly
from spacy.pipeline import Tagger

from ..errors import Errors
from ..models.checkpoint import Checkpoint
from ..models.resize import n_tags
from ..models.shim import checksum
from .lock import WeightsLock
from .settings import check_settings

# What is saved beside the vocabulary, and the field that leaves it out.
FILES = {"cfg": "cfg", "model": "model", "checksum": "model"}

Self = TypeVar("Self", bound="SavedTagger")


class SavedTagger(Tagger):
    """A tagger that is saved with a checksum of its model. One that cannot be loaded is a clear
    error, and what was loaded before stays.
    """

    cfg: dict[str, Any]
    _lock: WeightsLock

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the component.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of fields to leave out.
        RAISES (ValueError): If a setting in `cfg` is not allowed. Then nothing is written.
        """
        exclude = tuple(exclude)
        files = self._to_files(exclude)
        super().to_disk(path, exclude=(*exclude, *FILES))  # the vocabulary
        for name, data in files.items():
            (Path(path) / name).write_bytes(data)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """RETURNS (bytes): The component. See `to_disk`."""
        exclude = tuple(exclude)
        message = srsly.msgpack_loads(super().to_bytes(exclude=(*exclude, *FILES)))
        return srsly.msgpack_dumps({**message, **self._to_files(exclude)})

    def from_disk(self: Self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Load the component. Settings that were saved hold, rather than those of the config.

        path (Union[str, Path]): The component's folder.
        exclude (Iterable[str]): Names of fields to leave out.
        RETURNS (LSTMTagger): Itself.
        RAISES (ValueError): If a file is damaged or missing, or the model of another architecture.
        """
        exclude = tuple(exclude)
        try:
            files = {name: (Path(path) / name).read_bytes() for name in _names(exclude)}
        except FileNotFoundError as e:
            error = f"There is no file {Path(e.filename).name!r}. Copy the pipeline again."
            raise ValueError(Errors.L003.format(path=path, error=error)) from e
        vocabulary = partial(super().from_disk, path, exclude=(*exclude, *FILES))
        return self._from_files(files, vocabulary, source=str(path))

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load the component from bytes. See `from_disk`. What was left out of them stays."""
        exclude = tuple(exclude)
        try:
            message = dict(srsly.msgpack_loads(bytes_data))
            files = {name: message[name] for name in _names(exclude) if FILES[name] in message}
        except (ValueError, KeyError, TypeError) as e:
            error = Errors.L001.format(error=repr(e))
            raise ValueError(Errors.L003.format(path="bytes", error=error)) from e
        vocabulary = partial(super().from_bytes, bytes_data, exclude=(*exclude, *FILES))
        return self._from_files(files, vocabulary, source="bytes")

    def _to_files(self, exclude: Iterable[str]) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        with self._lock.reading():
            if "cfg" not in exclude:
                cfg = {
                    name: value.item() if isinstance(value, np.generic) else value
                    for name, value in self.cfg.items()
                }
                check_settings(cfg)
                files["cfg"] = srsly.json_dumps(cfg, indent=2).encode("utf-8")
            if "model" not in exclude:
                files["model"] = self.model.to_bytes()
        if "model" in files:
            files["checksum"] = checksum(files["model"]).hex().encode("ascii")
        return files

    def _from_files(
        self: Self, files: Mapping[str, bytes], vocabulary: Callable[[], object], *, source: str
    ) -> Self:
        checkpoint = None
        with self._lock.changing():  # what is checked must not change before it is loaded
            try:
                cfg = {**self.cfg, **_read_settings(files["cfg"])} if "cfg" in files else self.cfg
                check_settings(cfg)
                if "model" in files:
                    checkpoint = Checkpoint(self.model, files["model"], saved=files["checksum"])
                tags = n_tags(self.model) if checkpoint is None else checkpoint.n_tags
                if tags is not None and tags != len(cfg["labels"]):
                    raise ValueError(Errors.L005.format(labels=len(cfg["labels"]), tags=tags))
                vocabulary()  # now that nothing else can be wrong
            except (ValueError, KeyError, TypeError) as e:
                raise ValueError(Errors.L003.format(path=source, error=e)) from e
            if checkpoint is not None:
                checkpoint.load()
            self.cfg.update(cfg)
        return self


def _names(exclude: Iterable[str]) -> list[str]:
    return [name for name, field in FILES.items() if field not in exclude]


def _read_settings(data: bytes) -> dict[str, Any]:
    try:
        settings = srsly.json_loads(data.decode("utf-8"))
    except ValueError as e:
        raise ValueError(Errors.L006.format(error=e)) from e
    if not isinstance(settings, dict):
        raise ValueError(Errors.L006.format(error="they are no table"))
    return settings
