"""A WebSocket peer of Debian's python3-websockets.

usage: python_peer.py echo          serves an echo on a free port, which it prints
       python_peer.py ask URL TEXT  sends the text and some bytes, prints what comes back, and how it ended
"""
import asyncio
import sys

import websockets


async def serve() -> None:
    async def echo(socket) -> None:
        async for message in socket:
            await socket.send(message)

    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def ask(url: str, text: str) -> None:
    data = bytes(range(256)) * 4096
    async with websockets.connect(url, max_size=None, subprotocols=["binary"]) as socket:
        print(f"subprotocol {socket.subprotocol}, extensions {len(socket.extensions)}")
        await socket.send(text)
        received = await socket.recv()
        print(type(received).__name__, received if isinstance(received, str) else received.decode())
        await socket.send([data[:100_000], data[100_000:]])
        parts = b""
        while len(parts) < len(data):
            parts += await socket.recv()
        await (await socket.ping())
        print("same" if parts == data else "different")
    print(f"closed {socket.close_code}")


asyncio.run(serve() if sys.argv[1] == "echo" else ask(*sys.argv[2:]))
