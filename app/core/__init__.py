"""The vocabulary of Easel: plain frozen values and errors. Standard library only."""
