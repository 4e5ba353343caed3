"""What each row of the inspector is about, for whoever asks."""

from __future__ import annotations

ABOUT = {
    "Shape": "How wide and how high the picture is, in pixels. The first shape is the one the "
    "model has learnt with; far from it, things tend to double or fray.",
    "Quality": "How many steps the picture is worked out in. More steps take longer and settle "
    "details; beyond Fine little changes.",
    "Follow the prompt": "How strictly the picture keeps to the words (guidance). Low is freer and "
    "softer, high is literal and harsh. Around the middle is a good place to begin.",
    "Seed": "The number a picture grows from. The same seed with the same settings gives the same "
    "picture again. The dice draw another; the lock holds it for all that follow.",
    "Pictures": "How many pictures one Generate draws, each with the next seed.",
    "Sampler": "The method that turns noise into the picture, step by step. They differ in speed "
    "and in small details; the first is a good choice for nearly everything.",
}
