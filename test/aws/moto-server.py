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

from moto.events.models import EventPattern  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402


def flatten(node, prefix="", result=None):
    """moto does not look into the objects of an array; EventBridge does."""
    result = {} if result is None else result
    for key, value in node.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict) and value:
            flatten(value, path, result)
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for one in value:
                for inner, found in flatten(one, path).items() if isinstance(one, dict) else [(path, one)]:
                    result.setdefault(inner, []).extend(found if isinstance(found, list) else [found])
        else:
            result[path] = value
    return result


EventPattern._flatten_dict = staticmethod(flatten)


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


application = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def serve(environ, start_response):
    """DynamoDB decides a condition and writes in one step; moto's threads can write in between."""
    if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
        return application(environ, start_response)
    with one_at_a_time:
        return list(application(environ, start_response))


server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.port, flush=True)
for line in sys.stdin:
    standing = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=int(line))
    print(line.strip(), flush=True)
