"""What Qt draws itself (menus, tool tips, scroll bars, lists), in our tokens."""

from __future__ import annotations

from app.ui.tokens import Tokens

_SHEET = """
QToolTip {{ background: {surface}; color: {text}; border: 1px solid {line}; padding: 6px 8px; }}
QMenu {{ background: {surface}; color: {text}; border: 1px solid {line}; padding: 5px; }}
QMenu::item {{ padding: 6px 22px 6px 12px; border-radius: 6px; }}
QMenu::item:selected {{ background: {soft}; color: {text}; }}
QMenu::item:disabled {{ color: {ghost}; }}
QMenu::item:checked {{ font-weight: 600; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 8px; }}
QMenuBar {{ background: {window}; color: {text}; padding: 2px 8px; }}
QMenuBar::item {{ padding: 4px 9px; border-radius: 6px; background: transparent; }}
QMenuBar::item:selected {{ background: {sunken}; }}
QScrollBar {{ background: transparent; border: none; }}
QScrollBar:vertical {{ width: 10px; margin: 2px; }}
QScrollBar:horizontal {{ height: 10px; margin: 2px; }}
QScrollBar::handle {{ background: {line}; border-radius: 3px; min-width: 28px; min-height: 28px; }}
QScrollBar::handle:hover {{ background: {ghost}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
ValueEdit, #bare {{ background: transparent; border: none; padding: 0; }}
QMessageBox QLabel#qt_msgbox_label {{ font-weight: 600; }}
QDialog QPushButton {{
    background: {surface}; color: {text}; border: 1px solid {line}; border-radius: 8px;
    padding: 7px 16px;
}}
QDialog QPushButton:hover {{ background: {sunken}; }}
QDialog QPushButton:default {{
    background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600;
}}
QDialog QPushButton:focus {{ border: 2px solid {text}; padding: 6px 15px; }}
QTreeView {{ background: transparent; color: {text}; border: none; outline: none; }}
QTreeView::item {{ padding: 6px 10px 6px 10px; border: none; }}
QTreeView::item:selected {{ background: {soft}; color: {text}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{
    background: transparent; color: {dim}; border: none; border-bottom: 1px solid {line};
    padding: 8px 12px; font-weight: 600;
}}
QComboBox QAbstractItemView {{
    background: {surface}; color: {text}; border: 1px solid {line}; padding: 4px; outline: none;
    selection-background-color: {soft}; selection-color: {text};
}}
"""


def stylesheet(tokens: Tokens) -> str:
    """The application's style sheet in ``tokens``."""
    return _SHEET.format(**tokens._asdict())
