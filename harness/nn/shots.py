"""Passages with a query of each kind, which show a language model what is wanted of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["question", "claim", "title", "keywords", "web", "free"]

WANTED: Mapping[Kind, tuple[str, str]] = {
    "question": ("Question", "a question that the passage answers"),
    "claim": ("Claim", "a claim that the passage supports or refutes"),
    "title": ("Title", "the title of an article that would cite the passage"),
    "keywords": ("Keywords", "a few keywords by which one would search for the passage"),
    "web": ("Web search", "what someone types into a web search engine to find the passage"),
    "free": ("Query", "any query to which the passage is relevant"),
}
"""What a query of each kind is called, and what is asked for.

Source: the six kinds of Tamber et al., 2025 (arXiv:2502.19712); the wording is ours.
"""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A passage with a query of each kind."""

    passage: str
    """The text."""
    queries: Mapping[Kind, str]
    """What is written for it."""


def _shot(passage: str, *queries: str) -> Shot:
    return Shot(passage=passage, queries=dict(zip(WANTED, queries, strict=True)))


SHOTS = (
    _shot(
        "Honeybees keep their hive near 35 degrees. When it grows too hot, workers fan their wings at the entrance and "
        "spread drops of water over the comb, which cools the air as it evaporates.",
        "How do honeybees cool their hive?",
        "Honeybees cool their hive by evaporating water.",
        "Temperature regulation in colonies of social insects",
        "honeybee hive temperature, wing fanning, evaporation",
        "why do bees fan their wings at hive entrance",
        "ways in which insects keep their nests cool",
    ),
    _shot(
        "Until the 1870s ships were loaded as deep as their owners liked. Samuel Plimsoll's campaign led to an act of "
        "Parliament that made a line on the hull compulsory, above which the water must not rise.",
        "Who brought about the load line on the hulls of ships?",
        "Ships had to show a load line from the Middle Ages on.",
        "A history of safety rules in merchant shipping",
        "Plimsoll line, overloading of ships, Parliament",
        "what is the plimsoll line on a ship",
        "laws that ended the overloading of ships",
    ),
    _shot(
        "In a blind test the loans of two branches were compared. Where letters to late payers named the date of the "
        "next step, 12 percent more had paid after a month than where they only asked for payment.",
        "Does naming a date in reminder letters make more people pay?",
        "Reminders with a date are no more effective than those without.",
        "Behavioural approaches to collecting overdue loans",
        "loan reminders, late payment, deadlines",
        "do reminder letters with deadline work",
        "evidence on how to word letters to late payers",
    ),
    _shot(
        "Iron taken with coffee or tea is absorbed less, since their tannins bind it in the gut. Vitamin C does the "
        "opposite: a glass of orange juice with a meal can double the iron that reaches the blood.",
        "What makes the body take up more iron from a meal?",
        "Tea lowers the uptake of iron.",
        "Dietary inhibitors and enhancers of mineral absorption",
        "iron absorption, tannins, vitamin C",
        "can i take iron pills with coffee",
        "what to drink with food that is rich in iron",
    ),
)
"""The examples to draw from."""
