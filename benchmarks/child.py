"""Run one phase in a process of its own, and learn how much memory it took at most."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TO_BYTES = 1 if sys.platform == "darwin" else 1024


def in_child(phase: str, **arguments: Any) -> dict[str, Any]:
    """Run a function of `benchmarks.phases`; returns what it returned, and `peak_bytes`.

    Raises:
        RuntimeError: The phase failed; its own message stands above.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        call = json.dumps({"phase": phase, "arguments": arguments, "answer": str(answer)})
        done = subprocess.run([sys.executable, "-m", "benchmarks.child", call], cwd=ROOT, check=False)  # noqa: S603
        if done.returncode:
            message = f"the phase {phase!r} of the benchmark failed with status {done.returncode}"
            raise RuntimeError(message)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def command(*arguments: str) -> dict[str, Any]:
    """Run the `handraise` command in a new process; returns its wall `seconds` and its `peak_bytes`.

    Raises:
        RuntimeError: The command failed.
    """
    program = "from handraise.faces.cli.app import main; main()"
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - fixed arguments
            [sys.executable, "-c", program, *arguments], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT
        )
        # wait4 tells the use of this child alone; the plain wait would add up all children.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = status
        if status:
            output.seek(0)
            message = f"handraise {' '.join(arguments)} failed:\n{output.read().decode(errors='replace')}"
            raise RuntimeError(message)
    return {"seconds": seconds, "peak_bytes": usage.ru_maxrss * _TO_BYTES}


def _own_peak() -> int:
    """Most bytes that this program has taken; where the system says it, without what its parent had at the start."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _TO_BYTES


def _main(call: str) -> None:
    from benchmarks.phases import PHASES

    asked = json.loads(call)
    answer = PHASES[asked["phase"]](**asked["arguments"])
    answer["peak_bytes"] = _own_peak()
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    _main(sys.argv[1])
