"""PyTorch networks become Core ML packages, in a child process."""
