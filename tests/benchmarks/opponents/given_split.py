"""Runs an opponent's program, unmodified, on a given split instead of the random one that it draws.

    python given_split.py ROWS PROGRAM [arguments of the program]
The program's file has the ROWS of the development part first, then those of the test part. The first call of
scikit-learn's `train_test_split`, which is the program's own, returns these two parts; later ones are scikit-learn's.
"""

import runpy
import sys
from typing import Any

import sklearn.model_selection

DRAW = sklearn.model_selection.train_test_split


def main() -> None:
    """Run the program that the arguments name."""
    development, program = int(sys.argv[1]), sys.argv[2]
    is_given = [False]

    def given_split(*tables: Any, **settings: Any) -> list[Any]:
        if is_given[0]:
            return DRAW(*tables, **settings)
        is_given[0] = True
        return [part for table in tables for part in (table.iloc[:development], table.iloc[development:])]

    sklearn.model_selection.train_test_split = given_split
    sys.argv = [program, *sys.argv[3:]]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
