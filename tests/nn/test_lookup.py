"""A sparse student whose queries are looked up in a table."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from harness.contracts import Context  # noqa: E402
from harness.errors import CheckpointError  # noqa: E402
from harness.nn.encoders import SparseEncoder  # noqa: E402
from harness.nn.loading import adjust, load  # noqa: E402
from harness.nn.students import LookupStudent, SparseStudent  # noqa: E402
from harness.nn.students.lookup import TABLE  # noqa: E402


@pytest.fixture
def student(tiny_bert: Path, context: Context) -> LookupStudent:
    return LookupStudent(str(tiny_bert), context, 8)


def terms(student: LookupStudent, *tokens: str) -> list[int]:
    return student.tokenizer.convert_tokens_to_ids(list(tokens))


def test_a_query_is_the_set_of_its_tokens(student: LookupStudent):
    expected = torch.zeros(2, student.vocabulary)
    expected[0, terms(student, "a", "b")] = 1
    expected[1, terms(student, "c", "##a")] = 1
    assert torch.equal(student.embed(["a b a a", "ca 1"], "query"), expected)


def test_weights_come_from_the_table_and_marks_have_none(student: LookupStudent):
    student.weigh(torch.arange(float(student.vocabulary)) - 8)
    (found,) = student.embed(["a z [UNK] [SEP]"], "query")
    a, z = terms(student, "a", "z")
    expected = torch.zeros(student.vocabulary)
    expected[a] = max(0, a - 8)  # a weight below 0 counts as 0
    expected[z] = z - 8
    assert torch.equal(found, expected)
    assert student.table[student.tokenizer.all_special_ids].count_nonzero() == 0


def test_queries_take_no_forward_pass_and_documents_are_splade(student: LookupStudent, tiny_bert: Path):
    calls: list[int] = []
    student.language_model.base_model.register_forward_hook(lambda *_: calls.append(1))
    student.embed(["a b", "c"], "query")
    SparseEncoder(student.model)(["a b", "c"], "query")
    assert not calls
    found = student.embed(["a b", "c"], "document")
    assert calls
    plain = SparseStudent(str(tiny_bert), student.context, 8)
    torch.testing.assert_close(found, plain.embed(["a b", "c"], "document"))


def test_texts_without_a_token_have_no_terms(student: LookupStudent):
    assert SparseEncoder(student.model)(["", " "], "query").nnz == 0
    mixed = SparseEncoder(student.model)(["", "a b", ""], "query").toarray()
    assert [row.nonzero()[0].tolist() for row in mixed] == [[], terms(student, "a", "b"), []]


def test_what_is_saved_is_an_ordinary_model(student: LookupStudent, tmp_path: Path, context: Context):
    student.weigh(torch.rand(student.vocabulary))
    student.save(tmp_path / "saved")
    encoder = SparseEncoder(load("sparse", str(tmp_path / "saved"), context))
    again = LookupStudent(str(tmp_path / "saved"), context, 8)
    for role in ("query", "document"):
        ours = student.embed(["a b", "c d e f g h i j k l"], role).detach().numpy()
        assert encoder(["a b", "c d e f g h i j k l"], role).toarray() == pytest.approx(ours, abs=1e-5)
        assert again.embed(["a b", "c d e f g h i j k l"], role).detach().numpy() == pytest.approx(ours, abs=1e-6)


def test_both_sides_are_cut(student: LookupStudent, tmp_path: Path, context: Context):
    assert student.embed(["a b c d e f g h i j k l"], "query").count_nonzero() == 8
    student.save(tmp_path / "saved")
    model = load("sparse", str(tmp_path / "saved"), context)
    adjust(model, max_length=3)
    assert SparseEncoder(model)(["a b c d"], "query").nnz == 3


def test_the_table_gets_gradients_and_has_a_name(student: LookupStudent):
    assert any(name.startswith(TABLE) for name, _ in student.model.named_parameters())
    student.table.requires_grad_()
    student.embed(["a"], "query").sum().backward()
    assert student.table.grad is not None
    assert student.table.grad.nonzero().flatten().tolist() == terms(student, "a")


def test_others_are_refused(tiny_dense: Path, student: LookupStudent, tmp_path: Path, context: Context):
    with pytest.raises(CheckpointError, match="SparseEncoder"):
        LookupStudent(str(tiny_dense), context, 8)
    router = student.model[0]
    router.sub_modules["query"] = router.sub_modules["document"]
    student.model.save_pretrained(str(tmp_path / "two"), create_model_card=False)
    with pytest.raises(CheckpointError, match=r"Transformer.*SpladePooling"):
        LookupStudent(str(tmp_path / "two"), context, 8)
