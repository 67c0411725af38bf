"""`python -m spacy lstm-tagger calibrate`: make probabilities as sure as the tagger is right."""

from itertools import chain
from pathlib import Path
from typing import Annotated

from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from spacy.language import Language
from spacy.training import Example
from wasabi import msg

from ..errors import Errors
from ..evaluation import read_examples
from ..files.whole import whole_folder
from ..missing_tags import check_fit
from ..pipeline import LSTMTagger
from ..pipeline.calibration import Calibration
from ..pipeline.gold import count_tags
from ..pipeline.notation import Notation
from ..taggers import load_pipeline, tagger_name
from ..whitespace import SPACE_TAG
from . import lstm_tagger_cli
from .messages import clear_errors
from .options import Code, GpuId, Tag, given_path

COMPONENT_HELP = "The name of the tagger. None: of the one whose tags docs have"


@lstm_tagger_cli.command("calibrate")
def calibrate_cli(
    pipeline: Annotated[str, Arg(help="The pipeline: name or folder")],
    data: Annotated[Path, Arg(help="Dev data: .spacy, or CoNLL-U", exists=True)],
    *,
    output: Annotated[str, Opt("--output", "-o", help="Where the calibrated pipeline is saved")],
    component: Annotated[str | None, Opt(help=COMPONENT_HELP)] = None,
    tag: Tag = "xpos",
    code: Code = None,
    gpu_id: GpuId = -1,
) -> None:
    """Fit a temperature to dev data, print the expected calibration error before and after, and
    save the pipeline with it. The best tags stay the best. Tokens are those of the data.
    """
    import_code(code)
    with clear_errors(), whole_folder(given_path("--output", output)) as folder:
        setup_gpu(gpu_id)
        nlp = load_pipeline(pipeline)
        name = tagger_name(nlp, pipeline=pipeline) if component is None else component
        result, unknown = calibrate(nlp, data, name=name, tag=tag)
        nlp.to_disk(folder)
    if unknown:
        msg.warn("Left out words whose tags the pipeline does not know", ", ".join(unknown))
    msg.table(
        {
            "tokens": result.tokens,
            "temperature": f"{result.temperature:.3f}",
            "calibration error before": f"{result.before:.4f}",
            "calibration error after": f"{result.after:.4f}",
        }
    )
    msg.good("Saved pipeline to output directory", output)


def calibrate(
    nlp: Language, data_path: Path, *, name: str, tag: str = "xpos"
) -> tuple[Calibration, list[str]]:
    """Calibrate the tagger of a pipeline.

    nlp (Language): The pipeline.
    data_path (Path): Dev data: a file or folder that `Corpus.v1` reads.
    name (str): The component's name.
    tag (str): Where its tags come from, as for `Corpus.v1`.
    RETURNS (tuple): The temperature and what it does on the data; and the tags of the data that
        the tagger does not have, whose words are left out.
    RAISES (ValueError): If there is no such component, or most words of the data have no tag of
        the tagger's.
    RAISES (FileNotFoundError): If the path does not exist.
    """
    if name not in nlp.pipe_names:
        raise ValueError(Errors.C005.format(name=name, names=", ".join(nlp.pipe_names)))
    pipe = nlp.get_pipe(name)
    if not isinstance(pipe, LSTMTagger):
        raise ValueError(Errors.P008.format(name=name, kind=type(pipe).__name__))
    examples = read_examples(nlp, data_path, tag=tag)
    labels, notation = frozenset((*pipe.labels, SPACE_TAG)), Notation.of(pipe.cfg)

    def knows(annotation: str) -> bool:
        return labels.issuperset(notation.split(annotation, labels)[0])

    names = {"tag": tag, "pipeline": f"the component {name!r}"}
    unknown = check_fit(count_tags(examples), knows, labels, path=data_path, **names)
    left_out = set(unknown)
    for token in chain.from_iterable(eg.reference for eg in examples) if unknown else ():
        if token.tag_ in left_out:
            token.tag_ = ""
    # Components before it, such as an encoder that it listens to, have to have their say.
    before = nlp.pipe_names[: nlp.pipe_names.index(name)]
    with nlp.select_pipes(enable=before):
        docs = list(nlp.pipe(eg.predicted for eg in examples))
    paired = zip(docs, examples, strict=True)
    return pipe.calibrate([Example(doc, eg.reference) for doc, eg in paired]), unknown
