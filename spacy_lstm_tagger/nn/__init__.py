"""Pure PyTorch modules: tensors and lengths in, tensors out."""
