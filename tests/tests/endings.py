"""Holds connections that talk in several ways, and says of each how it ended: `end CODE KIND CLEAN`."""

import asyncio
import itertools
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

LARGE = bytes(range(250)) * 1200
PIECES = ["one message ", "in several ", "frames"]


async def talk(kind, socket):
    for number in itertools.count():
        if kind == "silent":
            await socket.recv()
        message = {"small": f"message {number}", "large": LARGE, "pieces": PIECES}[kind]
        await socket.send(message)
        answer = await socket.recv()
        assert answer == ("".join(message) if kind == "pieces" else message), answer


async def hold(uri, kind, connected):
    # permessage-deflate is offered by default.
    async with connect(uri, max_size=None, close_timeout=5) as socket:
        connected.release()
        try:
            await talk(kind, socket)
        except ConnectionClosed as end:
            clean = "true" if end.rcvd and end.sent else "false"
            return f"end {end.rcvd.code if end.rcvd else 1006} {kind} {clean}"


async def main(uri, count):
    connected = asyncio.Semaphore(0)
    kinds = itertools.islice(itertools.cycle(["silent", "small", "large", "pieces"]), count)
    ends = [asyncio.create_task(hold(uri, kind, connected)) for kind in kinds]
    for _ in range(count):
        await connected.acquire()
    print("connected", flush=True)
    for end in asyncio.as_completed(ends):
        print(await end, flush=True)
    print("all ended", flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
