"""Which of the statements in a JSON file sqlglot accepts, and the seconds that it takes for those, a number of times.

An answer in JSON: `accepted`, a 1 or a 0 for each statement, and `seconds`, one for each repetition. What sqlglot only keeps
as an unknown command is not accepted.
"""

import json
import logging
import sys
import time

import sqlglot

logging.disable(logging.WARNING)


def accepts(text):
    try:
        trees = sqlglot.parse(text, read="spark")
    except Exception:
        return False
    return bool(trees) and not any(isinstance(tree, sqlglot.exp.Command) for tree in trees)


with open(sys.argv[1], encoding="utf-8") as file:
    statements = json.load(file)
accepted = [accepts(text) for text in statements]
both = [text for text, yes in zip(statements, accepted) if yes]
seconds = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    for text in both:
        sqlglot.parse(text, read="spark")
    seconds.append(time.perf_counter() - began)
print(json.dumps({"accepted": [int(yes) for yes in accepted], "seconds": seconds}))
