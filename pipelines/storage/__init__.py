"""Files and stores: workspace, atomic files, locks, processes, PostgreSQL, fingerprints, chains, Parquet parts."""
