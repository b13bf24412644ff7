"""Redis, which may keep the state of open pages, goes away: the page says so, and goes on by itself once Redis is back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.running_app import EMAIL, PASSWORD, RunningApp, free_port, running_app
from tests.browser.watched_page import OpenRoom
from tests.system_packages import redis_server
from tests.tcp_proxy import TcpProxy


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TcpProxy]:
    server = redis_server()
    if server is None:
        pytest.fail("There is no redis-server: install it.")
    port = free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path_factory.mktemp("redis"))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process, TcpProxy(port) as proxy:
        yield proxy
        process.terminate()


@pytest.fixture(scope="module")
def shared_app(redis: TcpProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    settings = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "REDIS_URL": f"redis://127.0.0.1:{redis.port}"}
    with running_app(Path(tmp_path_factory.mktemp("shared-app")), **settings) as app:
        yield app


def test_a_page_says_that_redis_is_away_and_goes_on_when_it_is_back(shared_app: RunningApp, redis: TcpProxy, open_room: OpenRoom) -> None:
    room = open_room(shared_app, "/settings")
    room.announce("503|WebSocket")
    save = room.page.get_by_role("button", name="Save")
    expect(save).to_be_visible()
    told = room.page.get_by_role("alert").filter(has_text="cannot reach Redis")
    redis.close()
    save.click()
    expect(told).to_be_visible()
    room.page.reload(wait_until="commit")
    with room.page.expect_response("**/api/health/ready"):
        expect(told).to_be_visible()
    redis.open()
    expect(told).to_be_hidden()
    expect(save).to_be_visible()
    save.click()
    room.toast("aved")
