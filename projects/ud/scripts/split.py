"""Give a treebank a dev set where it has none: `split.py FOLDER`."""

import re
import shutil
import sys
from pathlib import Path

EVERY = 10  # sentence goes into the dev set
SENTENCES = re.compile(r"(?:[^\n]+(?:\n|\Z))+")


def main(folder: Path) -> None:
    """Write train.conllu and dev.conllu to output/.

    folder (Path): The folder of the treebank.
    """
    target = Path("output", folder.name)
    target.mkdir(parents=True, exist_ok=True)
    train, dev = folder / "train.conllu", folder / "dev.conllu"
    if dev.exists():
        for path in (train, dev):
            shutil.copyfile(path, target / path.name)  # not its mode, which may be read-only
        return
    sentences = SENTENCES.findall(train.read_text(encoding="utf-8"))
    parts = {"dev": sentences[::EVERY]}
    parts["train"] = [each for i, each in enumerate(sentences) if i % EVERY]
    for name, part in parts.items():
        text = "".join(each.rstrip("\n") + "\n\n" for each in part)
        (target / f"{name}.conllu").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
