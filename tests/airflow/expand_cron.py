"""Run by an Airflow's Python: reads a JSON list of cron expressions from standard input, writes the
values that Airflow's cron library finds in each of their fields. "*" stands for all of them."""

import json
import sys

from croniter import croniter

answer = []
for cron in json.load(sys.stdin):
    fields, nth = croniter.expand(cron)
    croniter(cron, 1_700_000_000.0).get_next()
    days = {str(day): sorted(map(str, weeks)) for day, weeks in nth.items()}
    answer.append({"fields": fields, "nth": days})
json.dump(answer, sys.stdout)
