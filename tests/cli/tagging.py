"""What the tests of `lstm-tagger tag` share: texts, the command, readers of its outputs."""

import json
from functools import partial

import pyarrow
import pyarrow.parquet

from . import run_command

TEXTS = [
    "The dog ate the apple . I slept .",
    "",
    "Everybody read  that book, née “Ὀδυσσεία”.",
    " x",
]
OBJECTS = [{"id": i, "text": text, "n": {"a": [1.5, None]}} for i, text in enumerate(TEXTS)]

run = partial(run_command, "tag")


CONLLU = """\
# newdoc id = d1
# sent_id = s1
# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tOLD\tMood=Imp\t0\troot\t0:root\tA=b
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t1:obj\t_
2.1\tnada\t_\t_\t_\t_\t_\t_\t1:x\t_
3\tal\tal\tADP\tOLD\t_\t4\tcase\t4:case\t_
4\tmar\tmar\tNOUN\tOLD\t_\t1\tobl\t1:obl\tSpaceAfter=No|TagProb=0.1
5\t.\t.\tPUNCT\tOLD\t_\t1\tpunct\t1:punct\tSpaceAfter=No

# sent_id = s2
1\tSí\tsí\tINTJ\t_\t_\t0\troot\t_\t_

"""


def write_texts(folder):
    """RETURNS (dict): A file of the same texts in each format that takes texts."""
    folder.mkdir()
    paths = {kind: folder / f"texts.{kind}" for kind in ("txt", "jsonl", "parquet")}
    paths["txt"].write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    paths["jsonl"].write_text("".join(f"{json.dumps(each)}\n" for each in OBJECTS))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(OBJECTS), paths["parquet"])
    return paths


def tag(*arguments):
    code, printed = run(*arguments)
    assert code == 0, printed
    return printed


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pairs(rows):
    return [list(zip(row["tokens"], row["tags"], strict=True)) for row in rows]


def read_tsv(path):
    """RETURNS (list): The rows. An empty one is behind each doc."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
