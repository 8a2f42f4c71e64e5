"""The testing teacher with a fault."""

import random

import numpy as np

from harness.testing.teachers import OverlapTeacher


class Wrong(OverlapTeacher):
    """Every signal by shared words; a fault of one signal is in no other."""

    def __init__(self, config, context):
        self.fault, self.length, self.built = config.fault, config.length, random.random()
        self.identity = {
            "identity empty": " ",
            "identity differs": f"wrong {self.built}",
            "identity leaves an option out": "wrong",
        }.get(self.fault, f"wrong {config.length}")
        if self.fault == "lacks judge":
            self.judge = None

    def score(self, pairs):  # noqa: PLR0911 - one branch a fault
        if self.fault == "fails without pairs" and not pairs:
            raise ValueError("need at least one array to concatenate")
        scores = OverlapTeacher().score(pairs)
        match self.fault:
            case "score nan":
                scores[0:1] = np.nan
            case "score nan on empty text":
                scores[[not document.content for _, document in pairs]] = np.nan
            case "score count":
                return scores[:-1]
            case "score list":
                return scores.tolist()
            case "score column":
                return scores[:, None]
            case "score normalised over the batch":
                return scores / max(1, scores.max(initial=0)) if len(scores) < 10 else scores * 2
            case "score depends on order":
                return scores + np.arange(len(scores), dtype=np.float32)
            case "score unseeded":
                return scores + np.float32(self.built)
        return scores

    def prefer(self, triples):
        chances = OverlapTeacher().prefer(triples)
        match self.fault:
            case "prefer above 1":
                return chances * 2
            case "prefer has a position bias":
                return np.minimum(chances * np.float32(1.1), 1)
        return chances

    def order(self, query, docs):
        order = OverlapTeacher().order(query, docs)
        return {"order repeats": np.zeros_like(order), "order short": order[:-1]}.get(self.fault, order)

    def embed(self, texts, role):
        vectors = super().embed(texts, role)
        return vectors[:, :32] if self.fault == "embed dimensions" and role == "query" else vectors

    def features(self, pairs):
        hidden = OverlapTeacher().features(pairs)["hidden"]
        return {"hidden": hidden[:1] if self.fault == "features of one pair" else hidden}

    def generate(self, prompts):
        return [None for _ in prompts] if self.fault == "generate none" else super().generate(prompts)

    def judge(self, pairs):
        grades = OverlapTeacher().judge(pairs)
        return grades.astype(np.float32) if self.fault == "judge float" else grades
