# %% [markdown]
# # A first experiment
#
# Know the applications, launch an experiment, read its report. Real German credit data: 1,000 applications, 30% bad.
# Run it cell by cell in an editor that knows percent-format notebooks, or whole as a script.

# %%
import json
import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd

from pipelines.applications.sources import german_credit_path
from pipelines.reading.frames import read_frame
from pipelines.reading.settings import ReadingSettings

workspace = Path(os.environ.get("THINFILE_WORKSPACE", "workspace")).resolve()


def thinfile(*words: str) -> dict:
    """Run a verb as in a shell and return its answer."""
    command = [sys.executable, "-m", "thinfile", *words, f"workspace={workspace}", "output=json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout)


# %% [markdown]
# ## Know the applications
# Who defaults? The bad rate by checking account already says a lot, so a model has something to learn.

# %%
applications = read_frame(german_credit_path(), ReadingSettings(), workspace).rows
is_bad = applications["creditability"].eq("bad")
by_account = is_bad.groupby(applications["status_of_existing_checking_account"]).agg(["size", "mean"])
print(by_account.rename(columns={"size": "applications", "mean": "bad rate"}).round(3))

# %% [markdown]
# ## Launch an experiment
# Each command asks one question. Asked again in the same workspace it answers from the record.

# %%
experiment = thinfile("tune", "candidate=scorecard", "trials=5")
auc = experiment["test"]["measures"]["auc"]
print(f"version {experiment['version']}: test AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")

# %% [markdown]
# ## Read its points
# A scorecard is a table that people can check: points add up, more points are better.

# %%
mlflow.set_tracking_uri(f"sqlite:///{workspace}/mlflow.db")
folder = mlflow.artifacts.download_artifacts(f"models:/{experiment['model']}/{experiment['version']}")
points = pd.read_csv(f"{folder}/points_table.csv")
print(points.head(12).to_string(index=False))

# %% [markdown]
# ## Promote it, score a month, read the report
# Here the month is the whole table, so most of it is what the model learnt from: the report must find no drift.

# %%
print("promotion:", thinfile("promote")["decision"])
print("scored:", thinfile("score", "data=german_credit", "period=2026-01")["scored"])
report = thinfile("watch", "period=2026-01")
print("verdict:", report["verdict"], "- open", report["report"])
