"""Whatever a project's names and values hold, the command receives exactly that."""

import random

HOSTILE = [
    "",
    " ",
    "  both  ends  ",
    "'",
    '"',
    "it's \"quoted\" '\"'\"'",
    "\\",
    "\\n \\x41 \\u0041 \\N{BULLET} \\' \\\"",
    "a\nb",
    "a\n",
    "\n",
    "\n\n",
    "a\rb",
    "a\r",
    "a\r\n",
    "tab\tand\x0bmore\x0c",
    "".join(chr(code) for code in range(1, 0x20)),
    "\x7f\x80\x85\x9f\xa0\xad",
    "{{ x }}",
    "{{",
    "}}",
    "{% raw %}",
    "{% endraw %} {% for x in y %}",
    "{# a comment #}",
    "{{ '{{' }}' }} {{ \"}}\" }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ var.value.secret }} {{ conn.secret }}",
    "$HOME ${HOME} $(touch pwned) `touch pwned` $((1+1)) $'x'",
    "; touch pwned; && touch pwned | touch pwned > pwned",
    "* ? [a-z] ~ ~root {a,b} !! #comment",
    "-n",
    "--help",
    "%s %d %% %(x)s",
    "run.sh",
    "run.bash",
    "{{ ds }}.sh",
    ".sh",
    "x.sh\n",
    "ünïcödé",
    "日本語 \U0001f600 \u202e\u2028\u2029\ufeff\u0301",
    '""" \'\'\' """',
    "# -*- coding: latin-1 -*-",
    "\\" * 7 + "'" * 5 + '"' * 3,
    "x" * 100_000,
]
# Meltano splits the tasks of a job at blanks, so no word of a command can hold one.
WORDS = [text.replace(" ", "_") for text in HOSTILE if text.strip(" ") and len(text) < 1000]


def a_name_for(number: int) -> str:
    return f"VALUE_{number}"


def random_texts(count: int) -> list[str]:
    source = random.Random(20240101)
    pieces = ["{", "}", "{{", "}}", "{%", "%}", "{#", "#}", "'", '"', "\\", "\n", "\r", " ", "\t",
              "$", "`", "(", ")", ";", "&", "|", "a", "é", "\u2028", "\x01", ".sh", ".bash", "-",
              "raw", "endraw", "set", "x", "%", "#", "!", "~", "*"]
    return ["".join(source.choices(pieces, k=source.randrange(1, 12))) for _ in range(count)]


def test_variables_and_words_arrive_as_the_project_has_them(make_project, reader):
    texts = HOSTILE + random_texts(300)
    env = {a_name_for(number): text for number, text in enumerate(texts)}
    env |= {"blanks in name": "1", "é": "2", "1x": "3", "quote'\"$`": "4", "{{ x }}": "5"}
    project = make_project({
        "jobs": [{"name": "job", "tasks": [WORDS, *[["last", word] for word in WORDS]]}],
        "schedules": [{"name": "s", "interval": "@daily", "job": "job", "env": env,
                       "annotations": {"meltshim": {"airflow": {"dependencies": "none"}}}}],
    }, name="it's a {{ project }} \"in\" $HOME `pwd`\\ .sh")
    project.generate()

    result = reader.run(project.dags)
    assert result["errors"] == {}
    assert result["dags"]["s"]["state"] == "success"
    records = project.records()
    assert len(records) == 1 + len(WORDS)
    expected = [["run", *WORDS], *[["run", "last", word] for word in WORDS]]
    assert sorted(record["argv"] for record in records) == sorted(expected)
    for record in records:
        assert record["cwd"] == str(project.root)
        assert record["env"]["SHLVL"] == "1"
        assert record["env"]["AIRFLOW_CTX_DAG_ID"] == "s"
        # No bash stays between the two: Airflow's signals reach the program.
        assert record["parent"] != "bash"
        assert {name: record["env"].get(name) for name in env} == env
    assert not list(project.root.glob("pwned*")) and not list(reader.home.glob("pwned*"))


def test_names_of_schedules_arrive_as_they_are(make_project, reader):
    names = [
        "it's \"quoted\" $(touch pwned) `touch pwned`",
        "back\\slash\\",
        "two\nlines\n",
        "cr\r\n",
        "{{ x }} {% raw %} {# c #}",
        "a run.sh",
        ".bash",
        "-n",
        "# coding: latin-1",
        '""" \'\'\'',
        "日本語 \U0001f600\u2028",
    ]
    project = make_project({
        "schedules": [
            {"name": name, "interval": "@manual", "extractor": name, "loader": "target",
             "transform": "skip",
             "annotations": {"meltshim": {"airflow": {"dag_id": f"dag_{number}"}}}}
            for number, name in enumerate(names)
        ],
    })
    project.generate()

    result = reader.run(project.dags)
    assert result["errors"] == {}
    assert {dag["state"] for dag in result["dags"].values()} == {"success"}
    words = sorted(record["argv"] for record in project.records())
    assert words == sorted(
        ["schedule", "run", *(["--"] if name.startswith("-") else []), name] for name in names
    )
