"""The controls, drawn by Easel: alike on every system, in light and dark."""
