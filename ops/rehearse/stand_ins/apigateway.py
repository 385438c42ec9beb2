"""API Gateway: resource policies are returned with the escapes that AWS puts into them."""

import json
from dataclasses import replace

from ops.rehearse.stand_ins import Call, HttpResponse, StandIn

apigateway = StandIn(
    "apigateway",
    "moto returns a resource policy without the escapes that AWS puts in it, which the AWS provider cannot read",
    api="https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html",
)


@apigateway.answers("CreateRestApi")
@apigateway.answers("GetRestApi")
@apigateway.answers("UpdateRestApi")
def escape_policy(call: Call) -> HttpResponse:
    answer = call.ask_moto()
    api = json.loads(answer.body)
    if not api.get("policy"):
        return answer
    # The policy is JSON in a JSON string, and AWS escapes its quotes once more inside that string.
    api["policy"] = json.dumps(api["policy"])[1:-1]
    return replace(answer, body=json.dumps(api).encode())
