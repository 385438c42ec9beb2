"""S3: buckets' policies, stored as they were requested; none is enforced."""

from ops.rehearse.stand_ins import Call, HttpResponse, StandIn

s3 = StandIn(
    "s3",
    "moto enforces a policy without its conditions, so that one about TLS denies every object",
    api="https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html",
)


@s3.answers("PutBucketPolicy")
def put_policy(call: Call) -> HttpResponse:
    call.store["policies"][call.params["Bucket"]] = {"Policy": call.params["Policy"]}
    return HttpResponse(status=204, headers=[], body=b"")


@s3.answers("GetBucketPolicy")
def get_policy(call: Call) -> HttpResponse:
    found = call.store["policies"].get(call.params["Bucket"])
    if found is None:
        return call.ask_moto()
    return HttpResponse(status=200, headers=[("Content-Type", "application/json")], body=found["Policy"].encode())


@s3.answers("DeleteBucketPolicy")
def delete_policy(call: Call) -> HttpResponse:
    call.store["policies"].pop(call.params["Bucket"], None)
    return HttpResponse(status=204, headers=[], body=b"")
