"""How long `summarize` takes for 100,000 shots, beside the bare SQL that gives the same figures."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json

_STATUSES = "CASE i % 4 WHEN 0 THEN 'ip' WHEN 1 THEN 'fin' WHEN 2 THEN 'wtg' END"
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
_BARE = (
    'SELECT sg_status_list, COUNT(*), SUM(sg_cut_duration) FROM "Shot" '
    "WHERE _retired = 0 AND project = ? GROUP BY sg_status_list"
)


def fill(site: Site, shots: int) -> int:
    """Make a project with that many shots; return its id."""
    project = int(str(site.create(site.system, "Project", {"name": "Umi"})["id"]))
    with site.writing(site.system, "create") as (work, _):
        first, last = 1_000_000, shots - 1
        work.session.execute(
            f"INSERT INTO records (id, type, name, project) {_NUMBERS} "
            "SELECT ? + i, 'Shot', 'c' || i, ? FROM n",
            (last, first, project),
        )
        work.session.execute(
            f'INSERT INTO "Shot" (id, code, project, sg_status_list, sg_cut_duration) {_NUMBERS} '
            f"SELECT ? + i, 'c' || i, ?, {_STATUSES}, i % 977 FROM n",
            (last, first, project),
        )
    return project


def best(work: Callable[[], object]) -> float:
    """Return the fewest seconds of processor time in five runs."""
    times: list[float] = []
    for _ in range(5):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=100_000)
    shots: int = parser.parse_args().shots
    with tempfile.TemporaryDirectory() as folder:
        site = Site.open(Path(folder))
        project = fill(site, shots)
        link: Json = {"type": "Project", "id": project}
        conditions: Json = [{"path": "project", "relation": "is", "values": [link]}]
        call: Json = {
            "type": "Shot",
            "filters": {"logical_operator": "and", "conditions": conditions},
            "summaries": [
                {"field": "id", "type": "count"},
                {"field": "sg_cut_duration", "type": "sum"},
            ],
            "grouping": [{"field": "sg_status_list", "type": "exact", "direction": "asc"}],
        }
        ours = best(lambda: dispatch(site, site.system, "summarize", call))
        with site.reading() as (session, _):
            bare = best(lambda: session.rows(_BARE, (project,)))
        site.close()
    print(f"summarize {shots} shots by status: {ours:.3f} s; bare SQL {bare:.3f} s")
    print(f"ratio {ours / bare:.2f}")


if __name__ == "__main__":
    main()
