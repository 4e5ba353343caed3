"""Stable Diffusion networks become a folder of Core ML packages; runs in a limited child."""

import logging

# At import it logs which versions it was not tested with, and what only macOS has.
logging.getLogger("coremltools").setLevel(logging.CRITICAL)
