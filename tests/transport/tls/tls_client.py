"""A TLS client that ends in the given way. Arguments: PORT HOW VERSION. It prints what it read, and whether the server
ended with FIN or RST."""
import socket, ssl, sys

port, how, version = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
raw = socket.create_connection(("127.0.0.1", port))
raw.settimeout(20)
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")


def call(action):
    """Runs a TLS operation, and transfers bytes until it completes."""
    while True:
        try:
            result = action()
            raw.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            raw.sendall(outgoing.read())
            incoming.write(raw.recv(65536))


call(tls.do_handshake)
call(lambda: tls.write(b"hi\n"))
print(call(lambda: tls.read(100)), flush=True)
if how == "close-notify":
    try:
        tls.unwrap()
    except ssl.SSLWantReadError:
        pass
    raw.sendall(outgoing.read())
elif how == "inside-a-record":
    tls.write(b"x" * 1000)
    raw.sendall(outgoing.read()[:500])
elif how == "after-two-bytes":
    tls.write(b"hi")
    raw.sendall(outgoing.read())
raw.shutdown(socket.SHUT_WR)
try:
    while raw.recv(65536):
        pass
    print("FIN")
except ConnectionResetError:
    print("RST")
