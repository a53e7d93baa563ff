"""Whom notices go to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-path", got
    server.shutdown()


def test_targets(fleet: Fleet, receiver: tuple[str, list[dict[str, Any]]], shown: Callable[..., Any]) -> None:
    url, got = receiver
    made = fleet.create_notify_target(
        {"name": "hook", "way": {"kind": "webhook", "url": url}}, {"signing_key": "s3cret"}
    )
    assert set(made) == set(get_type_hints(model.NotifyTargetView))
    assert made["secrets"] == ["signing_key", "url"]
    with pytest.raises(reanimator.Denied):
        fleet.test_notify_target("hook")
    fleet.change_notify_target("hook", {"allow_inside": True, "group_seconds": 0})
    assert set(fleet.test_notify_target("hook")) == set(get_type_hints(model.NotifyTestReport))
    assert got[0]["notices"][0]["kind"] == "test"
    told = fleet.notifications(target="hook")
    assert [each["state"] for each in told] == ["sent", "failed"]
    assert set(told[0]) == set(get_type_hints(model.Delivery))
    everything = json.dumps([fleet.notify_targets(), told, shown("notify", "list")])
    assert "s3cret" not in everything and "secret-path" not in everything
    with pytest.raises(reanimator.Invalid):
        fleet.notifications(state="lost")  # type: ignore[arg-type]
    fleet.remove_notify_target("hook")
    with pytest.raises(reanimator.NotFound):
        fleet.notify_target("hook")


