"""Qt Widgets and words. The only room that imports PySide6."""
