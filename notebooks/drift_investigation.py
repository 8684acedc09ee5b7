# %% [markdown]
# # A drift investigation, from alarm to cause
#
# The reports of August and September raise the alarm. What moved, since when, and is it the customers or the data? On a
# **simulated** marketplace, because there the answer is known: from August on younger shoppers join through a new
# channel, and the payment method of orders is no longer delivered.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from thinfile import prepare, promote, score, simulate, tune, watch

workspace = Path(tempfile.mkdtemp()) / "workspace"
here = {"workspace": workspace}
market = simulate("scenarios=[mix_shift,data_fault]", customers=12_000, months=45, from_month="2025-08", **here)
prepared = prepare("loan=dpd30_at_3_mob", "features=short", **{"loan.as_of": market.as_of}, **here)
model = tune("data=marketplace", "candidate=hist_gradient_boosting", trials=2, **here)
print("promotion:", promote("policy.approve_from=600", **here).decision)
prepared.frame[prepared.frame["applications"] > 0]

# %% [markdown]
# ## Since when?
# Five months are scored and watched in order, as in production. The score is one number per month, and its PSI to the
# model's development sample shows when it left its usual range.

# %%
months = pd.period_range("2025-05", "2025-09", freq="M").astype(str)
reports = {}
for month in months:
    score("data=marketplace", period=month, **{"data.path": prepared.applications}, **here)
    reports[month] = watch(period=month, **here)
compared = pd.concat({month: report.frame for month, report in reports.items()}, names=["month"]).reset_index("month")
whole = compared[compared["segment"] == "all"]
largest = whole[whole["month"] == months[-1]].nlargest(5, "psi")["column"]
figure, axes = plt.subplots(figsize=(6.8, 3.6))
for column in largest:
    rows = whole[whole["column"] == column].set_index("month")["psi"].reindex(months)
    axes.plot(months, rows, marker="o", label=column)
axes.set(ylabel="PSI against development", title="The five largest moves of September, month by month (simulated)")
axes.legend(fontsize=8)
figure.tight_layout()
pd.Series({month: report.verdict for month, report in reports.items()}, name="verdict").to_frame()

# %% [markdown]
# ## Is it the data or the customers?
# Faults of the data come first: a source that is broken moves columns too, and no retraining repairs it.

# %%
alarm = reports[months[-1]]
for fault in alarm.faults:
    print(f"{fault['kind']}: {fault['seen']} {fault['cause']}\n    to do: {fault['remedy']}")
print("causes:", ", ".join(alarm.causes))
alarm

# %% [markdown]
# ## What do the moves look like?
# Left a column of the broken source: no order has a payment method, so every share is 0 or missing. Right the largest
# move that the fault does not explain: customers who registered lately. The bins were frozen with the model; grey is
# its development sample, orange September.

# %%
features = alarm.frame[(alarm.frame["role"] == "feature") & (alarm.frame["segment"] == "all")]
unexplained = features[~features["column"].str.startswith("paid_by_")]
chosen = [alarm.faults[0]["column"], unexplained.nlargest(1, "psi")["column"].item()]
figure, both = plt.subplots(1, 2, figsize=(7.6, 3.4))
for axes, column in zip(both, chosen, strict=True):
    alarm.bins(column).plot.barh(ax=axes, color=["0.75", "C1"], width=0.8, legend=axes is both[0])
    axes.set(title=column, xlabel="share of the applications (simulated)")
figure.tight_layout()

# %% [markdown]
# ## What does it do to the business?
# Approvals and mean PD of the month beside those of development. The order of work: repair the source and score again,
# then see whether the new customers remain in the report; only they may call for a retraining.

# %%
for report in (reports[months[0]], alarm):
    effect = report.effect
    print(f"approved {effect['approval_rate']:.0%}, expected {effect['reference_approval_rate']:.0%};", end=" ")
    print(f"mean PD {effect['mean_pd']:.1%}, expected {effect['reference_mean_pd']:.1%}")
print("open", alarm.report)
