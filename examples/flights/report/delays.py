"""Prints the routes that are late most often."""

import os

import duckdb

WORST_ROUTES = """
    SELECT route, count(*) AS departures, round(100 * avg(late::integer), 1) AS percent_late
    FROM flights GROUP BY ALL HAVING departures >= 100 ORDER BY percent_late DESC, route LIMIT 5
"""

with duckdb.connect(os.environ["REPORT_DATABASE"], read_only=True) as database:
    for route, departures, percent_late in database.execute(WORST_ROUTES).fetchall():
        print(f"{route}: {percent_late}% of {departures} flights more than 15 minutes late")
