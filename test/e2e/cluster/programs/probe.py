"""Says as one JSON object what it finds of a pod's surroundings. Arguments: which of ASKS, default all."""
import errno
import json
import os
import socket
import struct
import sys
import urllib.request

env = os.environ


def full(name):
    return f"{name}.{env['NAMESPACE']}.svc.cluster.local"


def outcome(ask):
    try:
        return ask()
    except socket.gaierror as error:
        return next(name for name in dir(socket) if name.startswith("EAI_") and getattr(socket, name) == error.errno)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def dial(host, port):
    return socket.create_connection((host, int(port)), timeout=20)


def exactly(connection, count):
    got = b""
    while len(got) < count:
        chunk = connection.recv(count - len(got))
        if not chunk:
            raise OSError("the server hung up")
        got += chunk
    return got


def sql(query):
    """One value of one row, by the protocol's version 3 with a password in clear text."""

    def message(kind, body):
        connection.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    with dial(env["DB_HOST"], env["DB_PORT"]) as connection:
        login = f"user\0{env['DB_USER']}\0database\0{env['DB_NAME']}\0\0"
        message(b"", struct.pack("!i", 196608) + login.encode())
        asked, value = False, None
        while True:
            kind, length = struct.unpack("!ci", exactly(connection, 5))
            body = exactly(connection, length - 4)
            if kind == b"E":
                raise OSError(body.decode())
            if kind == b"R" and body[:4] == struct.pack("!i", 3):
                message(b"p", env["DB_PASSWORD"].encode() + b"\0")
            if kind == b"D":
                value = body[6:].decode()
            if kind == b"Z":
                if asked:
                    return value
                asked = True
                message(b"Q", query.encode() + b"\0")


def cache():
    with dial(env["CACHE_HOST"], env["CACHE_PORT"]) as connection:
        connection.sendall(b"SET python kept\r\nGET python\r\nQUIT\r\n")
        return " ".join(connection.makefile().read().split("\n")[:3])


def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(20)
        datagrams.sendto(b"hello", ("echo", 53053))
        return datagrams.recv(2048).decode()


def address(name, family=socket.AF_INET):
    return outcome(lambda: socket.getaddrinfo(name, None, family)[0][4][0])


def names():
    return {
        "short": address("orders"),
        "namespaced": address(f"orders.{env['NAMESPACE']}"),
        "full": address(full("orders")),
        "headless": address("db"),
        "pod": address("db-0.db"),
        "alias": address("partner"),
        "six": address("orders", socket.AF_INET6),
        "none": address("no-such-name"),
    }


def name_at(message, at):
    """A name of a DNS message, its parts perhaps elsewhere in it, and where what follows it begins."""
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack("!H", message[at : at + 2])[0] & 0x3FFF
        else:
            labels.append(message[at + 1 : at + 1 + message[at]].decode())
            at += 1 + message[at]
    return ".".join(labels), end or at + 1


def srv():
    """Python has none: a query of RFC 1035 to the name server of resolv.conf."""
    with open("/etc/resolv.conf") as conf:
        server = next(line.split()[1] for line in conf if line.startswith("nameserver"))
    labels = f"_sql._tcp.{full('db')}".split(".")
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.settimeout(20)
        datagrams.sendto(struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + name + struct.pack("!2H", 33, 1), (server, 53))
        answer = datagrams.recv(4096)
    _owner, at = name_at(answer, 12 + len(name) + 4)
    # Of the first answer: type, class, TTL, length; then priority, weight, port, target.
    _priority, _weight, port = struct.unpack("!3H", answer[at + 10 : at + 16])
    target, _end = name_at(answer, at + 16)
    return f"{port} {target}"


def file():
    with open(env.get("INTERCEPT_ROOT", "") + "/etc/app/app.json") as opened:
        return opened.read()


ASKS = {
    "env": lambda: {"greeting": env["GREETING"], "password": env["DB_PASSWORD"]},
    "file": file,
    "names": names,
    "srv": srv,
    "http": lambda: urllib.request.urlopen("http://orders/", timeout=20).headers["x-who"],
    "sql": lambda: sql("select 40 + 2"),
    "cache": cache,
    "udp": udp,
    "refused": lambda: dial("db", 4),
    "unreachable": lambda: dial(env["UNREACHABLE"], 9),
}

print(json.dumps({name: outcome(ASKS[name]) for name in sys.argv[1:] or ASKS}))
