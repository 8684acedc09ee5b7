"""Performance with late labels: estimates before outcomes, early reads, the truth as it matures.

From a score log, and a marketplace that was prepared::

    key = LogKey("credit_score", version, Population.applications, period)
    known = outcomes_of_marketplace(lake / "marketplace", {name: DEFINITIONS[name] for name in (early, full)}, as_of)
    report = measure_performance(
        pd.concat([log.decisions(replace(key, period=one)) for one in log.periods(key.model, key.version, population)]),
        early=known.outcomes[early],
        full=known.outcomes[full],
        kept=KeptEstimates(estimates_folder(workspace, key)),
        bands=band_labels(policy.bands, policy.scale),
        vintages=known.vintages[full],
    )
"""
