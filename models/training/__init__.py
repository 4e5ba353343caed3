"""The recipe of the starter model: from pinned packages of drawings to `models/starter`.

Run it with `python -m models.training.train --work DIR`; `README.md` beside this file explains it.
"""
