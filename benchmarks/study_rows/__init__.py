"""From 1 to 100 million rows in Parquet to scored customers in Parquet, engine by engine."""
