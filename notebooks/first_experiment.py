# %% [markdown]
# # A first experiment
#
# From applications to a scorecard, a promotion, scores and a report, on the real German credit data: 1,000
# applications, 30% bad. Run it cell by cell in an editor that knows percent-format notebooks, or whole as a script.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from pipelines.applications.sources import german_credit_path
from thinfile import promote, score, tune, watch

workspace = Path(os.environ.get("THINFILE_WORKSPACE", "workspace")).resolve()

# %% [markdown]
# ## Know the applications
# Who defaults? The bad rate by checking account differs fourfold, so a model has something to learn.

# %%
applications = pd.read_csv(german_credit_path())
account = applications["status_of_existing_checking_account"]
rates = applications["creditability"].eq("bad").groupby(account).mean().sort_values()
figure, axes = plt.subplots(figsize=(6.4, 2.2))
axes.barh(rates.index, rates)
axes.bar_label(axes.containers[0], fmt="{:.0%}", padding=3)
axes.set(title="Share of bad applications by checking account", xlim=(0, 0.6))
figure.tight_layout()

# %% [markdown]
# ## Launch an experiment
# Verbs are functions, with overrides as on a command line. Called again in the same workspace they answer from the
# record.

# %%
experiment = tune("candidate=scorecard", trials=5, workspace=workspace)
experiment

# %% [markdown]
# ## Let the gates judge it
# Each gate reads one record of evidence, and the ledger keeps the decision.

# %%
promotion = promote(workspace=workspace)
promotion

# %% [markdown]
# ## Read its points
# A scorecard is a table that people can check: points add up, more points are better. It is kept beside the document of
# the version.

# %%
points = pd.read_csv(promotion.document.with_name("points_table.csv"))
points.head(8)

# %% [markdown]
# ## Score a month, read the report
# Here the month is the whole table, most of which the model learnt from: the report must find no drift. The dashed line
# is where the policy begins to approve.

# %%
month = score("data=german_credit", period="2026-01", workspace=workspace)
figure, axes = plt.subplots(figsize=(6.4, 2.6))
axes.hist(month.frame["points"], bins=40, color="0.75")
axes.axvline(550, color="0.3", linestyle="--")
axes.set(title=f"{month.scored:,} applications", xlabel="points", ylabel="applications")
figure.tight_layout()

# %%
report = watch(period="2026-01", workspace=workspace)
print("verdict:", report.verdict, "- open", report.report)
