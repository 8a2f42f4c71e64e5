"""An endpoint: what is sent, every way in which an answer can fail, and what is read from it."""

import time
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigError, SignalError
from harness.signals.store import SignalStore
from harness.signals.teacher import RememberingTeacher
from harness.text import retries
from harness.text.endpoint import Endpoint
from harness.text.model import LanguageModel, Message
from harness.text.settings import ModelConfig

from .server import Reply, Server, text, told

OPTIONS = ("A", "B")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the test and its server, no key of the user's."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited between tries, without waiting them."""
    waited: list[float] = []
    monkeypatch.setattr(retries, "sleep", waited.append)
    return waited


def endpoint(server: Server, **knobs: Any) -> Endpoint:
    return Endpoint(ModelConfig(model=server.name, **knobs))


def ask(*replies: Reply, **knobs: Any) -> list[str]:
    with Server(*replies) as server:
        return endpoint(server, **knobs).write(["Say hello."], max_new_tokens=5)


def choose(*replies: Reply) -> list[list[float]]:
    with Server(*replies) as server:
        return endpoint(server).choose(["A or B?"], OPTIONS).tolist()


def test_what_is_sent() -> None:
    with Server(text("Hello.")) as server:
        model = endpoint(server)
        assert isinstance(model, LanguageModel)
        prompt = (Message("system", "Be kind."), Message("user", "Say hello."))
        assert model.write([prompt], max_new_tokens=5, stop=["!"], temperature=0.5, seed=3) == ["Hello."]
    assert server.asked == [
        {
            "model": "small",
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say hello."}],
            **{"max_tokens": 5, "temperature": 0.5, "stop": ["!"], "seed": 3},
        }
    ]
    assert "authorization" not in server.headers[0]


def test_the_key_is_sent_and_neither_kept_nor_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    with Server(text("x"), Reply(status=401, body="wrong key s3cret")) as server:
        model = endpoint(server, key_variable="MY_KEY")
        model.write(["p"], max_new_tokens=5)
        with pytest.raises(SignalError, match="MY_KEY") as error:
            model.write(["p"], max_new_tokens=5)
    assert server.headers[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in f"{error.value} {vars(model)} {model.identity}"


def test_a_key_that_cant_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "ключ")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as error:
        ask(text("x"))
    assert "ключ" not in str(error.value)


def test_answers_come_in_the_order_of_the_prompts_and_few_at_once() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        said = body["messages"][-1]["content"]
        return Reply(body=text(said.upper()).body, delay=0.05 if said == "p0" else 0.02)

    prompts = [f"p{place}" for place in range(9)]
    with Server(answer=answer) as server:
        assert endpoint(server, parallel=3).write(prompts, max_new_tokens=5) == [p.upper() for p in prompts]
    assert 2 <= server.at_once <= 3


def test_nothing_asked_nothing_sent() -> None:
    with Server(text("x")) as server:
        assert endpoint(server).write([], max_new_tokens=5) == []
        assert endpoint(server).choose([], OPTIONS).shape == (0, 2)
    assert server.asked == []


def test_answers_end_before_stop_texts() -> None:
    with Server(text("one five")) as server:
        assert endpoint(server).write(["p"], max_new_tokens=5, stop=["1", "2", "3", "4", "five"]) == ["one "]
    assert len(server.asked[0]["stop"]) == 4


def test_busy_then_well(waits: list[float]) -> None:
    assert ask(Reply(status=429), Reply(status=503), text("Hello.")) == ["Hello."]
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 599])
def test_what_may_pass_is_asked_again(status: int, waits: list[float]) -> None:
    assert ask(Reply(status=status), text("Hello.")) == ["Hello."]
    assert len(waits) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="", broken="silent"),
        Reply(body=text("Hel").body, broken="short"),
        Reply(body="this is no gzip", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_a_reply_that_breaks_off_is_asked_for_again(reply: Reply, waits: list[float]) -> None:
    assert ask(reply, text("Hello.")) == ["Hello."]
    assert len(waits) == 1
    with pytest.raises(SignalError, match=r"'Say hello.'.*within 2 tries, at last got \w+Error"):
        ask(reply, tries=2)


def test_retry_after_is_kept_to(waits: list[float]) -> None:
    date = formatdate(time.time() + 100, usegmt=True)
    assert ask(*(Reply(status=429, headers={"Retry-After": asked}) for asked in ("7", date)), text("x")) == ["x"]
    assert waits[0] == 7
    assert 90 < waits[1] <= 100


def test_retry_after_of_hours_is_not_waited_for(waits: list[float]) -> None:
    with pytest.raises(SignalError, match="wait 7200 s"):
        ask(Reply(status=429, headers={"Retry-After": "7200"}))
    assert waits == []


@pytest.mark.parametrize("header", ["", "soon", "-3", "1;2", "inf", "Wed, 99 Foo", "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_other_retry_afters_are_passed_over(header: str) -> None:
    assert retries.asked_wait(header) == 0


def test_waits_double_up_to_a_minute() -> None:
    for failures, whole in ((1, 1), (3, 4), (6, 32), (7, 60), (2000, 60)):
        assert whole / 2 <= retries.backoff(min(failures, 1000)) <= whole


def test_failing_for_ever(waits: list[float]) -> None:
    with Server(Reply(status=500, body="out of  order")) as server, pytest.raises(SignalError) as error:
        endpoint(server, tries=3).write(["Say hello."], max_new_tokens=5)
    assert len(server.asked) == 3
    assert len(waits) == 2
    assert all(words in str(error.value) for words in ("'Say hello.'", "3 tries", "status 500: out of order"))


def test_slow(waits: list[float]) -> None:
    with pytest.raises(SignalError, match=r"2 tries.*ReadTimeout"):
        ask(Reply(body=text("late").body, delay=0.4), timeout=0.1, tries=2)
    assert len(waits) == 1


def test_slow_once(waits: list[float]) -> None:
    assert ask(Reply(body=text("late").body, delay=0.4), text("Hello."), timeout=0.1) == ["Hello."]


def test_nobody_there(waits: list[float]) -> None:
    with Server(text("x")) as server:
        pass
    with pytest.raises(SignalError, match="ConnectError"):
        endpoint(server, tries=2).write(["p"], max_new_tokens=5)


@pytest.mark.parametrize("status", [301, 400, 404])
def test_what_is_refused_is_not_asked_again(waits: list[float], status: int) -> None:
    with pytest.raises(SignalError, match=f"'Say hello.'.*status {status}: no such model"):
        ask(Reply(status=status, body="no such model"))
    assert waits == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body='{"choices": ['),
        Reply(body="<html>"),
        Reply(body=""),
        Reply(body=None),
        Reply(body=[]),
        Reply(body={"choices": []}),
        Reply(body={"choices": [None]}),
        Reply(body={"choices": {"0": 1}}),
        Reply(body={"error": {"message": "the model is loading"}}),
        Reply(body=b"\xff\xfe"),
        text(None, finish_reason="length"),
        text(" \n"),
        text(["a"]),
    ],
)
def test_answers_that_make_no_sense(reply: Reply) -> None:
    with Server(reply) as server:
        with pytest.raises(SignalError, match=r"'Say hello.'.*expected .*got"):
            endpoint(server).write(["Say hello."], max_new_tokens=5)
        assert len(server.asked) == 1
        with pytest.raises(SignalError, match=r"'A or B\?'.*expected .*got"):
            endpoint(server).choose(["A or B?"], OPTIONS)


def test_the_first_error_ends_it() -> None:
    def answer(body: dict[str, Any]) -> Reply:
        said = body["messages"][-1]["content"]
        return Reply(status=400, body="too long") if said == "p1" else text(said)

    with Server(answer=answer) as server, pytest.raises(SignalError, match=r"'p1'.*too long"):
        endpoint(server, parallel=1).write([f"p{place}" for place in range(50)], max_new_tokens=5)
    assert len(server.asked) < 50


RECORDED = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1735689600,
    "model": "small-2025-01-01",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "B", "refusal": None, "annotations": []},
            "logprobs": {
                "content": [
                    {
                        **{"token": "B", "logprob": -0.2231, "bytes": [66]},
                        "top_logprobs": [
                            {"token": "B", "logprob": -0.2231, "bytes": [66]},
                            {"token": "A", "logprob": -1.6094, "bytes": [65]},
                        ],
                    }
                ],
                "refusal": None,
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    "system_fingerprint": "fp_0",
}
"""A whole reply, in the fields that such endpoints send."""


def test_a_whole_reply() -> None:
    assert ask(Reply(body=RECORDED)) == ["B"]
    assert choose(Reply(body=RECORDED)) == [[pytest.approx(0.2, abs=1e-4), pytest.approx(0.8, abs=1e-4)]]


class Writing:
    """A teacher that generates through an endpoint."""

    def __init__(self, model: Endpoint) -> None:
        self._model, self.identity = model, model.identity

    def generate(self, prompts: Sequence[str]) -> list[str]:
        return self._model.write(prompts, max_new_tokens=5)


def test_replies_that_were_stored_need_no_endpoint(tmp_path: Path, waits: list[float]) -> None:
    def remembering(server: Server) -> RememberingTeacher:
        return RememberingTeacher(teacher=Writing(endpoint(server, tries=1)), store=SignalStore(tmp_path))

    with Server(answer=lambda body: text(body["messages"][-1]["content"].upper())) as server:
        assert remembering(server).generate(["p", "q", "p"]) == ["P", "Q", "P"]
        assert len(server.asked) == 2
    later = remembering(server)  # it is gone
    assert later.generate(["q", "p"]) == ["Q", "P"]
    assert (later.account.calls, later.account.stored) == (0, 2)
    with pytest.raises(SignalError, match=r"'new'.*ConnectError"):
        later.generate(["q", "new"])


def test_what_fails_is_not_stored(tmp_path: Path) -> None:
    with Server(Reply(body="<html>"), text("x")) as server:
        teacher = RememberingTeacher(teacher=Writing(endpoint(server)), store=SignalStore(tmp_path))
        with pytest.raises(SignalError, match="JSON"):
            teacher.generate(["p"])
        assert teacher.generate(["p"]) == ["x"]


def test_probabilities_are_read_where_they_are_told() -> None:
    # e^-1 against e^-2 with e^-3: 0.3679 / (0.3679 + 0.1353 + 0.0498) = 0.6652.
    reply = told("A", ("A", {"A": -1.0, "B": -2.0, " B": -3.0, "C": -0.1}))
    assert choose(reply) == [[pytest.approx(0.6652, abs=1e-4), pytest.approx(0.3348, abs=1e-4)]]


def test_blank_tokens_are_passed_over() -> None:
    reply = told("\nB", ("\n", {"\n": -0.1, "A": -3.0}), ("ĠB", {"ĠB": -0.1, "▁A": -0.1}))
    assert choose(reply) == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("A", [1, 0]),
        (" **B**.", [0, 1]),
        ("Passage A", [1, 0]),
        ("B is better than A", [0, 1]),
        ("Either A or B", None),
        ("neither", None),
        ("AB", None),
    ],
)
def test_without_probabilities_the_text_counts(said: str, expected: list[int] | None) -> None:
    (given,) = choose(text(said))
    assert np.isnan(given).all() if expected is None else given == expected


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {"content": None},
        {"content": [{"token": "B", "top_logprobs": None}]},
        {"content": [{"token": "B", "top_logprobs": [{"token": "B"}, None, {"token": "A", "logprob": "high"}]}]},
        {"content": [{"token": "B", "top_logprobs": [{"token": "A", "logprob": float("nan")}]}]},
        {"content": [{"token": "B", "top_logprobs": [{"token": "no", "logprob": -0.1}]}]},
    ],
)
def test_probabilities_that_make_no_sense_are_passed_over(logprobs: Any) -> None:
    assert choose(text("B", logprobs=logprobs)) == [[0, 1]]


@pytest.mark.parametrize("status", [400, 422])
def test_an_endpoint_that_refuses_probabilities_is_asked_once_for_them(status: int) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        return Reply(status=status, body="logprobs?") if "logprobs" in body else text("A")

    with Server(answer=answer) as server:
        model = endpoint(server, parallel=1)
        assert model.choose(["p", "q"], OPTIONS).tolist() == [[1, 0], [1, 0]]
    assert ["logprobs" in body for body in server.asked] == [True, False, False]


def test_choosing_fails_where_the_request_itself_is_refused() -> None:
    with pytest.raises(SignalError, match="no such model"):
        choose(Reply(status=400, body="no such model"))


@pytest.mark.parametrize(
    "name",
    [
        "endpoint:",
        "endpoint:https://host/v1",
        "endpoint:https://host/v1#",
        "endpoint:ftp://host/v1#m",
        "endpoint:https://user:pass@host/v1#m",
        "endpoint:https://host/v1?key=k#m",
        "endpoint:https://host:port/v1#m",
        "endpoint:https:///v1#m",
    ],
)
def test_names_that_are_no_address(name: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint:https://HOST/v1#MODEL") as error:
        ModelConfig(model=name)
    assert "pass@" not in str(error.value)


def test_an_endpoint_only_chats() -> None:
    with pytest.raises(ValueError, match="chat"):
        ModelConfig(model="endpoint:https://host/v1#m", chat=False)


def test_identity_is_address_and_model() -> None:
    names = ("endpoint:https://h/v1/#m", "endpoint:https://h/v1#m", "endpoint:https://h/v1#n")
    first, second, third = (Endpoint(ModelConfig(model=name)).identity for name in names)
    assert first == second != third


@pytest.fixture(autouse=True)
def quick_exchange() -> Iterator[None]:
    """A test here that takes long waits where it should not."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 5
