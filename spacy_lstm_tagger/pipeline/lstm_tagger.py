"""The `lstm_tagger` component: a spaCy tagger with decoding, losses and annotations of its own."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import minibatch
from spacy.vocab import Vocab
from thinc.api import Model, to_numpy
from thinc.types import Floats2d

from ..checks import check, is_integer, is_list_of_strings
from ..errors import Errors
from ..lexicon import Lexicon
from ..models.lattice import of_words, predict_lattice
from ..models.resize import can_resize, n_tags, resize_output
from ..models.threads import on_our_threads
from ..nn.lattice import Lattice
from ..warning_texts import Warnings
from ..whitespace import SPACE_TAG, is_space
from .annotations import annotate, check_tags
from .calibration import Calibration, calibrate
from .class_weights import BALANCED, class_weights_array
from .decoding import Decoding, Guesses
from .dictionary import TagDictionary, as_table
from .gold import compare_tags, count_tags
from .learning import LearningTagger
from .listening import check_encoder, check_listener
from .lock import WeightsLock
from .loss_watch import LossWatch
from .notation import Notation
from .settings import check_settings, check_word_tags
from .tokenizing import check_tokenizer
from .training_block import check_steps, is_sample, read_training

# That the network reads at a time, but for a longer doc: some 100 MB of scores.
MOST_WORDS = 100_000


class LSTMTagger(LearningTagger):
    """Tags words, with a word + character LSTM by default. Other models work too, as long as their
    scores are logits in tagging; with a `crf` ref they are those of a CRF (`CRFTagger.v1`).

    All settings are in `cfg`, as those of spaCy's tagger are: `pipe.cfg["threshold"] = 0.9` changes
    one in a trained pipeline, and is saved with it. What was saved holds when a pipeline is loaded,
    whatever its config says.

    vocab (Vocab): The shared vocabulary.
    model (Model[List[Doc], List[Floats2d]]): Docs to one score a tag for each token.
    name (str): The component's name.
    overwrite (bool): Whether tags that are there already are replaced.
    scorer (Optional[Callable]): The scoring method.
    neg_prefix (str): A tag in the training data that starts with it says what a token is not.
    label_smoothing (float): The probability that the loss spreads over the other tags.
    tag_set (str): What the tags are: "upos", universal parts of speech, which are written to
        `token.pos_` as well; "upos+feats", such with features (`NOUN|Case=Acc`), which are written
        to `token.morph`; or "xpos", any others.
    tag_separator (Optional[str]): Stands between the tags in the training data of which a token
        has one ("NN|NNP"). None: there are no such sets.
    class_weights (Optional[Union[Dict[str, float], str]]): How much tokens of a tag count in
        training, 1 if not given; or "balanced".
    soft_share (float): How much of a token's target is a teacher's distribution, where there is
        one; the rest is its tag. 0: learn from tags alone.
    save_probabilities (bool): Whether to keep the tags' probabilities with the doc.
    n_best (Optional[int]): How many of the best tag sequences to keep with it. None: none.
    threshold (Optional[float]): A tag that is less probable is left empty. None: none is.
    RAISES (ValueError): If a value is out of range.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "lstm_tagger",
        *,
        overwrite: bool = False,
        scorer: Callable | None = tagger_score,
        neg_prefix: str = "!",
        label_smoothing: float = 0.0,
        tag_set: str = "xpos",
        tag_separator: str | None = None,
        class_weights: Mapping[str, float] | str | None = None,
        soft_share: float = 1.0,
        save_probabilities: bool = False,
        n_best: int | None = None,
        threshold: float | None = None,
    ):
        super().__init__(
            vocab,
            model,
            name,
            overwrite=overwrite,
            scorer=scorer,
            neg_prefix=neg_prefix,
            label_smoothing=label_smoothing,
        )
        self.cfg.update(
            tag_set=tag_set,
            tag_separator=tag_separator,
            class_weights=class_weights,
            soft_share=soft_share,
            save_probabilities=save_probabilities,
            n_best=n_best,
            threshold=threshold,
            temperature=1.0,
            tag_counts=None,
            tag_dictionary=None,
            word_counts=None,
            ambiguous_words=None,
        )
        check_settings(self.cfg)
        vocab.strings.add(SPACE_TAG)
        self._dictionary: TagDictionary | None = None
        self._watch = LossWatch()
        self._warned = False
        self._lock = WeightsLock()
        if model.has_ref("crf"):
            model.get_ref("crf").attrs["decoded"] = True
        if can_resize(model):
            model.attrs["resize_output"] = resize_output

    def add_label(self, label: str) -> int:
        """Add a tag. In a trained tagger the output layer grows; what the others score stays as it
        is, and the new one is never the best until it is trained. Shrinking is not possible.

        label (str): The tag.
        RETURNS (int): 0 if it is there already, otherwise 1.
        RAISES (ValueError): If the model is initialized and its output layer cannot grow, or the
            tag is none of the `tag_set`.
        """
        if label == SPACE_TAG:  # white space has it without being told
            return 0
        check_tags([label], self.cfg["tag_set"])
        with self._lock.changing():
            added = super().add_label(label)
            if added and self.is_resizable:
                width = self.model.get_ref("output_layer").maybe_get_dim("nO")
                if width is not None and width < len(self.labels):
                    self.set_output(len(self.labels))
        return added

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
        tag_dictionary: Mapping[str, str | list[str]] | None = None,
        word_tags: Any = None,
    ) -> None:
        """Prepare for training.

        get_examples (Callable[[], Iterable[Example]]): Gives a representative sample.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[List[str]]): The tag set. None: the tags of the sample. A tagger that has
            tags already keeps them, before these.
        tag_dictionary (Optional[Dict[str, Union[str, List[str]]]]): See `set_tag_dictionary`.
            None: what was set stays.
        word_tags (Optional[List[Tuple[str, str, int]]]): How often the training data has each word
            with each tag: by it scores tell words apart, and "balanced" class weights are found.
            None: scores do not, and weights are those of the sample.
        RAISES (ValueError): If a value is not allowed, there is no tag or one that is none of the
            `tag_set`, the dictionary or the weights name others, the model has outputs for another
            number of them or listens to vectors of another width, or [training] of the pipeline's
            config ends before the first evaluation.
        """
        validate_get_examples(get_examples, "LSTMTagger.initialize")
        if nlp is not None:
            check_steps(read_training(nlp))
            check_tokenizer(nlp, get_examples)
        check_settings(self.cfg)
        check_word_tags(word_tags)
        self._watch = LossWatch()
        weigh, notation = self.cfg["class_weights"] == BALANCED, Notation.of(self.cfg)
        given: Counter[str] = Counter()
        for _, tag, count in word_tags or ():
            given[tag] += count
        counted = given
        if labels is None or (weigh and not given):
            seen = count_tags(get_examples())
            has_pos = (eg.reference.has_annotation("POS") for eg in get_examples())
            if not (seen or labels or self.labels) and any(has_pos):
                raise ValueError(Errors.P019.format(name=self.name))
            labels = sorted(notation.named(seen)) if labels is None else labels
            if weigh and not given and is_sample(get_examples, nlp):
                names = {"what": "counted tags", "setting": "word_tags", "reader": "WordTags.v1"}
                warnings.warn(Warnings.LW005.format(name=self.name, **names), stacklevel=2)
            counted = given or seen
        check(is_list_of_strings(labels), "labels", labels, "a list of tags")
        labels = notation.named(labels)
        check_tags(labels, self.cfg["tag_set"])
        tags = list(dict.fromkeys([*self.labels, *labels]))
        compare_tags(self.name, "word_tags", notation.named(given), tags)
        changes: dict[str, Any] = {"temperature": 1.0}
        width = self.model.maybe_get_dim("nO") if n_tags(self.model) is None else None
        if width not in (None, len(tags)):
            raise ValueError(Errors.P013.format(name=self.name, count=len(tags), width=width))
        if nlp is not None:
            check_listener(self.model, self.name, nlp)
        if weigh:
            counts = notation.count(counted, tags)
            changes["tag_counts"] = {tag: counts[tag] for tag in tags}
        if tag_dictionary is not None:
            changes["tag_dictionary"] = as_table(tag_dictionary)
            TagDictionary(changes["tag_dictionary"], tags)
        # Weights of other tags are an error.
        class_weights_array(self.cfg["class_weights"], tags, counts=changes.get("tag_counts"))
        super().initialize(get_examples, nlp=nlp, labels=labels)
        self.cfg.update(changes)
        lexicon = None if word_tags is None else Lexicon.of(word_tags)
        self.cfg["word_counts"] = lexicon and dict(lexicon.counts)
        self.cfg["ambiguous_words"] = lexicon and list(lexicon.ambiguous)

    def set_tag_dictionary(self, entries: Mapping[str, Iterable[str]] | None) -> None:
        """Say which tags words may have. It holds for decoding, from now on, and is saved with the
        pipeline: the tags, probabilities and sequences found are those without all others. Words
        are compared as they are written. Words that are not in it may have any tag. To change it,
        call this again.

        entries (Optional[Mapping[str, Iterable[str]]]): The tags of each word. None: there is no
            dictionary any more.
        RAISES (ValueError): If this is no table of words, or a word has no tag, or one that is not
            in the tag set.
        """
        if entries is not None:
            entries = as_table(entries)
            TagDictionary(entries, self.labels)
        self.cfg["tag_dictionary"] = entries

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 1000) -> Iterator[Doc]:
        """Tag a stream of docs. However long the docs of a batch are, the network reads no more of
        them at a time than its memory is bounded for.

        stream (Iterable[Doc]): The docs.
        batch_size (int): How many docs are tagged at a time.
        YIELDS (Doc): Each doc, in order.
        """
        for docs in minibatch(stream, batch_size):
            n_best = self.cfg["n_best"]
            if not is_integer(n_best, 1):
                n_best = 1  # `predict` tells, so that the error handler hears of it
            for part in in_parts(docs, MOST_WORDS // n_best):
                yield from super().pipe(part, batch_size=len(part))

    @on_our_threads
    def predict(self, docs: Iterable[Doc]) -> Guesses:
        """Find the tags of a batch of docs, without changing them.

        docs (Iterable[Doc]): The docs.
        RETURNS (Guesses): Indices of tags, one array a doc, and what else `cfg` asks for.
        RAISES (ValueError): If the model is not initialized or listens to an encoder that has not
            run on the docs, or a setting in `cfg` is not allowed.
        """
        docs = list(docs)
        self._check_initialized()
        check_encoder(self.model, self.name, docs)
        lengths, spaces = [len(doc) for doc in docs], is_space(docs)
        with self._lock.reading():
            lattice = self._lattice(docs, spaces)
            decode = Decoding.of(self.cfg)
            return decode(lattice, self.labels, lengths=lengths, spaces=spaces)

    def _lattice(self, docs: Sequence[Doc], spaces: NDArray[np.bool_]) -> Lattice:
        """RETURNS (Lattice): The model's scores of words, as far as the dictionary allows."""
        if spaces.all():
            return Lattice(
                torch.empty(0, max(len(self.labels), 1), dtype=torch.float32), [0] * len(docs)
            )
        lattice = predict_lattice(self.model, docs)
        entries, labels = self.cfg["tag_dictionary"], self.cfg["labels"]
        if entries:
            if self._dictionary is None or not self._dictionary.is_of(entries, labels):
                self._dictionary = TagDictionary(entries, labels)
            self._dictionary.apply(docs, lattice.emissions)
        return of_words(lattice, spaces)

    def set_annotations(
        self, docs: Iterable[Doc] | Doc, batch_tag_ids: Sequence[NDArray[np.int64]]
    ) -> None:
        """Set `token.tag_`, and what universal tags say, see `tag_set`. What is there already stays
        unless `overwrite` is set; then a tag that the tagger is unsure of is emptied.

        docs (Union[Iterable[Doc], Doc]): The docs.
        batch_tag_ids (Sequence[NDArray[np.int64]]): The tags' indices, from `predict`, whose
            probabilities and sequences are kept with the docs.
        """
        docs = [docs] if isinstance(docs, Doc) else list(docs)
        guesses = list(map(to_numpy, batch_tag_ids))
        tag_set, overwrite = self.cfg["tag_set"], self.cfg["overwrite"]
        named = self.labels
        if isinstance(batch_tag_ids, Guesses):
            # By now the tag set may be another: a thread has loaded another model.
            named = batch_tag_ids.labels
            batch_tag_ids.keep(docs, overwrite=overwrite)
        in_vain = annotate(docs, guesses, named, tag_set=tag_set, overwrite=overwrite)
        if in_vain and not self._warned:
            self._warned = True
            warnings.warn(Warnings.LW001.format(name=self.name), stacklevel=2)

    @on_our_threads
    def calibrate(self, examples: Iterable[Example], *, batch_size: int = 256) -> Calibration:
        """Fit a temperature to dev data, by which probabilities become as sure as the tagger is
        right. The best tags stay the best, but with a threshold more or fewer are left empty. The
        temperature is saved with the pipeline.

        examples (Iterable[Example]): The dev data: not what the model was trained on.
        batch_size (int): How many docs are tagged at a time.
        RETURNS (Calibration): The temperature, and the expected calibration error before and after.
        RAISES (ValueError): If the model is not initialized or listens to an encoder that has not
            run on the docs, or no token has a tag, or one a tag that is not in the tag set.
        """
        examples = list(examples)
        validate_examples(examples, "LSTMTagger.calibrate")
        self._check_initialized()
        check_encoder(self.model, self.name, [eg.predicted for eg in examples])
        lattices, gold = [], [np.zeros(0, dtype=np.int64)]
        with self._lock.reading():
            for batch in minibatch(examples, batch_size):
                docs = [eg.predicted for eg in batch]
                spaces = is_space(docs)
                lattices.append(self._lattice(docs, spaces))
                gold.append(self._gold(batch).tags[~spaces])
            tags = np.concatenate(gold)
            if not (tags >= 0).any():
                raise ValueError(Errors.P007)
            result = calibrate(lattices, tags, temperature=self.cfg["temperature"])
        self.cfg["temperature"] = result.temperature
        return result

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score tags. The scorer is told which words the tagger knows, and which annotations do not
        say what the tag of a word is.

        examples (Iterable[Example]): The scored docs.
        RETURNS (Dict[str, Any]): The scores.
        """
        examples = list(examples)
        missing = Notation.of(self.cfg).open(count_tags(examples), self.labels)
        kwargs.setdefault("missing", missing)
        kwargs.setdefault("lexicon", Lexicon.from_settings(self.cfg))
        return super().score(examples, **kwargs)


def in_parts(docs: Iterable[Doc], most: int) -> Iterator[list[Doc]]:
    """Cut a batch where it gets too long.

    docs (Iterable[Doc]): The docs.
    most (int): How many words a part has, but for one that is a single longer doc.
    YIELDS (list[Doc]): The parts, in order.
    """
    part: list[Doc] = []
    words = 0
    for doc in docs:
        if part and words + len(doc) > most:
            yield part
            part, words = [], 0
        part.append(doc)
        words += len(doc)
    if part:
        yield part
