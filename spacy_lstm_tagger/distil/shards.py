"""Silver data on disk: shards of labelled docs, and a manifest that says how they were made."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, DocBin

from ..errors import Errors

MANIFEST = "manifest.json"


def to_bytes(docs: Iterable[Doc]) -> bytes:
    """RETURNS (bytes): Labelled docs in spaCy's format: words, sentences, tags, probabilities."""
    return DocBin(attrs=["TAG", "SENT_START"], store_user_data=True, docs=docs).to_bytes()


class ShardFolder:
    """A folder that shards are written to, each of them whole or not at all.

    A shard is in the manifest once it is on disk, so work that was interrupted goes on after the
    last one.

    folder (Path): The folder, which is made if it is not there.
    options (Mapping[str, Any]): How the shards are made, as it goes into JSON.
    RAISES (ValueError): If the folder has shards that were made otherwise.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]):
        self.folder = folder
        path = folder / MANIFEST
        if path.exists():
            self.manifest = json.loads(path.read_text(encoding="utf-8"))
            old = self.manifest["options"]
            for name, new in json.loads(json.dumps(options)).items():
                if old.get(name) != new:
                    found = {"name": name, "old": old.get(name), "new": new}
                    raise ValueError(Errors.D007.format(folder=folder, **found))
        elif any(folder.glob("*.spacy")):
            raise ValueError(Errors.D008.format(folder=folder, name=MANIFEST))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self.manifest = {"options": dict(options), "shards": [], "complete": False}
            self._save()

    def __len__(self) -> int:
        """RETURNS (int): The number of shards that are done."""
        return len(self.manifest["shards"])

    @property
    def words(self) -> int:
        """RETURNS (int): The number of words in them."""
        return sum(shard["words"] for shard in self.manifest["shards"])

    @property
    def is_complete(self) -> bool:
        """RETURNS (bool): Whether all of the text is labelled."""
        return self.manifest["complete"]

    def add(self, data: bytes, *, docs: int, words: int) -> None:
        """Write the next shard.

        data (bytes): The shard, from `to_bytes`.
        docs (int): How many docs it has.
        words (int): How many words.
        """
        name = f"shard-{len(self):05d}.spacy"
        write_whole(self.folder / name, data)
        size = {"name": name, "docs": docs, "words": words, "bytes": len(data)}
        self.manifest["shards"].append(size)
        self._save()

    def complete(self) -> None:
        """Note that all of the text is labelled."""
        self.manifest["complete"] = True
        self._save()

    def _save(self) -> None:
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False) + "\n"
        write_whole(self.folder / MANIFEST, text.encode("utf-8"))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it: under another name, then rename it."""
    # Readers of .spacy files pass over names like this one.
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
