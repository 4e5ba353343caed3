"""Easel: draw with Stable Diffusion on your own Mac."""

__version__ = "0.1.0"
