"""The decorator may stand above @staticmethod and @classmethod, too."""

from probe import expect, expect_calls, profiled, recording


class Tools:
    @profiled("static")
    @staticmethod
    def static(value):
        return value

    @profiled("of_class")
    @classmethod
    def of_class(cls):
        return cls


with recording():
    answers = [Tools().static(2), Tools.static(2), Tools().of_class(), Tools.of_class()]

expect("what they return", True, answers == [2, 2, Tools, Tools])
expect_calls("static", 2)
expect_calls("of_class", 2)
