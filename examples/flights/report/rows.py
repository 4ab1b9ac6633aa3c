"""Prints how many flights of each month are in the database."""

import os

import duckdb

MONTHS = "SELECT month, count(*) FROM flights GROUP BY ALL ORDER BY ALL"

with duckdb.connect(os.environ["REPORT_DATABASE"], read_only=True) as database:
    months = database.execute(MONTHS).fetchall()

for month, flights in months:
    print(f"2013-{month:02d}: {flights} flights")
print(f"all: {sum(flights for _, flights in months)} flights")
