"""The guide's worker in Python: sends every message back, as `echo` does.

Under Supervisor it listens on $SUPERVISOR_PROCESS_NAME.sock in the working directory.
"""

import asyncio
import contextlib
import os
import signal
import sys

from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed


async def echo(websocket: ServerConnection) -> None:
    # An end that is not 1000 or 1001 is the client's affair, not an error of the worker.
    with contextlib.suppress(ConnectionClosed):
        async for message in websocket:
            await websocket.send(message)


async def main(path: str) -> None:
    async with unix_serve(echo, path) as server:
        # Stop accepting, close every connection with 1001, leave no socket file behind.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        await server.wait_closed()
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


if __name__ == "__main__":
    name = os.environ.get("SUPERVISOR_PROCESS_NAME")
    if name is None:
        sys.exit("echo.py: no SUPERVISOR_PROCESS_NAME in the environment: run it under Supervisor")
    asyncio.run(main(f"{name}.sock"))
