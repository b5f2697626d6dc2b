"""A NATS server that violates the protocol after, or before, the handshake. Prints its port, where connections are refused
until a line is read from stdin; from then on it serves all connections in the same way.

usage: hostile_nats.py before-info | pings | garbage | endless-line | huge-message
"""
import socket
import sys
import threading

KIND = sys.argv[1]
INFO = b'INFO {"server_id":"X","server_name":"x","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n'
FLOODS = {
    "pings": b"PING\r\n" * 10_000,
    "garbage": b"\x1b[2J this is no NATS\r\n" * 1_000,
    "endless-line": b"+O" + b"K" * 64_000,
    "huge-message": b"x" * 64_000,
}


def flood(conn: socket.socket, data: bytes) -> None:
    while True:
        conn.sendall(data)


def serve(conn: socket.socket) -> None:
    try:
        if KIND == "before-info":
            flood(conn, b"x" * 64_000)
        conn.sendall(INFO)
        received = b""
        while b"PING\r\n" not in received:
            chunk = conn.recv(65536)
            if not chunk:
                return
            received += chunk
        conn.sendall(b"PONG\r\n")
        if KIND == "endless-line":
            conn.sendall(b"INFO ")
        if KIND == "huge-message":
            conn.sendall(b"MSG a 1 60000000\r\n")
        flood(conn, FLOODS[KIND])
    except OSError:
        pass
    finally:
        conn.close()


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.readline()
listener.listen()
while True:
    accepted, _ = listener.accept()
    print("accepted", flush=True)
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
