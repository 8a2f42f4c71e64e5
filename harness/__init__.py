"""Evaluation and leaderboard harness for retrieval and retrieval distillation.

A plugin needs three names from here; everything else lives in the room that owns it.
"""

from harness.card import Card, Claim, Paper, Use, knob
from harness.hookspecs import hookimpl

__all__ = ["Card", "Claim", "Paper", "Use", "hookimpl", "knob"]
