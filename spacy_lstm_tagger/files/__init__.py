"""Files of texts: read as a stream, written whole or not at all."""
