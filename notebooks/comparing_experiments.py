# %% [markdown]
# # Comparing experiments
#
# A scorecard is in production. Are boosted trees, or the scorecard without the checking account, good enough to replace
# it? Three experiments on the real German credit data, compared on the same rows, then judged by the gates.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from thinfile import compare, promote, tune

workspace = Path(tempfile.mkdtemp()) / "workspace"
shared = {"data": "german_credit", "workspace": workspace}
scorecard = tune("candidate=scorecard", trials=6, experiment_name="scorecard", **shared)
print("promotion of the scorecard:", promote(workspace=workspace).decision)
leaner = tune(
    "candidate=scorecard",
    leave_out=["status_of_existing_checking_account"],
    trials=6,
    experiment_name="without_checking_account",
    **shared,
)
trees = tune("candidate=hist_gradient_boosting", trials=6, experiment_name="boosted_trees", **shared)
versions = compare(workspace=workspace)
versions

# %% [markdown]
# ## How far apart are they?
# Each AUC with its 95% interval on the test part. Intervals that overlap widely are a warning, but no answer: the
# models scored the same applications, so their difference is known better than either figure.

# %%
names = {one["version"]: one["experiment"].replace("_", " ") for one in versions.versions}
frame = versions.frame.sort_index(ascending=False)
places = np.arange(len(frame))
bars = [frame["test_auc"] - frame["test_auc_low"], frame["test_auc_high"] - frame["test_auc"]]
figure, axes = plt.subplots(figsize=(6.4, 2.4))
axes.errorbar(frame["test_auc"], places, xerr=bars, fmt="o", capsize=3)
axes.set_yticks(places, [f"{number}  {names[number]}" for number in frame.index])
axes.set(xlabel="test AUC", title="Three experiments", ylim=(-0.6, len(frame) - 0.4))
figure.tight_layout()

# %% [markdown]
# ## Would the boosted trees be promoted?
# The gates compare challenger and champion application by application. Here is what they say, and the paired difference
# that decides: its whole interval would have to be above zero.

# %%
judged = promote(version=trees.version, workspace=workspace)
judged.frame[["answer", "sentence"]]

# %%
difference = judged.answer["evidence"]["difference"]
print(f"{judged.decision}: AUC {difference['auc']:+.3f}, from {difference['low']:+.3f} to {difference['high']:+.3f}")

# %% [markdown]
# ## What would change for applicants?
# Two models of nearly the same AUC can approve different people. The swap set counts them: those whom only one of the
# two approves.

# %%
swap = judged.answer["evidence"]["swap_set"]
counts = pd.Series(
    {
        "both approve": swap["agree_approved"],
        "both decline": swap["agree_declined"],
        "only the champion": swap["newly_declined"]["rows"],
        "only the challenger": swap["newly_approved"]["rows"],
    }
)
figure, axes = plt.subplots(figsize=(6.4, 2.2))
axes.barh(counts.index, counts, color=["0.75", "0.75", "C1", "C0"])
axes.bar_label(axes.containers[0], padding=3)
axes.invert_yaxis()
axes.set(title=f"{swap['asked']} test applications", xlabel="applications")
figure.tight_layout()
