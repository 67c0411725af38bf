"""Pure PyTorch modules: tensors and lengths in, tensors out."""

from .buckets import Bucket, Buckets
from .characters import CharacterLSTM
from .lstm import BucketedLSTM
from .vocabulary import VocabularyEmbedding

__all__ = ["Bucket", "BucketedLSTM", "Buckets", "CharacterLSTM", "VocabularyEmbedding"]
