"""Silver data on disk: shards of labelled docs, and a manifest that says how they were made."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy.attrs import MORPH, POS, SENT_START, TAG
from spacy.tokens import Doc, DocBin

from ..errors import Errors
from ..files.texts import Text
from ..files.whole import check_folder, write_whole

MANIFEST = "manifest.json"
# What a student learns. The last two are there if a component of the first teacher sets them before
# the tagger, as a morphologizer does, or the tags are universal ones.
LEARNED = [TAG, POS, MORPH]
# What the manifest tells of a shard.
ENTRY = {"name": str, "docs": int, "words": int, "digest": str, "texts": str}


def to_bytes(docs: Iterable[Doc]) -> bytes:
    """RETURNS (bytes): Labelled docs in spaCy's format: words, sentences, what teachers set."""
    return DocBin(attrs=[SENT_START, *LEARNED], store_user_data=True, docs=docs).to_bytes()


def digest_of_texts(texts: Iterable[Text]) -> str:
    """RETURNS (str): What tells texts from others."""
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        digest.update(repr((text.text, text.words, text.spaces)).encode("utf-8"))
    return digest.hexdigest()


def is_complete(folder: Path) -> bool:
    """RETURNS (bool): Whether a folder has all of its shards, as far as a manifest tells."""
    path = folder / MANIFEST
    if not path.is_file():
        return True
    manifest = _read_manifest(path)
    names = (shard["name"] for shard in manifest["shards"])
    return manifest["complete"] and all((folder / name).is_file() for name in names)


class ShardFolder:
    """A folder that shards are written to, each of them whole or not at all.

    A shard is in the manifest once it is on disk, so work that was interrupted goes on after the
    last one. The manifest has digests of the shard and of its texts: one that is lost or damaged
    is made again, and one of other texts is an error.

    folder (Path): The folder, which is made if it is not there.
    options (Mapping[str, Any]): How the shards are made, as it goes into JSON.
    RAISES (ValueError): If the folder has shards that were made otherwise, or its manifest is
        damaged.
    RAISES (OSError): If the folder cannot be written to.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]):
        self.folder = folder
        path = folder / MANIFEST
        options = json.loads(json.dumps(options))
        self.manifest = _read_manifest(path) if path.exists() else {"shards": []}
        if not self.manifest["shards"]:
            if not path.exists() and any(folder.glob("*.spacy")):
                raise ValueError(Errors.D008.format(folder=folder, name=MANIFEST))
            folder.mkdir(parents=True, exist_ok=True)
            self.manifest = {"options": options, "shards": [], "complete": False}
        for name, new in options.items():
            self._check(name, self.manifest["options"].get(name), new)
        self.remade: list[str] = []
        check_folder(folder)  # an error now rather than after some work

    def __len__(self) -> int:
        """RETURNS (int): The number of shards that are listed."""
        return len(self.manifest["shards"])

    @property
    def words(self) -> int:
        """RETURNS (int): The number of words in them."""
        return sum(shard["words"] for shard in self.manifest["shards"])

    def has(self, index: int, texts: str) -> bool:
        """Look for a shard.

        index (int): Its number.
        texts (str): The digest of its texts.
        RETURNS (bool): Whether it is listed, on disk, and as it was written.
        RAISES (ValueError): If it was made of other texts.
        """
        if index >= len(self):
            return False
        entry = self.manifest["shards"][index]
        self._check(f"the digest of the texts of {entry['name']}", entry["texts"], texts)
        path = self.folder / _name(index)
        if path.is_file() and _digest(path.read_bytes()) == entry["digest"]:
            return True
        self.remade.append(entry["name"])
        return False

    def put(self, index: int, data: bytes, *, docs: int, words: int, texts: str) -> None:
        """Write a shard: the next one, or one that is listed.

        index (int): Its number.
        data (bytes): The shard, from `to_bytes`.
        docs (int): How many docs it has.
        words (int): How many words.
        texts (str): The digest of its texts.
        """
        if not len(self):  # so that, whenever this ends, the folder is known as one of these
            self._save()
        write_whole(self.folder / _name(index), data)
        entry = {"name": _name(index), "docs": docs, "words": words, "bytes": len(data)}
        self.manifest["shards"][index : index + 1] = [
            {**entry, "digest": _digest(data), "texts": texts}
        ]
        self.manifest["complete"] = False
        self._save()

    def complete(self, count: int, *, bad_texts: Sequence[str] = ()) -> None:
        """Note that all of the text is labelled.

        count (int): How many shards the texts make.
        bad_texts (Sequence[str]): The texts that were left out.
        RAISES (ValueError): If there are more shards.
        """
        self._check("the number of shards", len(self), count)
        # One that was written when the work was killed, of texts that are gone since.
        (self.folder / _name(count)).unlink(missing_ok=True)
        self.manifest.update(complete=True, bad_texts=list(bad_texts))
        self._save()

    def _check(self, name: str, old: object, new: object) -> None:
        if old != new:
            found = {"folder": self.folder, "name": name, "old": old, "new": new}
            raise ValueError(Errors.D007.format(**found))

    def _save(self) -> None:
        text = json.dumps(self.manifest, indent=1, ensure_ascii=False) + "\n"
        write_whole(self.folder / MANIFEST, text.encode("utf-8"))


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(manifest["options"], dict) or not isinstance(manifest["complete"], bool):
            raise TypeError("its options are none")
        for i, shard in enumerate(manifest["shards"]):
            if any(not isinstance(shard[name], kind) for name, kind in ENTRY.items()):
                raise TypeError(f"shard {i} is not described")
            if shard["name"] != _name(i):
                raise ValueError(f"shard {i} is called {shard['name']!r}")
        return manifest
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else error
        raise ValueError(Errors.D012.format(path=path, error=why)) from error


def _name(index: int) -> str:
    return f"shard-{index:05d}.spacy"


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
