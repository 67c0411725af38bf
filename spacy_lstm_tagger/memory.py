"""Memory that does not grow with the texts that a pipeline reads."""

from contextlib import AbstractContextManager, nullcontext

from spacy.language import Language

WORDS = 100_000  # so many distinct words that are met stay in memory


class WordLimit:
    """Lets a pipeline keep only so many of the words that it meets.

    nlp (Language): The pipeline.
    """

    def __init__(self, nlp: Language):
        self.nlp = nlp
        self.most = len(nlp.vocab) + WORDS

    def __call__(self) -> AbstractContextManager[object]:
        """RETURNS (AbstractContextManager): Where docs are made and used up: past the limit a
        memory zone, in which words do not stay, but the tokenizer remembers none of them either.
        """
        return self.nlp.memory_zone() if len(self.nlp.vocab) > self.most else nullcontext()
