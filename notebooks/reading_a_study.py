# %% [markdown]
# # Reading a study
#
# Was the search worth its time, and can its best figure be believed? A study of two model families on the real German
# credit data, read in three pictures.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from thinfile import compare, tune

workspace = Path(tempfile.mkdtemp()) / "workspace"
families = "candidate.families=[scorecard,hist_gradient_boosting]"
model = tune("data=german_credit", families, trials=16, workspace=workspace)
study = compare(study=model.study, workspace=workspace)
study

# %% [markdown]
# ## What did the search find, and when?
# Each point is a trial, the line the best so far. A line that is flat at the end means that more trials would hardly
# help; the first trials are a fixed portfolio, each family's defaults at its head.

# %%
trials = study.frame
figure, axes = plt.subplots(figsize=(6.4, 3.6))
for family, rows in trials.groupby("family"):
    axes.scatter(rows.index, rows["cv_auc"], s=22, label=family)
axes.step(trials.index, trials["cv_auc"].cummax(), where="post", color="0.4", linewidth=1)
axes.set(xlabel="trial", ylabel="search AUC, mean of the folds", title="The search, trial by trial")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
figure.tight_layout()

# %% [markdown]
# ## Is the best trial really better?
# The difference of each trial from the best one on the same folds, with its 95% interval. An interval that reaches zero
# cannot be told from the best: take the simpler or the cheaper model of those. Here nearly all of them reach it.

# %%
ranked = trials.dropna(subset=["low"]).sort_values("behind").head(12)
bars = [ranked["behind"] - ranked["low"], ranked["high"] - ranked["behind"]]
figure, axes = plt.subplots(figsize=(6.4, 3.8))
places = np.arange(len(ranked))
colours = ranked["is_real"].map({True: "C3", False: "C0"})
axes.errorbar(ranked["behind"], places, xerr=bars, fmt="none", ecolor="0.6", capsize=2)
axes.scatter(ranked["behind"], places, c=colours, s=24, zorder=3)
axes.axvline(0, color="0.4", linewidth=1)
axes.set_yticks(places, [f"{number}  {family}" for number, family in ranked["family"].items()])
axes.invert_yaxis()
axes.set(xlabel="AUC behind the best trial", title="Twelve runners-up (red: really worse)")
figure.tight_layout()
ranked[["family", "cv_auc", "behind", "is_real", "cost"]]

# %% [markdown]
# ## What is left of it on applications that the search never saw?
# The best of many trials looks better than it is. The test part was not used by the search; its interval says how much
# the figure can be worth.

# %%
auc = model.frame.loc["auc"]
figure, axes = plt.subplots(figsize=(6.4, 1.9))
axes.errorbar(auc["value"], 0, xerr=[[auc["value"] - auc["low"]], [auc["high"] - auc["value"]]], fmt="o", capsize=4)
axes.scatter(model.answer["cv_auc"], 1, color="C1", zorder=3)
axes.set_yticks([0, 1], ["test part, 95% interval", "search"])
axes.set(ylim=(-0.6, 1.6), xlabel="AUC", title=f"Version {model.version}: what the search saw, and what it did not")
figure.tight_layout()
print(f"search AUC {model.answer['cv_auc']:.3f}, test AUC {auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})")

# %% [markdown]
# ## Which parameters mattered?
# Shares of the variation of the search AUC within each family. Where one parameter has it all, search its range finer.

# %%
print("whole page of the study:", study.page)
study.importances.T
