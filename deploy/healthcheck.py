"""Ends with 0 if a server of this container answers 200: `healthcheck.py [PORT [PATH]]`.

It uses a socket: it runs every few seconds in each container, and importing an HTTP client takes three times as long.
"""

import socket
import sys

TIMEOUT_S = 8.0


def answers(port: int = 9400, path: str = "/livez") -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not answers(*(kind(given) for kind, given in zip((int, str), sys.argv[1:], strict=False))))
