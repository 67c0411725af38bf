"""Get the files of a treebank that are not there yet: `fetch.py FOLDER URL`."""

import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from spacy_lstm_tagger.files.whole import write_whole

# The last one is there when all are.
NAMES = ("test", "dev", "train")


def main(folder: Path, url: str) -> None:
    """Get test.conllu, train.conllu and, if the treebank has it, dev.conllu.

    folder (Path): Where they go.
    url (str): Where they are, up to "-ud-train.conllu".
    """
    if (folder / "train.conllu").exists():
        return
    for name in NAMES:
        source = f"{url}-ud-{name}.conllu"
        try:
            with urlopen(source) as response:
                write_whole(folder / f"{name}.conllu", response.read())
        except HTTPError as error:
            if error.code != 404 or name != "dev":  # not every treebank has a dev set
                sys.exit(f"{source}: {error}. Correct treebank, code or release.")
        except URLError as error:
            sys.exit(f"{source}: {error.reason}. Put the files of the treebank into {folder}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
