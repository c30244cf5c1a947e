"""Parent and child of a fork: added up over both, each call is there once.

3 calls before the fork; 2 in the child: the parent answers 3, the child 2.
"""

import os

from probe import begin, end, expect_calls, profiled


@profiled("f")
def f():
    pass


begin()
f(), f(), f()
if (child := os.fork()) == 0:
    f(), f()
    end()
    expect_calls("f", 2, ", in the child")
    os._exit(0)
os.waitpid(child, 0)
end()
expect_calls("f", 3, ", in the parent")
