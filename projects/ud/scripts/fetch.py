"""Get the files of a treebank, unless they are there: `fetch.py FOLDER URL`."""

import sys
from pathlib import Path
from urllib.error import HTTPError, URLError
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
    origin = folder / URL
    if origin.exists():
        if origin.read_text(encoding="utf-8") == url:
            return
    elif (folder / "train.conllu").exists():
        if not (folder / "test.conllu").exists():
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
                sys.exit(f"{source}: {error}. Correct treebank, code or release.")
        except URLError as error:
            sys.exit(
                f"{source}: {error.reason}. Put train.conllu, test.conllu and, if there is one, "
                f"dev.conllu into {folder.absolute()}."
            )
    for name in NAMES:
        path = folder / f"{name}.conllu"
        if name in found:
            write_whole(path, found[name])
        else:
            path.unlink(missing_ok=True)  # of another release
    write_whole(origin, url.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
