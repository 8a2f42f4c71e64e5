"""Each planted fault fails the check that is meant for it, and no check that it has nothing to do with."""

import pytest

SHALLOW = ("one_result", "odd_queries_are_answered")
DEPTHS = ("one_result", "deeper_than_corpus", "odd_queries_are_answered")
"""Where a run is looked at in the same way as in `run_is_valid`."""
BATCHES = ("one_query_alone", "order_of_queries")
"""Where a fault of one query of the batch shows as well."""

RETRIEVERS = [
    ("nan", "run_is_valid", (*DEPTHS, *BATCHES)),
    ("unknown row", "run_is_valid", (*DEPTHS, *BATCHES)),
    ("unsorted", "run_is_valid", ("deeper_than_corpus", "odd_queries_are_answered")),
    ("duplicate", "run_is_valid", ("deeper_than_corpus", "odd_queries_are_answered")),
    ("float64", "run_is_valid", DEPTHS),
    ("more than k", "run_is_valid", SHALLOW),
    ("other query order", "run_is_valid", (*DEPTHS, "one_query_alone", "finds_relevant")),
    ("sorted by length, ids not", "order_of_queries", ("one_query_alone", "finds_relevant")),
    ("normalised over the batch", "one_query_alone", ()),
    ("unseeded", "same_seed_same_run", ("saved_and_loaded",)),
    ("forgets on load", "saved_and_loaded", ()),
    ("fails without queries", "no_query", ()),
    ("fails when deep", "deeper_than_corpus", ()),
    ("nan when nothing is known", "odd_queries_are_answered", ()),
    ("ranks by chance", "finds_relevant", ()),
]

WRONG_COUNT = ("odd_texts_are_answered", "batch_order", "same_seed_same_answers")
TEACHERS = [
    ("lacks judge", "builds", ("answers_are_valid", "no_question", *WRONG_COUNT)),
    ("identity empty", "identity_is_stable", ("identity_follows_options",)),
    ("identity differs", "identity_is_stable", ()),
    ("identity leaves an option out", "identity_follows_options", ()),
    ("score nan", "answers_are_valid", ("odd_texts_are_answered", "batch_order")),
    ("score count", "answers_are_valid", WRONG_COUNT),
    ("score list", "answers_are_valid", ("no_question", *WRONG_COUNT)),
    ("score column", "answers_are_valid", ("odd_texts_are_answered",)),
    ("prefer above 1", "answers_are_valid", ("preferences_add_up",)),
    ("order repeats", "answers_are_valid", ("odd_texts_are_answered",)),
    ("order short", "answers_are_valid", ("odd_texts_are_answered",)),
    ("embed dimensions", "answers_are_valid", ("odd_texts_are_answered",)),
    ("features of one pair", "answers_are_valid", WRONG_COUNT),
    ("generate none", "answers_are_valid", ("odd_texts_are_answered", "same_seed_same_answers")),
    ("judge float", "answers_are_valid", ("odd_texts_are_answered",)),
    ("score nan on empty text", "odd_texts_are_answered", ()),
    ("fails without pairs", "no_question", ()),
    ("score depends on order", "batch_order", ()),
    ("score normalised over the batch", "batch_order", ()),
    ("score unseeded", "same_seed_same_answers", ()),
    ("prefer has a position bias", "preferences_add_up", ()),
]

DISTILLERS = [
    ("ignores its teacher", "learns_from_its_teacher", ()),
    ("over budget", "teacher_calls_stay_in_budget", ()),
    ("asks whatever teacher", "refuses_a_mute_teacher", ()),
    ("unseeded", "same_seed_same_run", ("saved_and_loaded",)),
    ("student not sorted", "run_is_valid", ("deeper_than_corpus", "odd_queries_are_answered")),
]

TASKS = [
    ("facts without source", "facts_are_complete", ()),
    ("facts of another name", "facts_are_complete", ()),
    ("facts of another split", "facts_are_complete", ("training_is_apart",)),
    ("facts with an unknown measure", "facts_are_complete", ()),
    ("duplicate document ids", "corpus_is_consistent", ()),
    ("id_rank is the row", "corpus_is_consistent", ()),
    ("rows shifted", "corpus_is_consistent", ()),
    ("contents differ", "corpus_is_consistent", ()),
    ("queries in another order", "queries_fit_judgements", ()),
    ("a query left out", "queries_fit_judgements", ()),
    ("a query without text", "queries_fit_judgements", ()),
    ("rows beyond the corpus", "judgements_fit_corpus", ()),
    ("no relevant document", "judgements_fit_corpus", ()),
    ("judged twice", "judgements_fit_corpus", ()),
    ("example beyond the corpus", "examples_fit_corpus", ()),
    ("example on both sides", "examples_fit_corpus", ()),
    ("example without positive", "examples_fit_corpus", ()),
    ("trains on test", "training_is_apart", ()),
    ("fingerprint differs", "content_is_stable", ()),
    ("queries differ", "content_is_stable", ()),
]


def cases(kind, faults):
    return [pytest.param(kind, fault, meant, also, id=f"{kind}: {fault}") for fault, meant, also in faults]


@pytest.mark.parametrize("kind", ["retriever", "teacher", "distiller", "task"])
def test_right_plugin_passes(failed, kind):
    assert failed(kind, "") == {}


@pytest.mark.parametrize(
    ("kind", "fault", "meant", "also"),
    [
        *cases("retriever", RETRIEVERS),
        *cases("teacher", TEACHERS),
        *cases("distiller", DISTILLERS),
        *cases("task", TASKS),
    ],
)
def test_fault_is_caught_by_the_check_meant_for_it(failed, kind, fault, meant, also):
    more = {"identity_options": {"length": "9"}} if kind == "teacher" else {}
    assert set(failed(kind, fault, **more)) == {meant, *also}


def test_reason_names_query_and_fault(failed):
    reason = failed("retriever", "nan")["run_is_valid"]
    assert "'q-vaccine'" in reason
    assert "NaN" in reason


def test_distiller_that_makes_no_retriever(failed):
    assert "NoneType" in failed("distiller", "no student")["builds"]
