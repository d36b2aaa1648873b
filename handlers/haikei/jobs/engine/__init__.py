"""The job engine: durable tasks, workers, recovery. DBOS behind a narrow port."""
