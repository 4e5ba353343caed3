"""The window of the disk image, for dmgbuild: ``dmgbuild -s dmg_settings.py -D app=... NAME FILE``.

dmgbuild reads the names below from this file; its documentation lists them. It writes the folder's
.DS_Store itself and needs no Finder, so that it works on a build machine without a screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

defines: dict[str, Any] = globals().get("defines", {})
application = str(defines.get("app", "dist/Easel.app"))
HERE = Path(str(defines.get("here", "packaging"))).resolve()

format = "ULMO"  # lzma: macOS 10.15 and later
filesystem = "HFS+"
compression_level = 9
size = None

files = [application]
symlinks = {"Applications": "/Applications"}
badge_icon = None
icon = str(HERE / "icon.icns")

background = str(HERE / "dmg_background.tiff")
window_rect = ((200, 160), (660, 420))
default_view = "icon-view"
show_toolbar = False
show_tab_view = False
show_status_bar = False
show_pathbar = False
show_sidebar = False
icon_size = 128
text_size = 13
icon_locations = {
    Path(application).name: (180, 212),
    "Applications": (480, 212),
}
