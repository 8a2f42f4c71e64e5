"""A TREC run or qrels file is read as it says, or refused by its line."""

import numpy as np
import pytest
from hypothesis import strategies as st

from harness.data.trec import read_qrels
from harness.runner.foreign_run import read
from harness.scoring import measures, strict

pytestmark = pytest.mark.timeout(3600)

RUN = b"".join(b"q%d Q0 d%d %d %d.5 tag\n" % (q, d, d + 1, 9 - d) for q in (1, 2, 3) for d in range(4))
QRELS = b"q1 0 d1 1\nq1 0 d2 0\nq2 0 d3 2\nq3 0 d4 -1\n"
FIELDS = [b"q1", b"q9", b"Q0", b"d1", b"d9", b"1", b"0.5", b"1e39", b"-1e-46", b"nan", b"inf", b"1_0", b"0x1", b"\xff"]


def files(mutations, content: bytes, columns: int):
    """The file spoiled at any byte, or lines of fields that might be right."""
    line = st.lists(st.sampled_from(FIELDS), min_size=columns - 1, max_size=columns + 1).map(b" ".join)
    made = st.lists(line, max_size=5).map(lambda lines: b"\n".join(lines) + b"\n")
    return st.one_of(mutations.spoiled(content), made)


def test_runs(fuzz, mutations, tiny, tmp_path):
    file, corpus, qrels = tmp_path / "run.trec", tiny.corpus(), tiny.qrels("test")

    def take(content: bytes) -> None:
        file.write_bytes(content)
        run = read(file, tiny, "test")
        strict.check_run(run, qrels.query_ids, len(corpus))
        said = {tuple(line.split()[place].decode() for place in (0, 2)) for line in content.split(b"\n") if line}
        found = {(run.query_ids[q], corpus.ids[run.rows[q, place]]) for q, place in np.argwhere(run.rows >= 0)}
        assert found == said - {("q1", "q1")}
        for values in measures.score(run, qrels, corpus, ("nDCG@10", "AP", "RR@10")).values():
            assert ((values >= 0) & (values <= 1)).all()

    fuzz("TREC run", files(mutations, RUN, 6), take)


def test_qrels(fuzz, mutations, tmp_path):
    file = tmp_path / "qrels"

    def take(content: bytes) -> None:
        file.write_bytes(content)
        judged = read_qrels(file)
        assert sum(map(len, judged.values())) == len([line for line in content.split(b"\n") if line])
        assert all(abs(grade) < 10**9 for documents in judged.values() for grade in documents.values())

    fuzz("TREC qrels", files(mutations, QRELS, 4), take)
