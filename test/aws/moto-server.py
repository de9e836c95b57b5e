"""moto over HTTP on a free port of 127.0.0.1: prints the port, and ends when its input does, however the test that started it ended.

A line of input sets moto's clock to these milliseconds since the epoch (it then stands still until the next line) and is answered by itself.
"""

import datetime
import sys
import threading

import moto.core.utils

standing = None
system_time = moto.core.utils.utcnow


def utcnow():
    return system_time() if standing is None else standing


# Before any backend is imported: all of them take the time from here.
moto.core.utils.utcnow = utcnow

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
for line in sys.stdin:
    standing = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=int(line))
    print(line.strip(), flush=True)
