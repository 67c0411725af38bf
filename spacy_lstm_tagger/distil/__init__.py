"""Distillation: a teacher labels raw text, a student learns from it beside the treebank."""
