-- One process at a time creates or migrates the tables. The number means nothing but this.
SELECT pg_advisory_xact_lock(7020385203462738280)
