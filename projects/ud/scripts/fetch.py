"""Get the files of a treebank, unless they are there: `fetch.py FOLDER URL`."""

import sys
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from spacy_lstm_tagger.files.whole import write_whole

NAMES = ("test", "dev", "train")  # the last one is there when all are
URL = "url.txt"  # where they are from


def main(folder: Path, url: str) -> None:
    """Get test.conllu, train.conllu and, if the treebank has it, dev.conllu. Files that somebody
    else has put there stay.

    folder (Path): Where they go.
    url (str): Where they are, up to "-ud-train.conllu".
    """
    treebank, _, code = url.split("/")[-3:]
    if treebank.rpartition("-")[2].lower() != code.partition("_")[2].lower():
        # Files that lie there would be credited, and licensed, as another treebank's.
        sys.exit(f"{treebank} has no files that are called {code}. Set treebank and code together.")
    origin, train, test = folder / URL, folder / "train.conllu", folder / "test.conllu"
    if origin.exists():
        if train.exists() and test.exists() and origin.read_text(encoding="utf-8") == url:
            return
    elif train.exists():
        if not test.exists():
            sys.exit(f"{folder} has train.conllu, but no test.conllu. Put that there, too.")
        return
    found = {}
    for name in NAMES:
        source = f"{url}-ud-{name}.conllu"
        try:
            with urlopen(source) as response:
                found[name] = response.read()
        except HTTPError as error:
            if error.code != 404 or name != "dev":  # not every treebank has a dev set
                sys.exit(
                    f"{source}: {error}. Correct treebank, code or release; if the training set is "
                    f"in several files, put them together into {train.absolute()}, and the "
                    "test set beside it."
                )
        except (OSError, HTTPException, ValueError) as error:  # cut off, or no URL
            sys.exit(
                f"{source}: {error}. Put train.conllu, test.conllu and, if there is one, "
                f"dev.conllu into {folder.absolute()}."
            )
    train.unlink(missing_ok=True)  # if interrupted, all are got again
    write_whole(origin, url.encode())
    for name in NAMES:
        path = folder / f"{name}.conllu"
        if name in found:
            write_whole(path, found[name])
        else:
            path.unlink(missing_ok=True)  # of another release


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
