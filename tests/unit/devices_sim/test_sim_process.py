"""`python -m devices_sim` as its users start it: arguments, exit codes, and an end by kill -9."""

import asyncio
import json
import signal
import sys

import httpx
import pytest
from aiohttp import web
from click.testing import CliRunner

from devices_sim.cli import main
from devices_sim.truth import acked

SCENARIO = """
name: test
duration: {duration}
fleet: {{devices: 10, accounts: 2, sites: 3}}
trouble: {{no_seq: 0}}
expect: {{pending: {{max: 60}}, published: {{min: {least}}}}}
"""


async def serve(product):
    """The fake product on a real port."""

    async def answer(request):
        asked = httpx.Request(request.method, str(request.url), headers=request.headers, content=await request.read())
        given = product(asked)
        return web.Response(status=given.status_code, body=given.content, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = web.AppRunner(app, access_log=None)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", 0).start()
    return server, f"http://127.0.0.1:{server.addresses[0][1]}"


@pytest.fixture
def start(tmp_path):
    (tmp_path / "token").write_text("t\n")

    async def process(broker, url, duration="20h", least=1):
        (tmp_path / "scenario.yaml").write_text(SCENARIO.format(duration=duration, least=least))
        arguments = ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--api", url, "--token-file", tmp_path / "token"]
        arguments += ["--scenario", tmp_path / "scenario.yaml", "--state", tmp_path / "state", "--json"]
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "devices_sim",
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return process


def test_kill_9_loses_nothing_and_repeats_no_seq(run, product, new_broker, start, tmp_path):
    product.speed = 36_000.0
    broker = new_broker()

    async def work():
        await broker.start()
        server, url = await serve(product)
        for _ in range(2):
            process = await start(broker, url)
            before = broker.count
            while broker.count < before + 40 and process.returncode is None:
                await asyncio.sleep(0.01)
            process.kill()
            await process.communicate()
        process = await start(broker, url)
        out, errors = await process.communicate()
        await server.cleanup()
        await broker.stop()
        return process.returncode, out, errors.decode()

    code, out, errors = run(work())
    assert code == 0, errors
    report = json.loads(out)
    contents = {}
    for topic, payload in broker.received:
        body = json.loads(payload)
        key = (*topic.split("/")[2:4], body["boot"], body["seq"])
        assert contents.setdefault(key, payload) == payload
    recorded = {
        (*key, seq) for key, spans in acked(tmp_path / "state").items() for a, b in spans for seq in range(a, b + 1)
    }
    assert recorded <= contents.keys()
    assert len(contents) <= report["published"]
    assert report["acked"] + report["pending"] == report["published"]


def test_an_interrupt_ends_it_with_a_report_and_expectations_decide(run, product, new_broker, start):
    broker = new_broker()

    async def work():
        await broker.start()
        server, url = await serve(product)
        process = await start(broker, url, "30d", least=1_000_000)
        while broker.count < 5 and process.returncode is None:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, errors = await asyncio.wait_for(process.communicate(), 5)
        await server.cleanup()
        await broker.stop()
        return process.returncode, json.loads(out), errors

    code, report, _ = run(work())
    assert code == 1
    [failed] = report["failed"]
    assert failed.startswith("published is ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", "nowhere"], "built in are board-swap, clock-ahead, demo"),
        (["--broker", "tcp://x"], "write mqtt://HOST:PORT"),
        ([], "no operator token: give --token-file"),
        (["--token-file", "/nowhere/token"], "No such file"),
    ],
)
def test_mistakes_are_explained_with_exit_code_2(arguments, says, tmp_path, monkeypatch):
    monkeypatch.delenv("ULLAGE_SIM_TOKEN", raising=False)
    result = CliRunner().invoke(main, [*arguments, "--state", str(tmp_path / "state")])
    assert result.exit_code == 2
    assert says in result.output
