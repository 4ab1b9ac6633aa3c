# Written by `meltshim airflow generate` from meltano.yml: edit that, not this file.
# ruff: noqa: E501
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="_n_quoted_double_name_coding_latin-1_id_",
    description='Meltano schedule -n \'quoted\' "double" \\ {{ name }} coding: latin-1\n$(id): job \'"""\n{{ job }}',
    schedule="0 6 * * MON",
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "env": {
            "SHLVL": "1",  # without it bash reads ~/.bashrc
            "BRACES": "{{ '{{ x }} {% y %} {# z #}' }}",
            "CR": "{{ 'a\\rb\\r\\n' }}",
            "ENDS": "{{ 'x.sh' }}",
            "HOME DIR": "$HOME `id` $(id) \\ ' \"",
            "LF": "{{ 'a\\nb\\n' }}",
            "RAW": "{{ '{% endraw %} }} %} \\' \\\\\\' \\\\\\\\' }}",
            "ünïcödé": "日本語",
        },
        "append_env": True,
    },
    tags=[
        "meltano",
        "schedule:-n 'quoted' \"double\" \\ {{ name }} coding: latin-1\n$(id)",
        'job:\'"""\n{{ job }}',
    ],
):
    plain_touch_x_touch_y_touch_z = BashOperator(
        task_id="plain_touch_x_touch_y_touch_z",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim run plain \\'$(touch\\' \\'x)\\' \\'`touch\\' \\'y`\\' \\';\\' touch z' }}",
    )
    it_s_quoted_back_slash_new_line_cr_x_y_z_ = BashOperator(
        task_id="it_s_quoted_back_slash_new_line_cr_x_y_z_",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim run \\'it\\'\"\\'\"\\'s\\' \\'\"quoted\"\\' \\'back\\\\slash\\' \\'new\\nline\\' \\'cr\\r\\' \\'{{\\' x \\'}}\\' \\'{%\\' y \\'%}\\' \\'{#\\' z \\'#}\\'' }}",
    )
    ends_in_sh = BashOperator(
        task_id="ends_in_sh",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim run \\'ends-in.sh\\'' }}",
    )
    pass_ends_in_bash = BashOperator(
        task_id="pass_ends_in_bash",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim run pass \\'ends\\'\"\\'\"\\'in.bash\\'' }}",
    )
    _n_c_d_f28aae38 = BashOperator(
        task_id="_n_c_d_f28aae38",
        bash_command="{{ 'cd \\'/srv/a \\'\"\\'\"\\'b\\'\"\\'\"\\' \"c\" {{ d }}\\\\e.sh\\' && exec meltshim run \\'\x01\x7f\x85\u2028\\' \\'ünïcödé\\' \\'日本語\\' \\'😀\\'' }}",
    )

    (
        plain_touch_x_touch_y_touch_z
        >> it_s_quoted_back_slash_new_line_cr_x_y_z_
        >> ends_in_sh
        >> pass_ends_in_bash
        >> _n_c_d_f28aae38
    )
