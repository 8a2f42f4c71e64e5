"""The student recipe: all that a method which is a loss shares with the others.

Mining, the teacher's scores, batches, training and the retriever at the end are shared; the method brings a function
from a `View` of a batch to a loss, and says whether it needs a teacher.
"""

from harness.contracts import Context, Lesson, Retriever
from harness.nn.course import Course, Loss
from harness.nn.settings import StudentConfig
from harness.nn.students import Form, Student
from harness.nn.view import View

__all__ = ["Loss", "View", "fit"]


def fit(
    lesson: Lesson,
    context: Context,
    config: StudentConfig,
    loss: Loss,
    *,
    taught: bool,
    form: Form = "dense",
    student: Student | None = None,
) -> Retriever:
    """Train the lesson's student on a loss.

    Args:
        lesson: student, teacher, documents, examples, budget.
        context: device, seed and folders.
        config: the recipe's knobs.
        loss: of a batch.
        taught: whether the loss needs the teacher's scores.
        form: what the student makes of a text.
        student: one that is made already; else it is made from the lesson's checkpoint.

    Raises:
        SignalError: a teacher is needed, and there is none that gives scores.
    """
    course = Course(lesson=lesson, context=context, config=config)
    lists = course.taught() if taught else course.lists()
    learner = student or course.student(form)
    course.train([course.stage("train", learner, loss, lists)])
    return course.finish(learner)
