"""What the tests of readers share: small treebanks, and what examples have."""

from spacy.util import registry
from thinc.api import Config

GERMAN = """\
# newdoc id = a
# sent_id = 1
1\tWir\twir\tPRON\tPPER\tCase=Nom|Number=Plur\t2\tnsubj\t_\t_
2\tgehen\tgehen\tVERB\tVVFIN\t_\t0\troot\t_\t_
3-4\tzum\t_\t_\t_\t_\t_\t_\t_\t_
3\tzu\tzu\tADP\tAPPR\t_\t5\tcase\t_\t_
4\tdem\tder\tDET\tART\tCase=Dat\t5\tdet\t_\tSpaceAfter=No
5\tSee\tSee\tNOUN\tNN\tCase=Dat|Number=Sing\t2\tobl\t_\tSpaceAfter=No|CorrectSpaceAfter=No
5.1\tgehen\tgehen\tVERB\tVVFIN\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t$.\t_\t2\tpunct\t_\t_

1-2\tGehts\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tGeht\tgehen\tVERB\tVVFIN\t_\t0\troot\t_\t_
2\ts\t_\tPRON\t_\t_\t1\tnsubj\t_\t_
3\t_\t_\tEMOJI\tX\t_\t1\tdep\t_\tCorrectSpaceAfter=No
4\t?\t?\t_\t$.\tFoo=Bar\t1\tpunct\t_\tSpaceAfter=No
"""


def write(path, documents):
    """Write documents of one-, two-, … word sentences, each word a text of its own."""
    lines, word = [], 0
    for lengths in documents:
        lines.append("# newdoc")
        for length in lengths:
            for i in range(1, length + 1):
                lines.append(f"{i}\tw{word}\t_\tX\tT{i}\t_\t_\t_\t_\t_")
                word += 1
            lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def words(examples):
    return [word.text for eg in examples for word in eg.reference]


def sizes(examples):
    return [len(list(eg.reference.sents)) for eg in examples]


def resolve(path, **values):
    block = {"@readers": "spacy-lstm-tagger.Corpus.v1", "path": str(path), **values}
    # as text, because that is how a training config arrives
    config = Config().from_str(Config({"corpora": {"train": block}}).to_str())
    return registry.resolve(config)["corpora"]["train"]
