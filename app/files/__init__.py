"""Files that are whole or not there, and headers that are checked before anything is read."""
