"""Tag the batches of a Ray Dataset."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from ..errors import Errors
from ..files.formats import added_names, to_columns
from ..files.tagged import Style
from ..files.texts import BadTexts, Reading, Text, leave_out_long
from ..tagging import FileTagger, Job
from .pipelines import Shipped, prepare_worker, unpacked

BATCH = "The batch"  # as an error calls it


class TagBatches:
    """Tags a column of a table: for `ray.data.Dataset.map_batches` with `batch_format="pyarrow"`.

    Adds the columns `tokens`, `spaces` and `tags`, lists with a value a token. The others stay.

    pipeline (Union[Shipped, str, Path]): What `ship` gives for a pipeline of the driver. Or the
        name of an installed pipeline, a path that every node sees, or a URI.
    text_key (str): The column of the texts, or of lists of words.
    tokens (bool): Whether texts are words with white space between them.
    spaces (bool): Whether to add if a space follows each token.
    probabilities (bool): Whether to add how sure each tag is.
    pos (bool): Whether to add coarse parts of speech, `token.pos_`.
    prefix (str): What the names of added columns start with.
    error_column (Optional[str]): A column to add, which tells what is wrong with a text that cannot
        be read; its tokens and tags are null. None: such a text is an error. One that the
        tokenizer refuses always is.
    batch_size (Optional[int]): How many docs the pipeline gets at a time. None: as it likes.
    RAISES (ValueError): If the pipeline has no tagger, or one that does not tell what is asked.
    """

    def __init__(
        self,
        pipeline: Shipped | str | Path,
        *,
        text_key: str = "text",
        tokens: bool = False,
        spaces: bool = True,
        probabilities: bool = False,
        pos: bool = False,
        prefix: str = "",
        error_column: str | None = None,
        batch_size: int | None = None,
    ):
        style = Style(prefix=prefix, text_key=text_key, spaces=spaces, pos=pos)
        self.reading = Reading(text_key=text_key, tokens=tokens, strip=False)
        self.error_column = error_column
        job = Job("", ".parquet", style, probabilities=probabilities, batch_size=batch_size)
        self.tagger = load_tagger(pipeline, job)

    def __call__(self, table: pyarrow.Table) -> pyarrow.Table:
        """RETURNS (pyarrow.Table): A batch with the columns that are added.
        RAISES (TypeError): If the batch is no table of Arrow.
        RAISES (ValueError): If it has no such column, has one that is to be added, or a text cannot
            be tagged and there is no `error_column`.
        """
        if not isinstance(table, pyarrow.Table):
            raise TypeError(Errors.C014.format(found=type(table).__name__))
        prepare_worker()  # Ray Data calls this in another thread, and each has its own device
        key, style = self.reading.text_key, self.tagger.job.style
        if key not in table.column_names:
            names = ", ".join(map(repr, table.column_names))
            raise ValueError(Errors.D015.format(path=BATCH, key=key, names=names))
        texts, places, errors = self._read(table[key].to_pylist())
        # One more text, so that there are columns where there is no token.
        found, _ = self.tagger.apply([*texts, Text(".", [], [])], to_columns)
        rows = pyarrow.array(places, pyarrow.int64())
        added = added_names(texts, table.column_names, found, style, place=BATCH)
        for column, name in added.items():
            table = table.append_column(name, found[column].take(rows))
        if self.error_column is not None:
            if self.error_column in table.column_names:
                raise ValueError(Errors.D016.format(place=BATCH, key=self.error_column))
            told = pyarrow.array(errors, pyarrow.string())
            table = table.append_column(self.error_column, told)
        return table

    def _read(self, values: list[Any]) -> tuple[list[Text], list[int | None], list[str | None]]:
        """RETURNS (tuple): The texts that can be tagged; for each value which of them it is, and
        what is wrong with it.
        """
        texts: list[Text] = []
        places: list[int | None] = []
        errors: list[str | None] = []
        key, longest = self.reading.text_key, self.tagger.nlp.max_length
        bad = BadTexts(len(values) if self.error_column is not None else 0)
        for number, value in enumerate(values, 1):
            place = f"row {number} of the batch"
            if isinstance(value, np.ndarray):  # words that went through NumPy, as Ray's batches do
                value = value.tolist()
            elif value != value:  # and so a null may have become a number that is none
                value = None
            made = []
            try:
                made.append(self.reading.make(value, 0.0, place))
            except ValueError as error:
                bad.add(place, error, key=key)
            made = list(leave_out_long(made, longest, bad))
            places.append(len(texts) if made else None)
            errors.append(None if made else bad.found[-1].removeprefix(f"{place}: "))
            texts += made
        return texts, places, errors


def load_tagger(pipeline: Shipped | str | Path, job: Job) -> FileTagger:
    """Load a pipeline in a worker.

    pipeline (Union[Shipped, str, Path]): The pipeline.
    job (Job): How it tags; its own `pipeline` does not count.
    RETURNS (FileTagger): What tags.
    """
    prepare_worker()
    with unpacked(pipeline) as path:
        tagger = FileTagger(replace(job, pipeline=path))
    gc.freeze()  # so that garbage is not looked for in it again and again
    return tagger
