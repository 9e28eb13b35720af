from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lianfang.client.ledger import Ledger, read


def test_receipts_come_back_in_their_order(tmp_path: Path) -> None:
    with Ledger(tmp_path / "new" / "ledger.jsonl") as ledger:
        for n in range(3):
            ledger.note({"request_id": f"r{n}", "answer": {"n": n, "name": "申报"}})
    found = list(read(ledger.path))
    assert [receipt["request_id"] for receipt in found] == ["r0", "r1", "r2"]
    assert found[2]["answer"] == {"n": 2, "name": "申报"}


@pytest.mark.parametrize("torn", [b'{"request_id": "r1", "ans', b"\xff\xfe", b'"text"'])
def test_a_torn_line_is_skipped_and_spoils_no_other(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "ledger.jsonl"
    with Ledger(path) as ledger:
        ledger.note({"request_id": "r0"})
    with path.open("ab") as file:
        file.write(torn)
    assert [receipt["request_id"] for receipt in read(path)] == ["r0"]
    with Ledger(path) as ledger:
        ledger.note({"request_id": "r2"})
    assert [receipt["request_id"] for receipt in read(path)] == ["r0", "r2"]


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:

        def write(thread: int) -> None:
            for n in range(20):
                ledger.note({"request_id": f"{thread}-{n}", "answer": {"text": "x" * 9000}})

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({receipt["request_id"] for receipt in read(ledger.path)}) == 160


def test_what_was_noted_survives_the_death_of_its_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from lianfang.client.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1])); ledger.note({'request_id': 'r0'})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [receipt["request_id"] for receipt in read(path)] == ["r0"]


def test_every_receipt_is_synced_before_its_caller_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.note({"request_id": "r0"})
    assert synced[-1] == ledger.path.stat().st_size
    ledger.note({"request_id": "r1"})
    assert synced[-1] == ledger.path.stat().st_size
    ledger.close()


def test_the_client_ledger_needs_neither_framework_nor_database() -> None:
    program = (
        "import sys, lianfang.client.ledger\n"
        "print([m for m in ('nameko', 'eventlet', 'pymongo') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
