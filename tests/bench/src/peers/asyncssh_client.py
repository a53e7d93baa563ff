"""asyncssh doing what our workers do: `python - MODE SPEC_FILE`, one JSON line back."""

import asyncio
import json
import sys
import time

import asyncssh

mode, spec_file = sys.argv[1:3]
with open(spec_file, encoding="utf-8") as file:
    spec = json.load(file)


def connect(address):
    return asyncssh.connect(
        address,
        port=spec["port"],
        username=spec["user"],
        client_keys=[spec["key_file"]],
        known_hosts=spec["known_hosts"],
        config=None,
        agent_path=None,
    )


async def ask(connection):
    answer = await connection.run("uptime", check=True)
    assert "load average" in answer.stdout


async def each(things, work):
    room = asyncio.Semaphore(spec["parallel"])

    async def one(thing):
        async with room:
            return await work(thing)

    return await asyncio.gather(*(one(thing) for thing in things))


async def cold(address):
    async with connect(address) as connection:
        await ask(connection)


async def warm():
    connections = await each(spec["addresses"], connect)
    await each(connections, ask)
    walls = []
    cpu = time.process_time()
    for _ in range(spec["rounds"]):
        begun = time.monotonic()
        await each(connections, ask)
        walls.append((time.monotonic() - begun) * 1000)
    cpu = (time.process_time() - cpu) * 1000
    for connection in connections:
        connection.close()
    return {"cpu_ms": cpu / spec["rounds"], "wall_ms": sorted(walls)[len(walls) // 2]}


async def main():
    if mode == "warm":
        print(json.dumps(await warm()))
    else:
        await each(spec["addresses"], cold)


asyncio.run(main())
