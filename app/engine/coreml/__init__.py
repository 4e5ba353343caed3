"""Draws with Core ML models: numpy, tokenizers and Core ML, in the process that calls it."""
