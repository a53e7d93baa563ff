"""Terminals of hosts, by a real sshd: typed in, read, and looked at in the audit trail."""

from __future__ import annotations

import asyncio
import getpass
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, AsyncTerminal, Fleet, Terminal, model

# Whatever is waited for comes within this, or not at all.
SOON = 30.0


@pytest.fixture
def far(tmp_path: Path, fleet: Fleet, sshd: int) -> str:
    """A host behind sshd, whose shell is a plain one."""
    address, key = f"{getpass.getuser()}@127.0.0.1:{sshd}", (tmp_path / "client").read_text()
    with pytest.raises(reanimator.HostKeyUnknown) as unknown:
        fleet.add_host(address, name="far", key=key, agent=False)
    fleet.add_host(address, name="far", key=key, agent=False, accept_host_key=unknown.value.fingerprint)
    return "far"


def see(terminal: Terminal, text: str) -> str:
    """Receives until the text was seen; says all that was."""
    seen = b""
    while text not in seen.decode(errors="replace"):
        piece = terminal.receive(timeout=SOON)
        assert piece, f"it ended before {text!r}: {seen[-500:]!r}"
        seen += piece
    return seen.decode(errors="replace")


def rest(terminal: Terminal) -> bytes:
    """Receives to the end."""
    seen = b""
    while piece := terminal.receive(timeout=SOON):
        seen += piece
    return seen


def numbers(shown: bytes) -> list[int]:
    """The lines of what was shown that are numbers."""
    return [int(line) for line in shown.splitlines() if line.isdigit()]


def trail(fleet: Fleet) -> list[tuple[str, str]]:
    """What stands in the audit trail of terminals, the oldest first."""
    return [(entry["what"], entry["outcome"]) for entry in reversed(fleet.audit(what="terminal *"))]


def test_it_is_typed_in_and_read(fleet: Fleet, far: str) -> None:
    with fleet.shell(far, columns=100, rows=30) as terminal:
        about = terminal.about
        assert set(about) == set(get_type_hints(model.Terminal))
        assert (about["name"], about["way"], about["size"]) == (far, "ssh", {"cols": 100, "rows": 30})
        assert (about["recorded"], about["ended"], about["id"]) == (False, None, terminal.id)
        terminal.send("stty size; printf 'gr\u00fcn-%s\\n' $((40+2))\n")
        assert "30 100" in see(terminal, "gr\u00fcn-42")
        terminal.send("echo \u20ac-$((1+1))\n".encode())
        see(terminal, "\u20ac-2")
        terminal.resize(120, 40)
        terminal.send("stty size\n")
        see(terminal, "40 120")
        assert terminal.about["size"] == {"cols": 120, "rows": 40}
        with pytest.raises(reanimator.Timeout) as quiet:
            while True:
                terminal.receive(timeout=0.5)
        assert quiet.value.host == far
        terminal.send("exit 3\n")
        rest(terminal)
        assert terminal.receive() == b""
        end = terminal.about["ended"]
        assert end is not None and set(end) == set(get_type_hints(model.TerminalEnd))
        assert (end["status"], end["failed"]) == (3, False)
        with pytest.raises(reanimator.Conflict):
            terminal.send("too late")
    assert trail(fleet) == [("terminal open", "started"), ("terminal attach", "ok"), ("terminal close", "ok")]
    (last,) = fleet.audit(1, what="terminal close")
    assert last["on"].startswith("far (host:") and "exit status 3" in last["on"]


def test_close_ends_it(fleet: Fleet, far: str) -> None:
    terminal = fleet.shell(far)
    terminal.send("echo be''gun; sleep 1000\n")
    see(terminal, "begun")
    terminal.close()
    end = terminal.about["ended"]
    assert end is not None and end["why"].startswith("closed by local:")
    rest(terminal)
    terminal.close()
    assert repr(terminal) == f'Terminal(id="{terminal.id}", name="far", ended)'


def test_it_ends_when_nothing_refers_to_it(fleet: Fleet, far: str) -> None:
    fleet.shell(far)
    deadline = time.monotonic() + SOON
    while trail(fleet)[-1] != ("terminal close", "ok"):
        assert time.monotonic() < deadline, trail(fleet)
        time.sleep(0.05)


def test_it_ends_with_the_program(home: Path, fleet: Fleet, far: str) -> None:
    program = (
        "from reanimator import Fleet\n"
        f"terminal = Fleet.open({str(home / 'data')!r}).shell({far!r})\n"
        "terminal.send('echo so''on\\n')\n"
        "while b'soon' not in terminal.receive(timeout=30): pass\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert trail(fleet)[-1] == ("terminal close", "ok")
    assert list((home / "data" / "terminals").iterdir()) == []


def test_what_is_shown_is_recorded_where_wished(fleet: Fleet, far: str, shown: Callable[..., Any]) -> None:
    with fleet.shell(far, record=True) as terminal:
        terminal.send("echo kept-$((40+2))\n")
        see(terminal, "kept-42")
        assert terminal.about["recorded"]
    (recording,) = fleet.recordings()
    assert set(recording) == set(get_type_hints(model.Recording))
    assert (recording["id"], recording["cut"]) == (terminal.id, False)
    assert "kept-42" in Path(fleet.recording_file(terminal.id)).read_text()
    assert shown("shell", "--recordings")["items"] == [recording]


def test_who_reads_slowly_loses_nothing_and_holds_up_nobody_else(fleet: Fleet, far: str) -> None:
    with fleet.shell(far) as slow, fleet.shell(far) as other:
        slow.send("stty -echo; seq 1 200000; exit\n")
        first = see(slow, "\r1\r\n").encode()
        # Far more than is kept is on its way, and nobody reads it.
        time.sleep(1)
        other.send("echo quick-$((40+2))\n")
        see(other, "quick-42")
        assert fleet.run("echo by the way", select=far)[0].ok
        time.sleep(1)
        assert slow.about["bytes_out"] < 600_000, "it is held up"
        found = numbers(first + rest(slow))
    assert len(found) == 200_000 and found == list(range(1, 200_001))


def test_who_waits_holds_up_no_other_thread(fleet: Fleet, far: str) -> None:
    with fleet.shell(far) as terminal:
        see(terminal, "")
        came: list[str] = []
        reader = threading.Thread(target=lambda: came.append(see(terminal, "there-42")))
        reader.start()
        time.sleep(0.3)
        terminal.send("echo there-$((40+2))\n")
        reader.join(SOON)
        assert not reader.is_alive() and came


def test_what_cannot_be_is_said(fleet: Fleet, far: str, closed_port: int) -> None:
    with pytest.raises(reanimator.NotFound) as unknown:
        fleet.shell("nobody")
    assert "nobody" in str(unknown.value) and unknown.value.next
    with pytest.raises(reanimator.Invalid):
        fleet.shell(far, columns=0)
    fleet.add_host("127.0.0.1:1", name="closed", unchecked=True)
    with pytest.raises(reanimator.ReanimatorError) as closed:
        fleet.shell("closed")
    assert closed.value.host == "closed"
    with fleet.shell(far) as terminal:
        with pytest.raises(reanimator.Invalid):
            terminal.resize(0, 10)
        with pytest.raises(reanimator.Invalid):
            terminal.receive(timeout=-1)
        with pytest.raises(TypeError):
            terminal.send(1)  # type: ignore[arg-type]


def test_one_that_breaks_off_says_so(fleet: Fleet, far: str) -> None:
    with fleet.shell(far) as terminal:
        terminal.send("kill -9 $PPID\n")
        with pytest.raises(reanimator.Unreachable) as broken:
            rest(terminal)
        assert broken.value.host == far
        end = terminal.about["ended"]
        assert end is not None and end["failed"]


def test_it_is_the_same_for_asyncio(home: Path, far: str) -> None:
    async def see(terminal: AsyncTerminal, text: str) -> None:
        seen = b""
        while text.encode() not in seen:
            piece = await terminal.receive(timeout=SOON)
            assert piece, f"it ended before {text!r}: {seen[-500:]!r}"
            seen += piece

    async def main() -> None:
        fleet = await AsyncFleet.open(home / "data")
        async with await fleet.shell(far, columns=100, rows=30) as terminal:
            await terminal.send("stty size\n")
            await see(terminal, "30 100")
            await terminal.resize(120, 40)
            await terminal.send(b"stty size\n")
            _, answers = await asyncio.gather(see(terminal, "40 120"), fleet.run("true", select=far))
            assert answers[0].ok
            with pytest.raises(reanimator.Timeout):
                while True:
                    await terminal.receive(timeout=0.5)
        assert terminal.about["ended"] is not None
        assert repr(terminal).startswith("AsyncTerminal(")
        with pytest.raises(reanimator.NotFound):
            await fleet.shell("nobody")

    asyncio.run(main())


def test_a_wait_that_is_cancelled_takes_nothing(home: Path, far: str) -> None:
    async def main() -> tuple[bytes, int]:
        fleet = await AsyncFleet.open(home / "data")
        seen, cancelled = b"", 0
        async with await fleet.shell(far) as terminal:
            await terminal.send("stty -echo; for n in $(seq 1 300); do echo $n; sleep 0.003; done; exit\n")
            piece, turn = b"more", 0
            while piece:
                waiting = asyncio.ensure_future(terminal.receive())
                # In the very moment in which something comes, as often as it can be met.
                turn += 1
                await asyncio.sleep(0.001 * (turn % 5))
                waiting.cancel()
                try:
                    piece = await waiting
                    seen += piece
                except asyncio.CancelledError:
                    cancelled += 1
        return seen, cancelled

    seen, cancelled = asyncio.run(asyncio.wait_for(main(), 2 * SOON))
    assert cancelled > 10
    found = numbers(seen)
    assert found == list(range(1, 301))
