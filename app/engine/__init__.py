"""A recipe becomes a picture. Synchronous; knows no thread, Qt, network or home folder."""
