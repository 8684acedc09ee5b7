"""An opponent's program gets the rows that it is given, and libraries that it calls still draw their own."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests.benchmarks.opponents.systems import GIVEN_SPLIT

PROGRAM = """
import json, sys
import pandas as pd
from sklearn.model_selection import train_test_split
frame = pd.read_parquet(sys.argv[1])
label = frame.pop("bad")
x, x_test, y, y_test = train_test_split(frame, label, test_size=0.3, stratify=label, random_state=0)
drawn, _ = train_test_split(frame, test_size=0.5, random_state=0)
print(json.dumps([x.x.tolist(), y_test.tolist(), sys.argv[2:], len(drawn), x_test.x.tolist()]))
"""


def test_the_first_split_is_the_given_one(tmp_path: Path) -> None:
    pd.DataFrame({"x": range(10), "bad": [0, 1] * 5}).to_parquet(tmp_path / "rows.parquet")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    words = [sys.executable, str(GIVEN_SPLIT), "7", str(program), str(tmp_path / "rows.parquet"), "--seconds", "60"]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == [list(range(7)), [1, 0, 1], ["--seconds", "60"], 5, [7, 8, 9]]
