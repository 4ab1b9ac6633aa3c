# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
@imports@

with DAG(
@arguments@
):
@tasks@
