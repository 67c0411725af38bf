"""The reader of tag dictionaries: which tags words may have."""

from pathlib import Path

import srsly
from spacy.errors import Errors as SpacyErrors
from spacy.util import registry

from ..checks import is_list_of_strings
from ..errors import Errors


@registry.readers("spacy-lstm-tagger.TagDictionary.v1")
def read_tag_dictionary(*, path: str | Path | None) -> dict[str, list[str]]:
    """Read a tag dictionary from a JSON file: {"the": ["DT"], "that": ["DT", "IN", "WDT"]}.

    path (Optional[Union[str, Path]]): The file.
    RETURNS (Dict[str, List[str]]): The tags that each word may have.
    RAISES (ValueError): If the file is not such a dictionary.
    RAISES (FileNotFoundError): If there is no such file.
    """
    if path in (None, ""):
        raise ValueError(SpacyErrors.E913)
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(Errors.R014.format(path=path))
    try:
        entries = srsly.json_loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as e:
        raise ValueError(Errors.R015.format(path=path, found=f"no JSON ({e})")) from e
    if not isinstance(entries, dict):
        raise ValueError(Errors.R015.format(path=path, found=f"a {type(entries).__name__}"))
    for word, tags in entries.items():
        if not is_list_of_strings(tags):
            raise ValueError(Errors.R015.format(path=path, found=f"{tags!r:.60} for {word!r}"))
    return entries
