"""Performance with late labels: estimates before outcomes, early reads, outcomes as they mature.

From a score log and a prepared marketplace::

    key = LogKey("credit_score", version, Population.applications, period)
    outcomes = outcomes_of_marketplace(lake / "marketplace", {name: DEFINITIONS[name] for name in (early, full)}, as_of)
    report = measure_performance(
        pd.concat([log.decisions(replace(key, period=one)) for one in log.periods(key.model, key.version, population)]),
        early=outcomes.outcomes[early],
        full=outcomes.outcomes[full],
        stored=StoredEstimates(estimates_folder(workspace, key)),
        bands=band_labels(policy.bands, policy.scale),
        vintages=outcomes.vintages[full],
    )
"""
