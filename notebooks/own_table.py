# %% [markdown]
# # Your own table
#
# Can a lender's file be used as it is? Here is one as many systems export it: semicolons, decimal commas, days first,
# the code -9 for "no answer", outcomes in words. The applications are the 1,000 real ones of the German credit data;
# ids and dates are made up, because the data set has none.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from pipelines.applications.sources import german_credit_path
from thinfile import RequestError, promote, score, tune

folder = Path(tempfile.mkdtemp())
table = pd.read_csv(german_credit_path())
days = pd.to_datetime("2024-01-01") + pd.to_timedelta(np.arange(1_000) * 2 // 3, unit="D")
file = pd.DataFrame(
    {
        "application": [f"A-{row:05d}" for row in range(1_000)],
        "received": days.strftime("%d.%m.%Y"),
        "amount": table["credit_amount"].map("{:.2f}".format).str.replace(".", ",", regex=False),
        "months": table["duration_in_month"],
        "checking": table["status_of_existing_checking_account"],
        "savings": table["savings_account_and_bonds"],
        "history": table["credit_history"],
        "years_here": table["present_residence_since"].where(np.arange(1_000) % 9 > 0, -9),
        "age": table["age_in_years"],
        "outcome": table["creditability"].map({"bad": "in arrears", "good": "repaid"}),
    }
)
is_past = days < "2025-10-01"
file[is_past].to_csv(folder / "past.csv", sep=";", index=False)
file[~is_past].drop(columns="outcome").to_csv(folder / "october.csv", sep=";", index=False)
file.head(4)

# %% [markdown]
# ## Say what the file does not say
# Whatever is missing or does not fit is named, with the setting that answers it. Nothing has been written by then.

# %%
workspace = folder / "workspace"
roles = ["data=table", "data.id=application", "data.time=received", "data.date_format=%d.%m.%Y", "data.protected=[age]"]
roles += ['data.decimal=","', "data.special={years_here:[-9]}"]
learn = {"data.path": folder / "past.csv", "data.label": "outcome", "workspace": workspace}
try:
    tune(*roles, "candidate=scorecard", trials=5, **learn)
except RequestError as error:
    print(error)

# %%
learn["data.bad"] = "in arrears"
bands = "policy.fairness.bands={age:[25,40,62]}"
model = tune(*roles, bands, "candidate=scorecard", trials=5, **learn)
model

# %% [markdown]
# ## Do the probabilities hold?
# The test part are the latest applications. Each point is a tenth of them: where its bar crosses the diagonal, as many
# defaulted as the model expected.

# %%
curve = pd.DataFrame(model.answer["test"]["curve"])
bars = [curve["observed"] - curve["low"], curve["high"] - curve["observed"]]
figure, axes = plt.subplots(figsize=(6.4, 4))
axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
axes.errorbar(curve["predicted"], curve["observed"], bars, fmt="o", capsize=3)
axes.set(xlabel="expected share of defaults", ylabel="observed share, with 95% interval", xlim=(0, 0.9), ylim=(0, 1))
axes.set_title(f"Calibration on {model.answer['test']['rows']} later applications")
figure.tight_layout()

# %% [markdown]
# ## Decide a month
# The policy approves from 550 points on. Those who are not approved get reasons, in the order of their weight.

# %%
print("promotion:", promote(bands, workspace=workspace).decision)
month = score(*roles, period="2025-10", workspace=workspace, **{"data.path": folder / "october.csv"})
month.frame[["points", "pd", "band", "decision", "reasons"]].head(6)
