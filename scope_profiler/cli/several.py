"""Options that take several words: `--include a b`, as `--include a --include b`."""

import os

import click


class Several(click.Option):
    """An option that may be repeated, or be followed by several words: all up to the next option, or to
    a file that there is."""

    def __init__(self, *args, **settings):
        super().__init__(*args, multiple=True, **settings)


def by_commas(ctx, param, values):
    """A callback of options: each value may be several with commas between them."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


class ReadingCommand(click.Command):
    """A command with such options."""

    def parse_args(self, ctx, args):
        names = {name for param in self.params if isinstance(param, Several)
                 for name in (*param.opts, *param.secondary_opts)}
        words, option, taken = [], None, 0
        for place, word in enumerate(args):
            if word == "--":
                words += args[place:]
                break
            if word.startswith("-") and len(word) > 1:
                option, taken = (word if word in names else None), 0
            elif option is not None:
                if taken and os.path.exists(word):
                    option = None
                elif taken:
                    words.append(option)
                taken += 1
            words.append(word)
        return super().parse_args(ctx, words)
