"""The job engine on DBOS Transact."""
