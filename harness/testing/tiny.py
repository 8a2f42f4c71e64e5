"""The collection that every plugin is checked on: forty short documents with the oddities of real ones."""

import dataclasses
from pathlib import Path

from harness.contracts import Task, TaskFacts
from harness.data.memory import memory_task
from harness.records import Document, Query

_TEXTS = """
m3 | Sourdough bread | A sourdough starter is flour and water in which wild yeast makes the bread rise.
a1 | Baking at altitude | Bread dough rises faster on mountains, so bakers use less yeast and more water.
k9 | Yeast | Yeast eats sugar and gives off the gas that makes bread dough rise.
m1 | Oven spring | Steam in a hot oven lets a loaf of bread expand before its crust sets.
z2 | Pruning roses | Prune roses in late winter, cutting each stem just above a bud that faces outward.
b4 | Aphids | Ladybirds eat the aphids that suck sap from roses and beans.
b2 | Compost | Kitchen scraps and dry leaves turn into compost that feeds garden soil.
q7 | Mulch | A layer of bark keeps garden soil moist and holds weeds back.
c5 | The moons of Jupiter | Galileo saw four moons circling Jupiter through his telescope in 1610.
c6 | Saturn's rings | The rings of Saturn are made of ice and rock, most pieces smaller than a house.
x1 | Comets | A comet grows its tail when sunlight turns its ice to gas.
c1 | Lunar eclipse | In a lunar eclipse the shadow of the Earth falls on the Moon and turns it red.
h8 | Marathon training | Runners prepare for a marathon with one long slow run each week.
h7 | Runner's knee | Pain around the kneecap is common when runners raise their distance too quickly.
e2 | Swimming technique | A swimmer breathes to the side while the other arm reaches forward.
e1 | Altitude training | Athletes sleep at altitude because thin air makes the body build red blood cells.
t5 | Public key encryption | A public key encrypts a message that only the owner of the private key can read.
t4 | Password managers | A password manager keeps a different random password for every site behind one master password.
t6 | Hash functions | A cryptographic hash turns any message into a short digest that can't be reversed.
d0 | Backups | Keep three backups of every file, on two kinds of media, one of them away from home.
f3 | Glaciers | A glacier is a river of ice that flows downhill under its own weight.
f2 | Volcanic ash | Ash from a volcano can stop the engines of an aircraft.
f9 | Tides | The pull of the Moon raises two tides in the ocean each day.
g1 | Monsoon | Land heats faster than sea in summer and draws in the monsoon rain.
s6 | Violin strings | Violin strings were once made of sheep gut and are now mostly steel or nylon.
s5 | Tuning a piano | A piano tuner stretches the octaves slightly because real strings are stiff.
s1 | Jazz improvisation | Jazz players improvise a new melody over the chords of a known song.
n4 | Coffee roasting | Coffee beans turn brown and crack when they are roasted above 196 degrees.
n2 | Tea | Green tea and black tea come from one plant; black tea leaves are left to oxidise.
n8 | Cheese | Rennet curdles milk so that cheese makers can part the curds from the whey.
p1 | Printing press | Gutenberg printed a Bible with movable metal type around 1455.
p3 | Vaccination | Jenner protected a boy against smallpox with a vaccine taken from cowpox in 1796.
p2 | Silk Road | Caravans carried silk, paper and spices along the Silk Road between China and Rome.
"""

_ODD = (
    Document(id="dup-1", title="Tides", text="The pull of the Moon raises two tides in the ocean each day."),
    Document(id="dup-2", title="Tides", text="The pull of the Moon raises two tides in the ocean each day."),
    Document(id="untitled", text="Bees dance to tell the hive where flowers are."),
    Document(
        id="ünï", title="Käse und Brot", text="Für ein Käsebrot nimmt man Brot, Butter und Käse. 乳酪配面包 Сыр 🧀"
    ),
    Document(id="empty", text=""),
    Document(id="signs", title="?!", text="... --- *** ((( ))) \t\n\u00a0"),
    Document(id="long", title="Star catalogue", text=" ".join(f"Star number {n} shines faintly." for n in range(900))),
)

_ASKED = {
    "q-bread": ("why does bread dough rise", ("k9", "m3", "a1")),
    "q-roses": ("when to prune roses", ("z2",)),
    "q-moons": ("moons that Galileo saw around Jupiter", ("c5",)),
    "q-knee": ("knee pain of runners", ("h7",)),
    "q-key": ("encrypt a message with a public key", ("t5",)),
    "q-tides": ("what raises ocean tides", ("f9", "dup-1", "dup-2")),
    "q-piano": ("tuning piano strings", ("s5",)),
    "q-vaccine": ("first vaccine against smallpox", ("p3",)),
}

_TAUGHT = {
    "t-soil": ("how to keep garden soil moist", ("q7",), ("f3", "t4", "n2")),
    "t-rings": ("what are the rings of Saturn made of", ("c6",), ("c5", "z2", "p1")),
    "t-glacier": ("river of ice", ("f3",), ("f2", "x1", "s6")),
    "t-password": ("random password for every site", ("t4",), ("t6", "d0", "h8")),
    "t-coffee": ("roasting coffee beans", ("n4",), ("n2", "n8", "b4")),
    "t-press": ("who printed a Bible with movable type", ("p1",), ("p2", "s1", "g1")),
    "t-altitude": ("athletes at altitude", ("e1",), ("a1", "h8", "e2")),
    "t-aphids": ("what eats aphids on roses", ("b4",), ("z2", "b2", "k9")),
}

FACTS = TaskFacts(
    name="tiny",
    summary="Forty short documents on everyday topics, with duplicates, an empty document and other oddities.",
    splits=("test", "train"),
    languages=("en",),
    licence="Apache-2.0",
    source="written for the harness's contract tests",
)


def tiny_task(folder: Path, name: str = "tiny") -> Task:
    """The collection as a task with a test and a train split of eight queries each; its corpus is kept in `folder`."""
    lines = (line.split(" | ") for line in _TEXTS.strip().splitlines())
    documents = [Document(id=doc_id, title=title, text=text) for doc_id, title, text in lines]
    texts = {query_id: text for query_id, (text, *_) in (_ASKED | _TAUGHT).items()}
    queries = [Query(id=query_id, text=text) for query_id, text in texts.items()]
    judged = {
        "test": {query_id: dict.fromkeys(relevant, 1) for query_id, (_, relevant) in _ASKED.items()},
        "train": {
            query_id: dict.fromkeys(positives, 1) | dict.fromkeys(negatives, 0)
            for query_id, (_, positives, negatives) in _TAUGHT.items()
        },
    }
    return memory_task(dataclasses.replace(FACTS, name=name), (*documents, *_ODD), queries, judged, folder)


def odd_queries() -> list[Query]:
    """Queries that real logs contain: nothing but a sign, blanks, no known word, very long, other scripts."""
    texts = (
        "?",
        " \t ",
        "xyzzy qwrtpsd",
        "bread " * 3000,
        "乳酪",
        "🧀",
        "naïve\u0301 café\u200b",
        "SELECT * FROM t; --",
    )
    return [Query(id=f"odd-{place}", text=text) for place, text in enumerate(texts)]
