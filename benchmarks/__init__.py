"""What backs each figure of speed and size in the README."""
