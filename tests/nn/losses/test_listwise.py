"""Losses over lists: values worked by hand, gradient identities, limits and masks."""

import itertools
import math

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


class TestKl:
    def test_by_hand(self):
        # Teacher (1/2, 1/2), student (3/4, 1/4): KL = ½ ln(2/3) + ½ ln 2 = ½ ln(4/3).
        student = T([[math.log(3.0), 0.0]])
        assert losses.kl(student, T([[0.0, 0.0]])).item() == pytest.approx(0.5 * math.log(4 / 3), abs=1e-6)
        reverse = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
        assert losses.kl(student, T([[0.0, 0.0]]), direction="reverse").item() == pytest.approx(reverse, abs=1e-6)

    def test_zero_where_they_agree_and_positive_elsewhere(self):
        scores = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
        assert losses.kl(scores, scores + 7).item() == pytest.approx(0, abs=1e-6)
        assert losses.kl(scores, -scores).item() > 0

    def test_gradient_with_separate_temperatures(self):
        student, teacher = leaf([[0.3, 0.1, -0.4]]), T([[2.0, 0.5, 1.0]], dtype=DOUBLE)
        losses.kl(student, teacher, student_temperature=0.05, teacher_temperature=0.3).backward()
        expected = (torch.softmax(student.detach() / 0.05, 1) - torch.softmax(teacher / 0.3, 1)) / 0.05
        assert torch.allclose(student.grad, expected)

    def test_scaled_gradient_tends_to_that_of_squared_error(self):
        # High temperature T, centred scores: T² KL → Σ (s − t)² / 2n, with gradient (s − t) / n (Hinton et al., eq. 4).
        student, teacher = leaf([[0.5, -0.5]]), T([[1.0, -1.0]], dtype=DOUBLE)
        losses.kl(student, teacher, student_temperature=1e3, teacher_temperature=1e3, scale=True).backward()
        assert torch.allclose(student.grad, (student.detach() - teacher) / 2, atol=1e-5)

    def test_directions_differ_in_what_a_missing_document_costs(self):
        # Teacher (1/2, 1/2, ~0), student (~0, 1/2, 1/2): one direction pays where the teacher is, the other elsewhere.
        teacher, student = T([[0.0, 0.0, -40.0]]), T([[-20.0, 0.0, 0.0]])
        assert losses.kl(student, teacher).item() == pytest.approx(10, abs=0.1)
        assert losses.kl(student, teacher, direction="reverse").item() == pytest.approx(20, abs=0.1)

    @pytest.mark.parametrize("direction", ["forward", "reverse"])
    def test_teacher_that_learns_has_gradients_where_the_mask_is(self, direction):
        teacher = leaf([[2.0, 0.5, -9.0]])
        mask = T([[True, True, False]])
        losses.kl(T([[0.3, 0.1, 9.0]], dtype=DOUBLE), teacher, mask=mask, direction=direction).backward()
        assert torch.isfinite(teacher.grad).all()
        assert teacher.grad[0, 2] == 0
        assert teacher.grad[0, 0] != 0

    @pytest.mark.parametrize("direction", ["forward", "reverse"])
    def test_mask(self, direction):
        mask = T([[True, True, False]])
        student = leaf([[0.3, 0.1, 9.0]])
        loss = losses.kl(student, T([[2.0, 0.5, -9.0]], dtype=DOUBLE), mask=mask, direction=direction)
        loss.backward()
        alone = losses.kl(T([[0.3, 0.1]]), T([[2.0, 0.5]]), direction=direction)
        assert loss.item() == pytest.approx(alone.item(), abs=1e-6)
        assert torch.isfinite(student.grad).all()
        assert student.grad[0, 2] == 0

    def test_query_without_candidates_is_an_error(self):
        with pytest.raises(ValueError, match="query 1"):
            losses.kl(torch.zeros(2, 2), torch.zeros(2, 2), mask=T([[True, True], [False, False]]))


class TestPlackettLuce:
    def test_by_hand(self):
        # Scores ln 1, ln 2, ln 3; order 2, 0, 1: 3/6 · 1/3 · 1.
        scores = T([[0.0, math.log(2.0), math.log(3.0)]])
        assert losses.plackett_luce(scores, T([[2, 0, 1]])).item() == pytest.approx(-math.log(1 / 6), abs=1e-6)

    def test_top_one_is_cross_entropy(self):
        scores = T([[0.4, 1.0, -2.0]])
        cross = losses.info_nce(scores, T([1]))
        assert losses.plackett_luce(scores, T([[1, 0, 2]]), top=1).item() == pytest.approx(cross.item(), abs=1e-6)

    def test_likelihoods_of_all_orders_sum_to_one(self):
        scores = T([[0.4, 1.0, -2.0]])
        orders = itertools.permutations(range(3))
        total = sum(math.exp(-losses.plackett_luce(scores, T([order])).item()) for order in orders)
        assert total == pytest.approx(1, abs=1e-6)

    def test_mask(self):
        scores = leaf([[0.4, 1.0, 5.0]])
        loss = losses.plackett_luce(scores, T([[1, 0, 2]]), mask=T([[True, True, False]]))
        loss.backward()
        assert loss.item() == pytest.approx(losses.plackett_luce(T([[0.4, 1.0]]), T([[1, 0]])).item(), abs=1e-6)
        assert scores.grad[0, 2] == 0
        assert torch.isfinite(scores.grad).all()

    def test_gradient_takes_from_every_choice_its_probability(self):
        scores = leaf([[0.4, 1.0, -2.0]])
        losses.plackett_luce(scores, T([[1, 0, 2]])).backward()
        first, second = torch.softmax(scores.detach()[0], 0), torch.softmax(scores.detach()[0, [0, 2]], 0)
        expected = [first[0] + second[0] - 1, first[1] - 1, first[2] + second[1] + 1 - 1]
        assert scores.grad[0].tolist() == pytest.approx([value.item() for value in expected])

    def test_wide_gaps_in_the_right_order_cost_nothing(self):
        scores = T([[0.0, 50.0, 100.0]])
        assert losses.plackett_luce(scores, T([[2, 1, 0]])).item() == pytest.approx(0, abs=1e-6)
        assert losses.plackett_luce(scores, T([[0, 1, 2]])).item() == pytest.approx(150, rel=1e-4)


class TestCrossEntropy:
    def test_by_hand(self):
        # Teacher (1/2, 1/2), student (3/4, 1/4): −½ ln ¾ − ½ ln ¼.
        loss = losses.cross_entropy(T([[math.log(3.0), 0.0]]), T([[0.0, 0.0]]))
        assert loss.item() == pytest.approx(-0.5 * math.log(0.75) - 0.5 * math.log(0.25), abs=1e-6)

    def test_is_divergence_plus_the_teachers_entropy(self):
        student, teacher = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
        temperatures = {"student_temperature": 0.7, "teacher_temperature": 1.5}
        entropy = torch.distributions.Categorical(logits=teacher / 1.5).entropy().mean()
        expected = losses.kl(student, teacher, **temperatures) + entropy
        assert losses.cross_entropy(student, teacher, **temperatures).item() == pytest.approx(expected.item())

    def test_gradient_is_the_difference_of_the_distributions(self):
        student, teacher = leaf([[0.3, 0.1, -0.4]]), T([[2.0, 0.5, 1.0]], dtype=DOUBLE)
        losses.cross_entropy(student, teacher, student_temperature=0.1, teacher_temperature=0.3).backward()
        expected = (torch.softmax(student.detach() / 0.1, 1) - torch.softmax(teacher / 0.3, 1)) / 0.1
        assert torch.allclose(student.grad, expected)

    def test_cold_teacher_is_a_label(self):
        student, teacher = T([[0.4, 1.0, -2.0]]), T([[0.1, 0.3, 0.2]])
        loss = losses.cross_entropy(student, teacher, teacher_temperature=1e-3)
        assert loss.item() == pytest.approx(losses.info_nce(student, T([1])).item(), abs=1e-6)

    def test_mask_also_for_a_teacher_that_learns(self):
        student, teacher = leaf([[0.3, 0.1, 9.0]]), leaf([[2.0, 0.5, -9.0]])
        loss = losses.cross_entropy(student, teacher, mask=T([[True, True, False]]))
        loss.backward()
        alone = losses.cross_entropy(T([[0.3, 0.1]]), T([[2.0, 0.5]]))
        assert loss.item() == pytest.approx(alone.item(), abs=1e-6)
        for scores in (student, teacher):
            assert torch.isfinite(scores.grad).all()
            assert scores.grad[0, 2] == 0
