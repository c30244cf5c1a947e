"""Methods, static methods, class methods and properties count as functions do, and still work."""

from probe import expect, expect_calls, profiled, recording


class Tools:
    @profiled("plain")
    def plain(self):
        return type(self)

    @staticmethod
    @profiled("static")
    def static(value):
        return value

    @classmethod
    @profiled("of_class")
    def of_class(cls):
        return cls

    @property
    @profiled("value")
    def value(self):
        return 1


with recording():
    tools = Tools()
    answers = [tools.plain(), tools.static(2), Tools.static(2), tools.of_class(), Tools.of_class(),
               tools.value]

expect("what they return", True, answers == [Tools, 2, 2, Tools, Tools, 1])
expect_calls("plain", 1)
expect_calls("static", 2)
expect_calls("of_class", 2)
expect_calls("value", 1)
