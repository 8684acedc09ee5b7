"""The engines that feed tables to the kernels: DuckDB here, Spark at scale."""
