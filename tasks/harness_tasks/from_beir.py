"""`beir:<name>`: a data set of BEIR, fetched by the beir package; `beir:<folder>`: any folder in BEIR layout.

Source: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models",
NeurIPS Datasets and Benchmarks 2021.
"""

import difflib
import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from harness.contracts import Context, Task, TaskFacts
from harness.data.beir import BeirSource, main_split
from harness.data.corpus import ArrowCorpus
from harness.data.kept import move_whole, workplace
from harness.data.split import Split
from harness.data.task import SourceTask
from harness.errors import DataError, MissingExtra, TaskNotFound
from harness.home import existing_folder, home
from harness.records import Document
from harness_tasks import BeirConfig
from harness_tasks.beir_sets import FORUMS, SETS, BeirSet

URL = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"
STAMP = "archive.md5"
"""File in a fetched folder that holds the checksum of the archive it came from."""
CITATION = (
    "N. Thakur, N. Reimers, A. Rücklé, A. Srivastava, I. Gurevych, BEIR: A Heterogeneous Benchmark for Zero-shot "
    "Evaluation of Information Retrieval Models, NeurIPS Datasets and Benchmarks 2021; and the data set's own paper"
)


def build(config: BeirConfig, context: Context) -> Task:
    """The task of this name; a name of BEIR wins over a folder, which can always be written with a slash.

    Raises:
        TaskNotFound: neither a BEIR data set nor a folder in BEIR layout.
    """
    name, _, forum = config.dataset.partition("/")
    if name == "cqadupstack" and forum not in FORUMS:
        raise TaskNotFound(f"beir:{config.dataset}: expected one of its forums: beir:cqadupstack/{'|'.join(FORUMS)}")
    if config.dataset in SETS or name == "cqadupstack":
        return SourceTask(_Official(config.dataset, SETS[name]), context.folder)
    folder = existing_folder(config.dataset)
    if folder is None:
        near = difflib.get_close_matches(config.dataset, SETS, n=1)
        hint = f"did you mean beir:{near[0]}?" if near else f"known: {', '.join(SETS)}"
        raise TaskNotFound(
            f"beir:{config.dataset}: expected a data set of BEIR or a folder, found neither in {Path.cwd()}; {hint}; "
            "a sub-folder of HARNESS_DATA is named without beir:"
        )
    return SourceTask(BeirSource(folder, f"beir:{folder.name}"), context.folder)


class _Official:
    """A data set of the benchmark, fetched when its content is first asked for."""

    def __init__(self, name: str, known: BeirSet) -> None:
        self._name, self._known = name, known
        self._facts = TaskFacts(
            name=f"beir:{name}",
            summary=known.summary,
            splits=known.splits,
            split=main_split(known.splits),
            languages=("en",),
            licence=known.licence,
            source=f"{URL}/{self._archive}.zip" if known.public else known.obtain,
            citation=CITATION,
            exclude_self=known.exclude_self,
        )

    @property
    def facts(self) -> TaskFacts:
        """What is known of the data set; the archive's checksum as revision, once that archive was fetched."""
        stamp = home() / "beir" / self._archive / STAMP
        return replace(self._facts, revision=f"md5 {stamp.read_text()}" if stamp.is_file() else "")

    @property
    def _archive(self) -> str:
        return self._name.partition("/")[0]

    @cached_property
    def _folder(self) -> BeirSource:
        place = home() / "beir"
        if not (place / self._archive).is_dir():
            _fetch(self._archive, self._known, place)
        return BeirSource(place / self._name, self.facts.name, self.facts)

    @property
    def identity(self) -> str:
        """Of the fetched folder."""
        return self._folder.identity

    def documents(self) -> Iterable[Document]:
        """See `BeirSource`."""
        return self._folder.documents()

    def split(self, name: str, corpus: ArrowCorpus) -> Split:
        """See `BeirSource`."""
        return self._folder.split(name, corpus)


def _fetch(name: str, known: BeirSet, place: Path) -> None:
    """Download and unpack a data set; its folder appears whole or not at all."""
    put = f"put its folder, in BEIR layout, at {place / name}, or name any folder: beir:./{name}"
    if not known.public:
        raise TaskNotFound(f"beir:{name} may not be passed on, so it can't be downloaded: {known.obtain}; then {put}")
    try:
        from beir.util import download_and_unzip
    except ImportError as error:
        raise MissingExtra(f"beir:{name} is fetched by the beir package: pip install 'harness-tasks[beir]'") from error
    with workplace(place) as work:
        try:
            folder = Path(download_and_unzip(f"{URL}/{name}.zip", str(work)))
        except (OSError, zipfile.BadZipFile) as error:
            raise TaskNotFound(
                f"beir:{name} is not here and could not be fetched from {URL}/{name}.zip ({type(error).__name__}); run "
                f"`harness tasks show beir:{name}` where there is a network, or {put}"
            ) from error
        with (work / f"{name}.zip").open("rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        if md5 != known.md5:
            raise DataError(f"{URL}/{name}.zip: expected md5 {known.md5}, as BEIR states it, got {md5}; {put}")
        (folder / STAMP).write_text(md5)
        move_whole(folder, place / name)
