"""Run by the Python of Meltano: what `invoke --dump catalog` and `select --list --all` say in each
of the projects given, in one process, because a start of Meltano takes a second.

Writes oracle.json into each: {"catalog": text, "selection": [...]} or {"error": text}. The second
pass, over the catalog of the first, is in {"again": text}.
"""

import asyncio
import contextlib
import json
import logging
import sys
from pathlib import Path

import structlog
from meltano.core.plugin.singer.catalog import ListSelectedExecutor
from meltano.core.plugin_invoker import invoker_factory
from meltano.core.project import Project


async def dump_catalog(project: Project) -> str:
    invoker = invoker_factory(project, project.plugins.find_plugin("tap-x"))
    async with invoker.prepared(None):
        return await invoker.dump("catalog")


def list_selection(catalog: dict) -> list[dict]:
    listing = ListSelectedExecutor()
    listing.visit(catalog)
    return [
        {
            "stream": stream.key,
            "property": prop.key,
            "selection": str(stream.selection + prop.selection),
        }
        for stream in sorted(listing.streams)
        for prop in sorted(listing.properties[stream.key])
    ]


def answer(root: Path) -> dict:
    project = Project(root)
    try:
        text = asyncio.run(dump_catalog(project))
        answer = {"catalog": text}
        (root / "discovered.json").rename(root / "first.json")
        (root / "discovered.json").write_text(text)
        answer["again"] = asyncio.run(dump_catalog(project))
        (root / "first.json").rename(root / "discovered.json")
    except Exception as error:
        return {"error": str(error)}
    # Without a stream that has an id there is no listing.
    with contextlib.suppress(AttributeError):
        answer["selection"] = list_selection(json.loads(text))
    return answer


def main() -> None:
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for root in map(Path, sys.argv[1:]):
        (root / "oracle.json").write_text(json.dumps(answer(root)))


main()
