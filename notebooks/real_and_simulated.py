# %% [markdown]
# # Real and simulated
#
# Does the simulated marketplace buy as people do? Its orders beside three real purchase logs: CDNOW (music, 1997-98),
# Complete Journey (groceries, 2017) and Online Retail (gifts, 2010-11; left out where its file is missing).

# %%
import os
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import pipelines
from pipelines.features.catalogue import features_of
from pipelines.features.kernel import compute_features
from pipelines.features.settings import FeatureSettings
from thinfile import simulate

sys.path.append(str(Path(pipelines.__file__).resolve().parents[1]))  # the checkout: purchase logs are test material
from tests.evidence.purchase_logs import figures, realism
from tests.evidence.purchase_logs.applicants import with_made_up_applications
from tests.evidence.purchase_logs.cdnow import read_cdnow
from tests.evidence.purchase_logs.complete_journey import read_complete_journey
from tests.evidence.purchase_logs.online_retail import read_online_retail

workspace = Path(os.environ.get("THINFILE_WORKSPACE", "workspace")).resolve()
pictures = workspace / "reports" / "real_and_simulated"
retail = Path(pipelines.__file__).resolve().parents[2] / "shared" / "data" / "online_retail.parquet"

logs = {"CDNOW": read_cdnow().orders, "Complete Journey": read_complete_journey().orders}
if retail.is_file():
    logs["Online Retail"] = read_online_retail(retail).orders
else:
    print("Online Retail is missing: compared without it, and without the share of returns")
logs["simulated"] = pq.read_table(simulate(workspace=workspace).folder / "orders")
for name, orders in logs.items():
    print(f"{name:>17}: {len(orders):>7,} orders of {len(orders['customer_id'].unique()):>6,} customers")

# %% [markdown]
# ## Like with like
# The logs differ in length, so of each only the last year, and in currency, so order values over their median. They
# hold buyers only, so the simulated customers who never order are left out. A simulated quantile *sits among* the real
# ones if it lies between the smallest and the largest of them.

# %%
years = {name: realism.year_of(orders) for name, orders in logs.items()}
simulated = years.pop("simulated")
returns = realism.returns_of(retail) if retail.is_file() else None
compared = realism.compare(years, simulated, returns)
print(pd.DataFrame(compared).round(3).to_string(index=False))

# %%
figures.draw_distributions(pictures / "distributions.png", years, simulated, returns)

# %% [markdown]
# ## The same features, on real purchases
# One kernel computes them for every log. Nobody in the real logs applied for a loan: the applications are made up, at
# random dates in the year's second half, by random customers; so windows longer than half a year are left out.

# %%
shown = ["orders_30d", "orders_90d", "orders_180d", "days_since_last_order", "order_variation_30d"]
shown += ["order_variation_90d", "order_variation_180d", "weekend_share_180d", "mean_order_age_90d"]
shown += ["mean_order_age_180d", "order_time_deviation_90d", "order_time_deviation_180d"]
meaning_of = {feature.name: feature.meaning for feature in features_of(FeatureSettings())}
asked = {name: with_made_up_applications(realism.last_year(orders), 10_000) for name, orders in logs.items()}
features = {name: compute_features(one, FeatureSettings(), lag_days=0).to_pandas() for name, one in asked.items()}
medians = pd.DataFrame({name: table[shown].median() for name, table in features.items()})
medians.round(2)

# %%
figures.draw_features(pictures / "features.png", features, {name: meaning_of[name] for name in shown})

# %%
inside = sum(one.sits_among for one in compared)
print(f"{inside} of {len(compared)} simulated figures sit among the real ones - see {pictures}")
