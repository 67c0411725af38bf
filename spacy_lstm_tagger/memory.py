"""Memory that does not grow with the texts that a pipeline reads, and what is told if it ends."""

from contextlib import AbstractContextManager, nullcontext

from spacy.language import Language

from .errors import Errors

WORDS = 100_000  # so many distinct words that are met stay in memory
# PyTorch has no type of error for a CPU whose memory ends, and its kernels have another text.
NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "could not create a primitive",
    "out of memory",
)


def memory_error(error: BaseException) -> str | None:
    """RETURNS (Optional[str]): What to tell of an error, if it is that there was no memory."""
    told = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    is_ours = isinstance(error, RuntimeError) and any(text in told for text in NO_MEMORY)
    if isinstance(error, MemoryError) or is_ours:
        return Errors.C003.format(error=told)
    return None


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
