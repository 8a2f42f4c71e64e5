"""What a teacher must keep to, in each of the signals that its card lists."""

from harness.contracts import GIVES, Teacher
from harness.errors import ContractError
from harness.testing import answers
from harness.testing.subject import Subject


def builds(subject: Subject) -> None:
    """It can be built, has an identity, and can be asked for every signal that its card lists."""
    if not subject.card.gives:
        raise ContractError("expected the card to list the signals that the teacher gives, got none")
    teacher = subject.living
    for name, protocol in (("identity", Teacher), *((signal, GIVES[signal]) for signal in subject.card.gives)):
        if not isinstance(teacher, protocol):
            raise ContractError(f"expected {type(teacher).__name__} to have {name!r}, which its card promises")


def identity_is_stable(subject: Subject) -> None:
    """Its identity is a text that is not empty and the same whenever it is built with the same options."""
    first, second = subject.living.identity, subject.build().identity
    if not isinstance(first, str) or not first.strip():
        raise ContractError(f"expected an identity that is a non-empty text, got {first!r}")
    if first != second:
        raise ContractError(f"expected one identity for one configuration, got {first!r} and {second!r}")


def identity_follows_options(subject: Subject) -> None:
    """Its identity changes with every option that its answers depend on (those named in `identity_options`)."""
    for name, value in subject.identity_options.items():
        other = subject.build(subject.with_options({name: value}))
        if other.identity == subject.living.identity:
            raise ContractError(f"expected another identity with {name}={value}, got the same: {other.identity!r}")


def answers_are_valid(subject: Subject) -> None:
    """Each question has one answer, of the right type, finite and in range; an order is a permutation."""
    for signal in subject.card.gives:
        answers.check(signal, subject.living, answers.questions(signal, subject.tiny))


def odd_texts_are_answered(subject: Subject) -> None:
    """Empty, endless and foreign texts have valid answers."""
    for signal in subject.card.gives:
        answers.check(signal, subject.living, answers.odd_questions(signal, subject.tiny))


def no_question(subject: Subject) -> None:
    """No question has no answer."""
    for signal in subject.card.gives:
        answers.check(signal, subject.living, [])


def batch_order(subject: Subject) -> None:
    """An answer does not depend on what else is asked, nor in which order (generated text may)."""
    for signal in subject.card.gives:
        if signal in ("generate", "order"):  # sampling depends on the order; an order is asked one query at a time
            continue
        asked = answers.questions(signal, subject.tiny)
        usual = answers.ask(signal, subject.living, asked)
        backwards = answers.ask(signal, subject.living, asked[::-1])[::-1]
        answers.same(signal, usual, backwards, answers.BATCH_TOLERANCE, "asked in another order")
        if signal != "features":  # which may be padded to the longest of a batch
            alone = [answers.ask(signal, subject.living, [question])[0] for question in asked[:3]]
            answers.same(signal, usual[:3], alone, answers.BATCH_TOLERANCE, "asked alone")


def same_seed_same_answers(subject: Subject) -> None:
    """Built anew under the same seed, it gives the same answers."""
    first, second = subject.build(), subject.build()
    for signal in subject.card.gives:
        asked = answers.questions(signal, subject.tiny)
        given = answers.ask(signal, first, asked)
        answers.same(signal, given, answers.ask(signal, second, asked), 0, "built twice under one seed")


def preferences_add_up(subject: Subject) -> None:
    """P(a beats b) + P(b beats a) = 1."""
    if "prefer" not in subject.card.gives:
        return
    asked = answers.questions("prefer", subject.tiny)
    there = answers.ask("prefer", subject.living, asked)
    back = answers.ask("prefer", subject.living, [(query, b, a) for query, a, b in asked])
    for place, (first, second) in enumerate(zip(there, back, strict=True)):
        if not abs(first + second - 1) < answers.PREFER_TOLERANCE:
            raise ContractError(f"prefer: expected P(a, b) + P(b, a) = 1, got {first} + {second} at triple {place}")


CHECKS = (
    builds,
    identity_is_stable,
    identity_follows_options,
    answers_are_valid,
    odd_texts_are_answered,
    no_question,
    batch_order,
    same_seed_same_answers,
    preferences_add_up,
)
