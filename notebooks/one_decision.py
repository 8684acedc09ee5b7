# %% [markdown]
# # One decision, from purchases to reason and offer
#
# Why was this customer approved and that one not, and on what terms? Two customers of a **simulated** marketplace, from
# their orders to the score, the reasons and the offer. None of them is a person.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from thinfile import prepare, promote, score, simulate, tune

workspace = Path(tempfile.mkdtemp()) / "workspace"
here = {"workspace": workspace}
market = simulate(customers=12_000, **here)
prepared = prepare("features=short", **{"loan.as_of": market.as_of}, **here)
model = tune("data=marketplace", "candidate=hist_gradient_boosting", trials=2, **here)
print("promotion:", promote("policy.approve_from=600", **here).decision)
decided = score("data=marketplace", period="2025-11", **{"data.path": prepared.applications}, **here)
decided

# %% [markdown]
# ## Their purchases
# All that is known of them before they apply: the orders before the line, never the one that the loan pays for.

# %%
rows = decided.frame
applications = pd.read_parquet(prepared.applications)
applications = applications.set_index(applications["application_id"].astype(str)).loc[rows.index]
known = rows[applications["orders_180d"] >= 4]
chosen = {"approved": known["points"].idxmax(), "declined": known["points"].idxmin()}
orders = pd.read_parquet(market.folder / "orders")
figure, panels = plt.subplots(2, 1, figsize=(7, 4), sharex=True)
for axes, (outcome, name) in zip(panels, chosen.items(), strict=True):
    asked = applications.loc[name, "applied_at"]
    mine = orders[orders["customer_id"] == applications.loc[name, "customer_id"]]
    mine = mine[mine["ordered_at"].between(asked - pd.Timedelta(days=365), asked)]
    axes.vlines(mine["ordered_at"], 0, mine["amount"] / 100, color=f"C{outcome == 'declined':d}", linewidth=2)
    axes.axvline(asked, color="0.3", linestyle="--")
    axes.set(title=f"application {name}: {outcome}, {rows.loc[name, 'points']} points", ylabel="amount of the order")
figure.tight_layout()

# %% [markdown]
# ## What the model makes of them
# The purchases become features, known strictly before the application. The score is on a scale where 50 points double
# the odds of repaying, and the policy approves from 600 points on.

# %%
features = ["orders_30d", "orders_90d", "orders_180d", "days_since_last_order", "mean_order_180d"]
shown = applications.loc[list(chosen.values()), [name for name in features if name in applications]].T
shown.columns = list(chosen)
shown

# %%
figure, axes = plt.subplots(figsize=(7, 2.8))
axes.hist(rows["points"], bins=40, color="0.8")
axes.axvline(600, color="0.3", linestyle="--")
for colour, (outcome, name) in zip(("C0", "C1"), chosen.items(), strict=True):
    axes.axvline(rows.loc[name, "points"], color=colour, linewidth=2, label=outcome)
axes.legend()
axes.set(title=f"{len(rows)} applications of November (simulated)", xlabel="points", ylabel="applications")
figure.tight_layout()
rows.loc[list(chosen.values()), ["points", "pd", "band", "decision"]]

# %% [markdown]
# ## The reason
# Who is not approved is told why, in words of the features that cost the most points.

# %%
for reason in rows.loc[chosen["declined"], "reasons"]:
    print("-", reason)

# %% [markdown]
# ## The offer
# Each term has its own price, because risk grows with its length. A longer term has smaller payments and costs more.

# %%
offer = decided.offer(chosen["approved"], amount=60_000)
terms = pd.DataFrame(offer.told()["terms"]).set_index("term")
figure, axes = plt.subplots(figsize=(6.4, 3))
terms["instalment"].div(100).plot.bar(ax=axes, color="C0", rot=0)
axes.set(title=f"{offer.outcome.value}: {offer.amount / 100:,.0f} over", xlabel="months", ylabel="a month")
figure.tight_layout()
terms[["instalment", "rate", "apr", "total"]]
