"""Values worked by hand, gradient identities, limits and masks of the shared losses."""

import math

import pytest

torch = pytest.importorskip("torch")

from harness.nn import losses  # noqa: E402

T = torch.tensor
DOUBLE = torch.float64


def leaf(values):
    return torch.tensor(values, dtype=DOUBLE, requires_grad=True)


class TestInfoNce:
    def test_by_hand(self):
        # Row 0: e^1 / (e^1 + e^0), row 1: e^2 / (e^0 + e^2).
        scores = T([[1.0, 0.0], [0.0, 2.0]])
        expected = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2
        assert losses.info_nce(scores, T([0, 1])).item() == pytest.approx(expected, abs=1e-6)

    def test_gradient_is_softmax_minus_one_hot(self):
        scores = leaf([[1.0, 0.5, -1.0], [0.2, 0.1, 0.0]])
        losses.info_nce(scores, T([0, 2]), temperature=0.5).backward()
        soft = torch.softmax(scores.detach() / 0.5, 1)
        hot = T([[1.0, 0, 0], [0, 0, 1.0]], dtype=DOUBLE)
        assert torch.allclose(scores.grad, (soft - hot) / (0.5 * 2))

    def test_masked_negative_is_as_if_it_were_not_there(self):
        scores = leaf([[1.0, 5.0, 0.3]])
        loss = losses.info_nce(scores, T([0]), mask=T([[True, False, True]]))
        loss.backward()
        assert loss.item() == pytest.approx(losses.info_nce(T([[1.0, 0.3]]), T([0])).item(), abs=1e-6)
        assert scores.grad[0, 1] == 0

    def test_positive_counts_even_if_masked(self):
        mask = T([[False, True]])
        assert losses.info_nce(T([[1.0, 0.0]]), T([0]), mask=mask).item() == pytest.approx(math.log(1 + math.exp(-1)))

    def test_extended_denominator_only_adds(self):
        scores, more = T([[1.0, 0.0]]), T([[0.0]])
        assert losses.info_nce(scores, T([0]), more=more).item() == pytest.approx(math.log(1 + 2 * math.exp(-1)))

    def test_symmetric_is_the_mean_of_both_directions(self):
        scores = T([[1.0, 0.0], [3.0, 2.0]])
        there = losses.info_nce(scores, T([0, 1]))
        back = losses.info_nce(scores.T, T([0, 1]))
        assert losses.info_nce(scores, T([0, 1]), symmetric=True).item() == pytest.approx(((there + back) / 2).item())


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
        import itertools

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


class TestPairwise:
    def test_margin_mse_by_hand(self):
        # Margins of the student 1 and 2, of the teacher 3 and 0: (4 + 4) / 2.
        loss = losses.margin_mse(T([2.0, 2.0]), T([1.0, 0.0]), T([3.0, 1.0]), T([0.0, 1.0]))
        assert loss.item() == pytest.approx(4.0)

    def test_margin_mse_gradient_identity(self):
        positive, negative = leaf([2.0, 2.0]), leaf([1.0, 0.0])
        losses.margin_mse(positive, negative, T([3.0, 1.0]), T([0.0, 1.0])).backward()
        assert torch.allclose(positive.grad, T([-2.0, 2.0], dtype=DOUBLE))  # 2 (ds − dt) / B
        assert torch.allclose(positive.grad, -negative.grad)

    def test_margin_mse_knows_scale_and_not_shift(self):
        scores = [T([2.0, 2.0]), T([1.0, 0.0])]
        teacher = [T([3.0, 1.0]), T([0.0, 1.0])]
        loss = losses.margin_mse(*scores, *teacher)
        assert losses.margin_mse(*scores, *(t + 5 for t in teacher)).item() == pytest.approx(loss.item())
        assert losses.margin_mse(*scores, *(t * 10 for t in teacher)).item() != pytest.approx(loss.item())

    def test_ranknet_by_hand_and_blind_to_scale(self):
        # One pair, document 1 above document 0, margin 1: ln(1 + e⁻¹).
        student = T([[0.0, 1.0]])
        expected = math.log(1 + math.exp(-1))
        assert losses.ranknet(student, T([[0.0, 3.0]])).item() == pytest.approx(expected, abs=1e-6)
        assert losses.ranknet(student, T([[0.0, 300.0]])).item() == pytest.approx(expected, abs=1e-6)

    def test_ranknet_leaves_out_ties_and_masked(self):
        student, teacher = T([[0.0, 1.0, 5.0]]), T([[0.0, 3.0, 3.0]])
        pairs = [math.log(1 + math.exp(-1)), math.log(1 + math.exp(-5))]
        assert losses.ranknet(student, teacher).item() == pytest.approx(sum(pairs) / 2, abs=1e-6)
        alone = losses.ranknet(student, teacher, mask=T([[True, True, False]]))
        assert alone.item() == pytest.approx(pairs[0], abs=1e-6)
        with pytest.raises(ValueError, match="orders no pair"):
            losses.ranknet(student, torch.ones(1, 3))


class TestPointwise:
    def test_by_hand(self):
        # Score 0 gives ln 2 whatever the grade; score ln 3 is p = 3/4, grade ½: −½ ln ¾ − ½ ln ¼.
        expected = (math.log(2) - 0.5 * math.log(0.75) - 0.5 * math.log(0.25)) / 2
        loss = losses.graded_bce(T([[0.0, math.log(3.0)]]), T([[0.3, 0.5]]))
        assert loss.item() == pytest.approx(expected, abs=1e-6)

    def test_gradient_is_probability_minus_grade(self):
        scores, grades = leaf([[0.0, 1.0]]), T([[0.3, 0.9]], dtype=DOUBLE)
        losses.graded_bce(scores, grades, scale=2.0, bias=-1.0).backward()
        assert torch.allclose(scores.grad, 2.0 * (torch.sigmoid(2 * scores.detach() - 1) - grades) / 2)

    def test_bad_grades_and_masks(self):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            losses.graded_bce(T([[0.0]]), T([[2.0]]))
        with pytest.raises(ValueError, match="no pair"):
            losses.graded_bce(T([[0.0]]), T([[1.0]]), mask=T([[False]]))
        alone = losses.graded_bce(T([[0.0, 9.0]]), T([[1.0, 0.0]]), mask=T([[True, False]]))
        assert alone.item() == pytest.approx(math.log(2))


class TestRepresentation:
    def test_by_hand(self):
        ours, theirs = T([[1.0, 0.0], [0.0, 2.0]]), T([[0.0, 1.0], [0.0, 1.0]])
        assert losses.mse(ours, theirs).item() == pytest.approx((2 + 1) / 2)
        assert losses.cosine(ours, theirs).item() == pytest.approx((1 + 0) / 2)

    def test_relation_is_blind_to_rotation_length_and_width(self):
        ours = T([[1.0, 0.0], [0.0, 1.0]])
        assert losses.relation(ours, T([[0.0, 3.0, 0.0], [2.0, 0.0, 0.0]])).item() == pytest.approx(0, abs=1e-6)
        # Cosine 0 against cosine 1, in two of four cells.
        assert losses.relation(ours, T([[1.0, 0.0], [1.0, 0.0]])).item() == pytest.approx(0.5)


class TestSparsity:
    def test_by_hand(self):
        weights = T([[1.0, 0.0], [3.0, 1.0]])
        assert losses.flops(weights).item() == pytest.approx(2.0**2 + 0.5**2)
        assert losses.l1(weights).item() == pytest.approx((1 + 4) / 2)

    def test_flops_prefers_an_even_spread(self):
        assert losses.flops(T([[2.0, 0.0], [0.0, 2.0]])) < losses.flops(T([[2.0, 0.0], [2.0, 0.0]]))

    def test_ramp(self):
        assert [losses.ramp(step, 10, 4.0) for step in (0, 5, 10, 99)] == [0.0, 1.0, 4.0, 4.0]
        assert losses.ramp(0, 0, 4.0) == 4.0
