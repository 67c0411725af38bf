"""`python -m spacy lstm-tagger calibrate`: make probabilities as sure as the tagger is right."""

from collections.abc import Callable, Iterable
from pathlib import Path

from spacy.cli._util import Arg, Opt, setup_gpu
from spacy.language import Language
from spacy.training import Corpus, Example
from spacy.util import load_model
from wasabi import msg

from ..errors import Errors
from ..pipeline import LSTMTagger
from ..pipeline.calibration import Calibration
from ..readers import Corpus as TagCorpus
from . import lstm_tagger_cli


@lstm_tagger_cli.command("calibrate")
def calibrate_cli(
    model: str = Arg(..., help="Model name or path"),
    data_path: Path = Arg(..., help="Dev data: .spacy, or CoNLL-U", exists=True),
    output: Path = Opt(..., "--output", "-o", help="Where the calibrated pipeline is saved"),
    name: str = Opt("lstm_tagger", "--name", "-n", help="The component's name"),
    tag: str = Opt("xpos", "--tag", "-t", help="CoNLL-U: where tags come from"),
    use_gpu: int = Opt(-1, "--gpu-id", "-g", help="GPU ID or -1 for CPU"),
) -> None:
    """Fit a temperature to dev data, print the expected calibration error before and after, and
    save the pipeline with it. Tags do not change. Texts are read with the tokens of the data.
    """
    setup_gpu(use_gpu)
    nlp = load_model(model)
    result = calibrate(nlp, data_path, name=name, tag=tag)
    nlp.to_disk(output)
    msg.table(
        {
            "tokens": result.tokens,
            "temperature": f"{result.temperature:.3f}",
            "calibration error before": f"{result.before:.4f}",
            "calibration error after": f"{result.after:.4f}",
        }
    )
    msg.good("Saved pipeline to output directory", str(output))


def calibrate(
    nlp: Language, data_path: Path, *, name: str = "lstm_tagger", tag: str = "xpos"
) -> Calibration:
    """Calibrate the tagger of a pipeline.

    nlp (Language): The pipeline.
    data_path (Path): Dev data: a .spacy file or a folder of such, or a CoNLL-U file.
    name (str): The component's name.
    tag (str): Where the tags of a CoNLL-U file come from, see `Corpus.v1`.
    RETURNS (Calibration): The temperature, and what it does on the data.
    RAISES (ValueError): If the component is none of ours, or the data has no tag.
    """
    pipe = nlp.get_pipe(name)
    if not isinstance(pipe, LSTMTagger):
        raise ValueError(Errors.P016.format(name=name, kind=type(pipe).__name__))
    reader: Callable[[Language], Iterable[Example]]
    if data_path.suffix == ".conllu":
        reader = TagCorpus(data_path, tag=tag)
    else:
        reader = Corpus(data_path, gold_preproc=True)
    # Components before it, such as an encoder that it listens to, have to have their say.
    examples = list(reader(nlp))
    before = nlp.pipe_names[: nlp.pipe_names.index(name)]
    with nlp.select_pipes(enable=before):
        docs = list(nlp.pipe(eg.predicted for eg in examples))
    paired = zip(docs, examples, strict=True)
    return pipe.calibrate([Example(doc, eg.reference) for doc, eg in paired])
