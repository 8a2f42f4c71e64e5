"""A trained student is an ordinary model: another process loads it without us, and embeds as we do."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.nn.course import Course
from harness.nn.losses import info_nce
from harness.nn.settings import StudentConfig
from harness.nn.view import View
from harness.testing.topics import context, lesson
from tests.conftest import PATIENCE

TEXTS = ["history of lemon", "a short text of volcano and glacier", "engine"]
ALONE = """
import json, sys
sys.modules["harness"] = None  # importing it fails from here on
import sentence_transformers
kind, folder, texts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = getattr(sentence_transformers, kind)(folder, device="cpu")
if kind == "CrossEncoder":
    import torch
    found = model.predict([("tell me", text) for text in texts], activation_fn=torch.nn.Identity()).tolist()
else:
    given = model.encode_document(texts)
    found = given.to_dense().tolist() if kind == "SparseEncoder" else [vectors.tolist() for vectors in given]
print(json.dumps(found))
"""


def trained(student: str, folder: Path) -> Course:
    config = StudentConfig(steps=3, documents=3, last_rank=10, batch=4, max_length=16, learning_rate=1e-3)
    return Course(lesson=lesson(student, None, folder), context=context(folder), config=config)


def loss(view: View) -> torch.Tensor:
    return info_nce(view.scores, torch.zeros_like(view.positives), temperature=0.1)


def elsewhere(kind: str, course: Course) -> list:
    command = [sys.executable, "-c", ALONE, kind, str(course.context.training / "student"), json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("form", "kind"),
    [("dense", "SentenceTransformer"), ("sparse", "SparseEncoder"), ("late-interaction", "MultiVectorEncoder")],
)
def test_a_bi_encoder(bare_encoder, small_splade, tmp_path, form, kind):
    course = trained(small_splade if form == "sparse" else bare_encoder, tmp_path)
    student = course.student(form)
    course.train([course.stage("train", student, loss, course.lists())])
    course.finish(student)
    with torch.no_grad():
        embedded = student.embed(TEXTS, "document")
    there = elsewhere(kind, course)
    for place, theirs in enumerate(there):
        ours = embedded.vectors[place][embedded.mask[place]] if form == "late-interaction" else embedded[place]
        unit = np.asarray(theirs) / (np.linalg.norm(theirs) if form == "dense" else 1.0)
        np.testing.assert_allclose(unit, ours.numpy(), atol=2e-5)


def test_a_cross_encoder(bare_encoder, tmp_path):
    course = trained(bare_encoder, tmp_path)
    student = course.pair_student()
    course.train([course.stage("train", student, loss, course.lists())])
    course.keep(student)
    with torch.no_grad():
        ours = student.score([("tell me", text) for text in TEXTS]).numpy()
    np.testing.assert_allclose(elsewhere("CrossEncoder", course), ours, atol=1e-4)
