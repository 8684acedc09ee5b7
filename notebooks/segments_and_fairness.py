# %% [markdown]
# # Segments and fairness
#
# Younger applicants are approved less often. Is that risk, or does the model treat them worse than it should? Real
# German credit data: age and sex are protected, so no feature uses them, and they are kept for this question.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipelines.applications.sources import german_credit_path
from thinfile import promote, score, tune, watch

folder = Path(tempfile.mkdtemp())
workspace = folder / "workspace"
table = pd.read_csv(german_credit_path()).assign(application_id=[f"G{row:04d}" for row in range(1_000)])
table.head(800).to_csv(folder / "past.csv", index=False)
table.tail(200).drop(columns="creditability").to_csv(folder / "month.csv", index=False)
roles = ["data=german_credit", "data.id=application_id", "data.segments=[housing]"]
learn = {"data.path": folder / "past.csv", "workspace": workspace}
policy = ["policy.fairness.minimum_group=30", "policy.fairness.bands={age_in_years:[25,35,50]}"]
model = tune(*roles, *policy, "candidate=scorecard", trials=5, **{"split.test": 0.5}, **learn)
judged = promote(*policy, workspace=workspace)
groups = judged.groups
groups[["rows", "enough", "approval_rate", "impact_ratio", "expected_to_observed"]]

# %% [markdown]
# ## Who is approved, and is it founded in risk?
# Left: the approval rate of each age group. Right: expected over observed defaults. A group whose interval contains 1
# may be as risky as it is scored; above 1 the model overstates its risk, below 1 it understates it. Here the youngest
# are approved least often, and default more often than expected: their low rate is no unfairness of the score.

# %%
ages = groups.loc["age_in_years"]
ages = ages[ages["enough"].astype(bool)]
ages = ages.loc[sorted(ages.index, key=lambda level: ("under 25" not in level, level))]
places = np.arange(len(ages))
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True)
for axes, name, low, high in (
    (left, "approval_rate", "low", "high"),
    (right, "expected_to_observed", "eo_low", "eo_high"),
):
    axes.errorbar(ages[name], places, xerr=[ages[name] - ages[low], ages[high] - ages[name]], fmt="o", capsize=3)
right.axvline(1, color="0.4", linewidth=1)
left.set(title="approval rate", xlim=(0, 0.5))
left.set_yticks(places, [f"age {level} ({rows})" for level, rows in ages["rows"].items()])
right.set(title="expected / observed defaults")
figure.tight_layout()

# %% [markdown]
# ## Do the gates agree?
# A policy sets what differs too much. The gates answer passed, failed or not measured, and a group of fewer than
# `policy.fairness.minimum_group` applications is never judged by its figures.

# %%
by_group = [gate for gate in judged.frame.index if "group" in gate or "impact" in gate or "difference" in gate]
judged.frame.loc[by_group, ["answer", "sentence"]]

# %% [markdown]
# ## And in production?
# Segments are what drift is reported by, month by month. This month is drawn from the same applications, so nothing may
# have moved: the report compares every segment, and says which were too small to be compared.

# %%
month = score(*roles, period="2026-01", workspace=workspace, **{"data.path": folder / "month.csv"})
report = watch(period="2026-01", workspace=workspace)
rows = month.frame.assign(housing=table.set_index("application_id")["housing"])
by_housing = rows.groupby("housing").agg(
    applications=("pd", "size"), mean_pd=("pd", "mean"), points=("points", "median")
)
print("verdict:", report.verdict)
by_housing
