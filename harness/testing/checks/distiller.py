"""What a distiller must keep to: it listens to its teacher, stays inside its budget, and makes a sound retriever."""

import dataclasses

from harness.contracts import Distiller
from harness.errors import ContractError, HarnessError
from harness.nn.settings import StudentConfig
from harness.testing.checks import retriever
from harness.testing.compare import difference
from harness.testing.subject import DEPTH, Subject
from harness.testing.teachers import Counter, contrary, without

TEACHER_CALLS = 20
"""Fewer than the lesson has pairs: eight queries with four documents each."""


def builds(subject: Subject) -> None:
    """It can be built, and has `distil`, which gives a retriever."""
    if not isinstance(subject.living, Distiller):
        raise ContractError(f"expected a distiller, got {type(subject.living).__name__} without distil")
    subject.retriever()


def learns_from_its_teacher(subject: Subject) -> None:
    """With a teacher of the opposite opinion it makes another student."""
    if not subject.card.needs:
        return
    other = subject.indexed(contrary(subject.lesson_teacher)).search(subject.queries, DEPTH)
    if not difference(subject.run, other, 0):
        raise ContractError("expected another student from a teacher of the opposite opinion, got the same one")


def teacher_calls_stay_in_budget(subject: Subject) -> None:
    """It sends its teacher no more pairs or texts than the budget allows, or refuses so small a budget."""
    if not subject.card.needs:
        return
    counter = Counter()
    budget = dataclasses.replace(subject.budget, teacher_calls=TEACHER_CALLS)
    try:
        subject.build().distil(subject.lesson(counter.watch(subject.lesson_teacher), budget))
    except ContractError:
        raise
    except HarnessError:
        pass  # to refuse is to stay inside
    if counter.calls > TEACHER_CALLS:
        raise ContractError(f"expected at most {TEACHER_CALLS} teacher calls, as the budget says, got {counter.calls}")


def refuses_a_mute_teacher(subject: Subject) -> None:
    """A teacher without a needed signal is refused in words (`Lesson.require` does it)."""
    for signal in subject.card.needs:
        lesson = subject.lesson(without(subject.lesson_teacher, [signal]))
        try:
            subject.build().distil(lesson)
        except HarnessError:
            continue
        except Exception as error:  # whatever else foreign code raises is what this check looks for
            raise ContractError(
                f"expected a SignalError for a teacher without {signal!r}, got {type(error).__name__}: {error}"
            ) from error
        raise ContractError(f"expected a teacher without {signal!r} to be refused, got a student")


def trains_in_bfloat16(subject: Subject) -> None:
    """Where it follows the student recipe, mixed precision makes a student too."""
    if issubclass(subject.card.config, StudentConfig):
        subject.build(subject.with_options({"precision": "bf16"})).distil(subject.lesson())


CHECKS = (
    builds,
    learns_from_its_teacher,
    trains_in_bfloat16,
    teacher_calls_stay_in_budget,
    refuses_a_mute_teacher,
    *(check for check in retriever.CHECKS if check is not retriever.builds),
)
