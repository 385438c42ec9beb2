"""The emulator's own process: serves AWS on loopback, and answers requests about itself.

Only `ops.rehearse.emulator` starts it. It ends when its standard input ends, so it cannot outlive the process that
started it. It first prints the port, which the system chooses. After that each request is a line of JSON on standard
input, and each answer a line of JSON on standard output.
"""

import json
import os
import sys
import threading
from typing import Any

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # moto reads it when it is imported, below
os.environ.pop("MOTO_ACCOUNT_ID", None)  # it would override the account of the request

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from ops.rehearse import inventory, seeding
from ops.rehearse.emulated_aws import EmulatedAws
from ops.rehearse.prerequisites import Prerequisites


class _EmulatorHandler(MotoRequestHandler):
    """Logs no requests."""

    protocol_version = "HTTP/1.1"  # for bodies in chunks
    disable_nagle_algorithm = True  # or an answer's body may wait 40 ms for the acknowledgement of its headers

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


def _reply(aws: EmulatedAws, request: Any) -> Any:
    match request:
        case {"seed": prerequisites}:
            return seeding.seed(Prerequisites.model_validate(prerequisites))
        case {"make_bucket": name, "account": account, "region": region}:
            return seeding.make_bucket(account, region, name)
        case {"inventory_of": accounts, "region": region}:
            return {account: sorted(paths) for account, paths in inventory.take(accounts, region, aws.stores).items()}
        case {"counts_of": values, "account": account}:
            return inventory.counts(account, values, aws.stores)
        case "record":
            return {
                "calls": aws.calls.total(),
                "made": dict(aws.made),
                "corrected": dict(aws.corrected),
                "because": {service: stand_in.because for service, stand_in in aws.stand_ins.items()},
                "unknown": list(aws.unknown.values()),
            }
    raise ValueError(f"unknown request: {request}")


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what moto prints goes to the log
    aws = EmulatedAws()
    server = make_server("127.0.0.1", 0, aws, threaded=True, request_handler=_EmulatorHandler)
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
    sys.stderr.flush()
    os._exit(0)  # Python would take three to five seconds for deleting what moto holds
