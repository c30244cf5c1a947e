"""The command line of kernprof, put into the words that click reads."""

import click

#: What may stand behind a switch, in small letters.
_ANSWERS = ("0", "off", "f", "false", "n", "no", "1", "on", "t", "true", "y", "yes")


class Number(click.Option):
    """An option that takes a whole number, and is 1 without."""


class KernprofCommand(click.Command):
    """A command whose options end with the program: a script, "-", or -m or -c and what follows.

    Long switches may be followed by a word for yes or no: "--rich no".
    """

    def parse_args(self, ctx, args):
        return super().parse_args(ctx, self._in_order(list(args)))

    def _in_order(self, words):
        """The options as click has them, then "--", and the program's words."""
        named = {name: param for param in self.params if isinstance(param, click.Option)
                 for name in (*param.opts, *param.secondary_opts)}
        options = []
        while words and words[0].startswith("-") and words[0] not in ("-", "--"):
            word = words.pop(0)
            names = _names(word, named)
            if names is None:
                options.append(word)  # click says that there is no such option
                continue
            *switches, (name, value) = names
            options += [name for name, _ in switches]
            param = named[name]
            if _is_switch(param) and name[:2] == "--":
                options.append(_spelled(param, name, _answer(name, value, words)))
            elif param.is_flag or param.count:
                options.append(word if value is not None and name[:2] == "--" else name)
            elif isinstance(param, Number):
                is_next = value is None and words and words[0].isdecimal()
                options += [name, words.pop(0) if is_next else value or "1"]
            else:
                if value is None and (not words or words[0] == "--"):
                    raise click.BadOptionUsage(name, f"Option {name!r} requires an argument.")
                options += [name, words.pop(0) if value is None else value]
            if name in ("-m", "-c"):
                return [*options, "--", *words]
        if words[:1] == ["--"]:
            del words[0]
        elif words[1:2] == ["--"]:
            del words[1]
        return [*options, "--", *words]


def _names(word, named):
    """[(option, value or None)] that are meant by a word; None for what is no option."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return [(name, value if equals else None)] if name in named else None
    found = []
    for at, letter in enumerate(word[1:], 2):
        param = named.get(f"-{letter}")
        if param is None:
            return None
        takes_value = not (param.is_flag or param.count)
        found.append((f"-{letter}", (word[at:] or None) if takes_value else None))
        if takes_value:
            break
    return found


def _is_switch(param):
    return param.is_bool_flag and param.secondary_opts


def _answer(name, value, words):
    """What is said behind a switch, yes where nothing is."""
    from ..line_profiler.cli_utils import boolean

    if value is None:
        return boolean(words.pop(0)) if words and words[0].lower() in _ANSWERS else True
    try:
        return boolean(value)
    except ValueError:
        raise click.UsageError(f"{name} takes yes or no, got {value!r}") from None


def _spelled(param, name, answer):
    """The switch in the spelling that says so."""
    is_yes = answer is (name in param.opts)
    return next(option for option in (param.opts if is_yes else param.secondary_opts)
                if option[:2] == "--")
