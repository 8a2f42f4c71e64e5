from dataclasses import replace
from datetime import date
from types import ModuleType

import pytest
from harness_leaderboard.board import assemble
from harness_leaderboard.pages import build
from harness_leaderboard.teachers import Teacher, content, teacher_label

from harness.store.records import Evaluation

DAY = date(2026, 3, 2)
MPNET = {"plugin": "mpnet", "config": {"model": "/models/all-mpnet", "scale": 20}}


def teachers_of(evaluations: list[Evaluation]) -> list[Teacher]:
    return content(assemble(evaluations, DAY, "Test"))["teachers"]


@pytest.fixture
def suite(factory: ModuleType, closed: ModuleType) -> list[Evaluation]:
    """The closed suite, whose students name their teacher in their configuration."""
    return [
        replace(
            one,
            config={"teacher": MPNET},
            checkpoints={"/models/all-mpnet": "sha256:5d5d", "pip:tiny-bert": "pip:tiny-bert==1"},
        )
        if one.training.get("teachers")
        else one
        for one in closed.suite(factory)
    ]


def test_who_taught_whom_and_what_was_asked(suite: list[Evaluation]):
    (teacher,) = teachers_of(suite)
    assert (teacher.name, teacher.apart) == ("mpnet", "")
    assert teacher.options == {"model": "all-mpnet", "scale": "20"}
    assert teacher.checkpoints == [("/models/all-mpnet", "sha256:5d5d")]  # not the student's
    (lessons,) = teacher.classes
    assert [(student.method.name, student.lessons) for student in lessons.students] == [("lead", 3), ("margin-mse", 3)]
    # 900 calls in each of three trainings; the evaluation on the second task found the student trained
    assert lessons.students[1].spent == {"teacher_calls": 2700, "teacher_answers_stored": 300, "teacher_seconds": 90}
    assert lessons.total["teacher_calls"] == 5400


def test_the_ceiling_is_the_teacher_itself(suite: list[Evaluation]):
    (teacher,) = teachers_of(suite)
    (row,) = teacher.classes[0].ceilings
    assert (row.method.name, row.mean) == ("cascade", pytest.approx(0.61))
    foreign = [
        replace(one, config={"teacher": {"plugin": "x", "config": {}}}) if one.role == "ceiling" else one
        for one in suite
    ]
    assert teachers_of(foreign)[0].classes[0].ceilings == []


def test_two_configurations_of_a_teacher_are_two(suite: list[Evaluation]):
    other = {"plugin": "mpnet", "config": {**MPNET["config"], "scale": 1}}
    changed = [
        replace(one, config={"teacher": other}, config_digest="other") if one.method.name == "lead" else one
        for one in suite
    ]
    assert [teacher.apart for teacher in teachers_of(changed)] == ["scale=1", "scale=20"]


def test_a_cost_that_one_student_does_not_know_is_not_summed(suite: list[Evaluation]):
    unknown = [
        replace(one, cost={name: value for name, value in one.cost.items() if name != "teacher_seconds"})
        if one.method.name == "lead"
        else one
        for one in suite
    ]
    (lessons,) = teachers_of(unknown)[0].classes
    assert "teacher_seconds" not in lessons.total
    assert lessons.total["teacher_calls"] == 5400


def test_a_teacher_that_only_the_training_names_is_there_too(factory: ModuleType, closed: ModuleType):
    (teacher,) = teachers_of(closed.suite(factory))
    assert (teacher.name, teacher.options, list(teacher.checkpoints)) == ("mpnet", {}, [])


def test_what_had_no_teacher_has_none(factory: ModuleType, closed: ModuleType):
    one = next(one for one in closed.suite(factory) if one.method.name == "dpr")
    assert teacher_label(one) == ""
    assert teachers_of([one]) == []
    assert b"No student on this board had a teacher" in dict(build([one], DAY, "Test"))["teachers.html"]


def test_the_page_shows_no_folder_of_the_machine(suite: list[Evaluation]):
    page = dict(build(suite, DAY, "Test"))["teachers.html"].decode()
    assert "/models/" not in page
    assert "sha256:5d5d" in page
    assert "0.6100" in page
