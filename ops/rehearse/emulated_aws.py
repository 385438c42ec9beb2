"""The WSGI application in front of moto: it resolves the account, asks stand-ins or moto, and refuses unknown calls.

An access key that is an account id stands for that account, so one server serves every account of a deployment. The
key of an assumed role stands for the role's account. Any other key is refused: a rehearsal never runs with real
credentials.
"""

import re
import threading
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from io import BytesIO
from typing import Any

from botocore.exceptions import UnknownServiceError  # type: ignore[import-untyped]
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.test import run_wsgi_app

from ops.rehearse.stand_ins import AwsError, Call, Handler, HttpResponse, Store, load

Environ = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")

# Services that sign requests with another name than botocore has for them.
_SIGNED_AS = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}

_REMEMBERED = 500  # answers, for calls that the SDK repeats


class ForeignKeyError(Exception):
    """A request that is not signed with a key of the rehearsal."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """A request, and the account, service and operation that it is for."""

    environ: Environ
    body: bytes
    account: str
    region: str
    service: str
    model: OperationModel | None
    uri_params: dict[str, Any]

    def __str__(self) -> str:
        asked = self.model.name if self.model else f"{self.environ['REQUEST_METHOD']} {self.environ['PATH_INFO']}"
        return f"{self.service}:{asked}"

    def rewound(self) -> Environ:
        return {**self.environ, "wsgi.input": BytesIO(self.body)}


class EmulatedAws:
    """A WSGI application that counts calls by `service:Operation`.

    calls: all of them. made: answered by a stand-in alone. corrected: answered by moto, and corrected by a stand-in.
    unknown: known to neither, or breaking moto, with the reason.
    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.corrected: Counter[str] = Counter()
        self.unknown: dict[str, str] = {}
        self.stand_ins = load()
        self.stores: defaultdict[tuple[str, str, str], Store] = defaultdict(lambda: defaultdict(dict))
        # moto's models have no locks. Its answers take milliseconds, so it answers one call at a time.
        self.lock = threading.RLock()
        self._succeeded: dict[str, HttpResponse] = {}
        self._moto = DomainDispatcherApplication(_backend_app)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = _read(environ)
        with self.lock:
            answer = self._answer(environ, body)
        headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        if environ["REQUEST_METHOD"] == "HEAD":
            start_response(f"{answer.status} -", answer.headers)
            return []
        start_response(f"{answer.status} -", [*headers, ("Content-Length", str(len(answer.body)))])
        return [answer.body]

    def _answer(self, environ: Environ, body: bytes) -> HttpResponse:
        try:
            request = _understand(environ, body)
        except ForeignKeyError as error:
            self.unknown[str(error)] = str(error)
            return HttpResponse(status=403, headers=[], body=str(error).encode())
        # An answer in under a millisecond can reach Go's SDK before it has finished sending. It then repeats the call,
        # and what the first call created would "already exist".
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID", "")
        if invocation in self._succeeded:
            return self._succeeded[invocation]
        answer = self._first_answer(request)
        if invocation and answer.status < 400:
            self._succeeded[invocation] = answer
            if len(self._succeeded) > _REMEMBERED:
                self._succeeded.pop(next(iter(self._succeeded)))
        return answer

    def _first_answer(self, request: _Request) -> HttpResponse:
        self.calls[str(request)] += 1
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = request.account
        handler = self._handler(request)
        try:
            return self._ask_stand_in(handler, request) if handler else self._ask_moto(request)
        except NotImplementedError:
            reason = f"{request} is not known to moto, and nothing stands in for it in ops/rehearse/stand_ins"
        except Exception as error:
            traceback.print_exc()
            reason = f"{request} broke the emulator: {error!r}"
        self.unknown[str(request)] = reason
        return _not_implemented(reason, request)

    def _handler(self, request: _Request) -> Handler | None:
        if request.model is None or request.service not in self.stand_ins:
            return None
        return self.stand_ins[request.service].operations.get(str(request.model.name))

    def _ask_moto(self, request: _Request) -> HttpResponse:
        service = self._moto.get_application(request.rewound())
        # To the provider, a path that moto lacks would look like a deleted resource; so would a path without an
        # operation, which moto answers with 404 and nothing else (core/responses.py, call_action).
        if not _has_path(service, request):
            raise NotImplementedError(str(request))
        chunks, status, headers = run_wsgi_app(service, request.rewound())
        answer = HttpResponse(status=int(status.split(" ", 1)[0]), headers=list(headers), body=b"".join(chunks))
        if answer.status == HTTPStatus.NOT_FOUND and not answer.body and request.environ["REQUEST_METHOD"] != "HEAD":
            raise NotImplementedError(str(request))
        return answer

    def _ask_stand_in(self, handler: Handler, request: _Request) -> HttpResponse:
        assert request.model is not None  # noqa: S101 - a handler is found by it
        asked_moto = False

        def ask_moto() -> HttpResponse:
            nonlocal asked_moto
            asked_moto = True
            return self._ask_moto(request)

        call = Call(
            account=request.account,
            region=request.region,
            params=_parsed(request, request.model),
            store=self.stores[request.service, request.account, request.region],
            ask_moto=ask_moto,
        )
        result: Any
        try:
            result = handler(call)
        except ServiceException as error:  # a stand-in's, or one of moto's models'
            result = error
        (self.corrected if asked_moto else self.made)[str(request)] += 1
        return result if isinstance(result, HttpResponse) else _serialised(result, request, request.model)


def _has_path(service: Any, request: _Request) -> bool:
    """Whether the Flask application of one of moto's services has the request's path."""
    try:
        service.url_map.bind_to_environ(request.rewound()).match()
    except RequestRedirect:
        return True
    except (NotFound, MethodNotAllowed):
        return False
    return True


def _backend_app(service: Any) -> Any:
    if service is None:
        raise NotImplementedError("moto has no such service")
    return create_backend_app(service)


def _read(environ: Environ) -> bytes:
    """The whole body: a stand-in reads it, and moto does when the stand-in asks it."""
    source = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        body: bytes = source.read()
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    else:
        body = source.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _understand(environ: Environ, body: bytes) -> _Request:
    credential = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if credential is None:
        raise ForeignKeyError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} came without a signature")
    key, region, signed_as = credential.groups()
    service = _SIGNED_AS.get(signed_as, signed_as)
    model: OperationModel | None = None
    uri_params: dict[str, Any] = {}
    # moto may know the path of a service or an operation that botocore has no model of.
    with suppress(UnknownServiceError, NotFound, NotImplementedError):
        asked = {**environ, "wsgi.input": BytesIO(body)}
        if target := environ.get("HTTP_X_AMZ_TARGET"):
            # Go's SDK and botocore name CloudTrail differently before the operation.
            prefix = get_service_model(service).metadata.get("targetPrefix", target.rpartition(".")[0])
            asked["HTTP_X_AMZ_TARGET"] = f"{prefix}.{target.rpartition('.')[2]}"
        model, uri_params = get_service_router(service).match(Request(asked))
    account = key if _ACCOUNT.fullmatch(key) else _account_of_session(key)
    return _Request(
        environ=environ,
        body=body,
        account=account,
        region=region,
        service=service,
        model=model,
        uri_params=uri_params,
    )


def _account_of_session(key: str) -> str:
    account: str = get_account_id_from(key)
    # moto answers with a default account for a key that it never issued.
    if key not in iam_backends[account]["aws"].access_keys:
        raise ForeignKeyError(f"access key {key[:4]}… is not one of this rehearsal")
    return account


def _parsed(request: _Request, model: OperationModel) -> dict[str, Any]:
    incoming = Request(request.rewound())
    parser = PROTOCOL_PARSERS[_protocol(request)](model)
    parsed: dict[str, Any] = parser.parse(
        {
            "method": incoming.method,
            "values": incoming.values,
            "headers": incoming.headers,
            "body": incoming.get_data(),
            "url_path": incoming.path,
            "url_params": request.uri_params,
        }
    )
    return parsed


def _serialised(result: Any, request: _Request, model: OperationModel) -> HttpResponse:
    serializer = get_serializer_class(request.service, _protocol(request))(model)
    serialised = serializer.serialize(result)
    content = serialised["body"]
    return HttpResponse(
        status=serialised["status_code"],
        headers=[(name, str(value)) for name, value in serialised["headers"].items()],
        body=content.encode() if isinstance(content, str) else content,
    )


def _protocol(request: _Request) -> str:
    return determine_request_protocol(get_service_model(request.service), request.environ.get("CONTENT_TYPE"))


def _not_implemented(reason: str, request: _Request) -> HttpResponse:
    """501, after which the provider stops at once; after moto's own 500 it retries for minutes."""
    if request.model is None:
        return HttpResponse(status=501, headers=[], body=reason.encode())
    error = _serialised(AwsError("NotKnownToTheRehearsal", reason), request, request.model)
    return replace(error, status=501)
