"""The emulator's own process: serves AWS on loopback and answers questions about itself on standard input.

Started by `ops.rehearse.emulator` alone. It ends when standard input does, so it cannot outlive who started it.
The port is chosen by the system and told on standard output; a question is a line of JSON there, an answer too.
"""

import json
import os
import sys
import threading
from typing import Any

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # moto reads it when it is imported, below
os.environ.pop("MOTO_ACCOUNT_ID", None)  # it would be stronger than the account of the request

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from ops.rehearse import inventory, seeding
from ops.rehearse.emulated_aws import EmulatedAws
from ops.rehearse.existing import Existing


class _QuietHandler(MotoRequestHandler):
    """Writes no line for each request."""

    protocol_version = "HTTP/1.1"  # for bodies in chunks

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


def _reply(aws: EmulatedAws, question: Any) -> Any:
    match question:
        case {"seed": existing}:
            return seeding.seed(Existing.from_json(existing))
        case {"make_bucket": name, "account": account, "region": region}:
            return seeding.make_bucket(account, region, name)
        case {"inventory_of": accounts, "region": region}:
            return {account: sorted(paths) for account, paths in inventory.take(accounts, region, aws.shelves).items()}
        case {"counts_of": values, "account": account}:
            return inventory.counts(account, values, aws.shelves)
        case "record":
            return {
                "calls": aws.calls.total(),
                "made": dict(aws.made),
                "corrected": dict(aws.corrected),
                "because": {service: stand_in.because for service, stand_in in aws.stand_ins.items()},
                "unknown": list(aws.unknown.values()),
            }
    raise ValueError(f"no such question: {question}")


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what moto prints belongs to the log
    aws = EmulatedAws()
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=_QuietHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(server.port), file=answers)
    for line in sys.stdin:
        with aws.lock:
            try:
                answer = {"answer": _reply(aws, json.loads(line))}
            except Exception as error:
                answer = {"error": repr(error)}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
