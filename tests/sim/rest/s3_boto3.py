"""What boto3 is to find at a lab's S3. Run by s3_clients_test; the endpoint is in OTASIM_ENDPOINT."""
import hashlib
import http.client
import io
import os
import ssl
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["OTASIM_ENDPOINT"]
TRUST = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
PATTERN = bytes((i * 7 + i // 251) % 256 for i in range(6_000_000))


def client(**more):
    return boto3.client("s3", endpoint_url=ENDPOINT, config=Config(retries={"max_attempts": 1}, **more))


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError(f"{call.__name__}{arguments} was not refused")


def fetch(url, method="GET", data=None, headers=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    with urllib.request.urlopen(request, context=TRUST) as response:
        return response.status, response.read(), response.headers


def refusal(url, **more):
    try:
        fetch(url, **more)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    raise AssertionError(f"{url} was not refused")


def objects(s3):
    s3.create_bucket(Bucket="firmware")
    put = s3.put_object(Bucket="firmware", Key="notes/ä b+c&d<e>.txt", Body=b"hello", ContentType="text/plain",
                        CacheControl="no-cache", Metadata={"build": "17", "who": "me"})
    assert put["ETag"] == '"%s"' % hashlib.md5(b"hello").hexdigest(), put
    assert "VersionId" not in put
    got = s3.get_object(Bucket="firmware", Key="notes/ä b+c&d<e>.txt")
    assert got["Body"].read() == b"hello"
    assert got["ContentType"] == "text/plain" and got["CacheControl"] == "no-cache"
    assert got["Metadata"] == {"build": "17", "who": "me"}, got["Metadata"]
    head = s3.head_object(Bucket="firmware", Key="notes/ä b+c&d<e>.txt")
    assert head["ContentLength"] == 5
    part = s3.get_object(Bucket="firmware", Key="notes/ä b+c&d<e>.txt", Range="bytes=1-3")
    assert part["Body"].read() == b"ell" and part["ContentRange"] == "bytes 1-3/5"
    changed = s3.get_object(Bucket="firmware", Key="notes/ä b+c&d<e>.txt", ResponseContentType="image/png")
    assert changed["ContentType"] == "image/png"
    key = dict(Bucket="firmware", Key="notes/ä b+c&d<e>.txt")
    assert error_of(s3.get_object, IfNoneMatch=put["ETag"], **key)[1] == 304
    assert error_of(s3.get_object, IfMatch='"other"', **key) == ("PreconditionFailed", 412)
    assert error_of(s3.get_object, IfModifiedSince=head["LastModified"], **key)[1] == 304
    assert s3.get_object(IfUnmodifiedSince=head["LastModified"], **key)["Body"].read() == b"hello"
    s3.copy_object(Bucket="firmware", Key="copy", CopySource=key)
    assert s3.head_object(Bucket="firmware", Key="copy")["Metadata"]["build"] == "17"
    s3.copy_object(Bucket="firmware", Key="copy", CopySource=key, MetadataDirective="REPLACE", Metadata={"x": "y"})
    assert s3.head_object(Bucket="firmware", Key="copy")["Metadata"] == {"x": "y"}
    s3.put_object(Bucket="firmware", Key="empty", Body=b"")
    assert s3.get_object(Bucket="firmware", Key="empty")["Body"].read() == b""


def checksums(s3):
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        put = s3.put_object(Bucket="firmware", Key=algorithm, Body=io.BytesIO(PATTERN), ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket="firmware", Key=algorithm, ChecksumMode="ENABLED")
        assert got["Body"].read() == PATTERN
        assert got["Checksum" + algorithm] == put["Checksum" + algorithm]
    wrong = dict(Bucket="firmware", Key="wrong", Body=b"x")
    assert error_of(s3.put_object, ChecksumCRC32="AAAAAA==", **wrong) == ("BadDigest", 400)
    assert error_of(s3.put_object, ChecksumSHA256="AAAA", **wrong) == ("InvalidRequest", 400)
    assert error_of(s3.put_object, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==", **wrong) == ("BadDigest", 400)
    assert error_of(s3.put_object, ContentMD5="nonsense", **wrong) == ("InvalidDigest", 400)
    assert error_of(s3.head_object, Bucket="firmware", Key="wrong")[1] == 404


def signed_payload():
    s3 = client(s3={"payload_signing_enabled": True})
    s3.put_object(Bucket="firmware", Key="signed", Body=PATTERN)
    assert s3.get_object(Bucket="firmware", Key="signed")["Body"].read() == PATTERN


def listings(s3):
    s3.create_bucket(Bucket="many")
    for i in range(25):
        s3.put_object(Bucket="many", Key=f"{'odd' if i % 2 else 'even'}/{i:02}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="many", PaginationConfig={"PageSize": 4})
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    assert keys == sorted(keys) and len(keys) == 25, keys
    pages = s3.get_paginator("list_objects").paginate(Bucket="many", PaginationConfig={"PageSize": 3})
    assert [entry["Key"] for page in pages for entry in page.get("Contents", [])] == keys
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 1})
    assert [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])] == ["even/", "odd/"]
    after = s3.list_objects_v2(Bucket="many", StartAfter="odd/21", MaxKeys=10)
    assert [entry["Key"] for entry in after["Contents"]] == ["odd/23"] and not after["IsTruncated"]
    assert s3.list_objects_v2(Bucket="many", MaxKeys=0)["KeyCount"] == 0
    pages = s3.get_paginator("list_object_versions").paginate(Bucket="many", PaginationConfig={"PageSize": 7})
    assert [v["VersionId"] for page in pages for v in page["Versions"]] == ["null"] * 25
    deleted = s3.delete_objects(Bucket="many", Delete={"Objects": [{"Key": key} for key in keys] + [{"Key": "none"}]})
    assert len(deleted["Deleted"]) == 26 and "Errors" not in deleted
    s3.delete_bucket(Bucket="many")


def versions(s3):
    s3.create_bucket(Bucket="versioned")
    assert "Status" not in s3.get_bucket_versioning(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket="versioned")["Status"] == "Enabled"
    ids = [s3.put_object(Bucket="versioned", Key="k", Body=bytes([i]))["VersionId"] for i in range(5)]
    for i, version in enumerate(ids):
        assert s3.get_object(Bucket="versioned", Key="k", VersionId=version)["Body"].read() == bytes([i])
    marker = s3.delete_object(Bucket="versioned", Key="k")
    assert marker["DeleteMarker"] is True
    assert error_of(s3.get_object, Bucket="versioned", Key="k") == ("NoSuchKey", 404)
    assert error_of(s3.get_object, Bucket="versioned", Key="k", VersionId=marker["VersionId"])[1] == 405
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket="versioned", PaginationConfig={"PageSize": 2}))
    assert [v["VersionId"] for page in pages for v in page.get("Versions", [])] == ids[::-1]
    assert [m["VersionId"] for page in pages for m in page.get("DeleteMarkers", [])] == [marker["VersionId"]]
    # As those do who empty a bucket: each page is gone when the next is asked for.
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="versioned", PaginationConfig={"PageSize": 2}):
        for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket="versioned", Key=entry["Key"], VersionId=entry["VersionId"])
    s3.delete_bucket(Bucket="versioned")


def multipart(s3):
    s3.upload_fileobj(io.BytesIO(PATTERN * 3), "firmware", "large", ExtraArgs={"Metadata": {"parts": "yes"}})
    got = s3.get_object(Bucket="firmware", Key="large")
    assert got["Body"].read() == PATTERN * 3 and got["Metadata"] == {"parts": "yes"} and got["ETag"].endswith('-3"')
    where = dict(Bucket="firmware", Key="parts")
    upload = s3.create_multipart_upload(ChecksumAlgorithm="SHA256", ContentType="text/plain", **where)["UploadId"]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket="firmware")["Uploads"]] == [upload]
    parts = []
    for number, content in ((1, PATTERN), (2, b"end")):
        part = s3.upload_part(PartNumber=number, UploadId=upload, Body=content, ChecksumAlgorithm="SHA256", **where)
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    listed = s3.list_parts(UploadId=upload, MaxParts=1, **where)
    assert listed["IsTruncated"] and listed["Parts"][0]["Size"] == len(PATTERN)
    wrong = [dict(parts[0], ETag='"00000000000000000000000000000000"')]
    assert error_of(s3.complete_multipart_upload, UploadId=upload, MultipartUpload={"Parts": wrong}, **where) == ("InvalidPart", 400)
    assert error_of(s3.complete_multipart_upload, UploadId=upload, MultipartUpload={"Parts": parts[::-1]}, **where) == ("InvalidPartOrder", 400)
    done = s3.complete_multipart_upload(UploadId=upload, MultipartUpload={"Parts": parts}, **where)
    assert done["ChecksumSHA256"].endswith("-2"), done
    assert s3.get_object(**where)["Body"].read() == PATTERN + b"end"
    copied = s3.create_multipart_upload(Bucket="firmware", Key="copied")["UploadId"]
    part = s3.upload_part_copy(Bucket="firmware", Key="copied", UploadId=copied, PartNumber=1, CopySource=where,
                               CopySourceRange="bytes=1-10")
    assert error_of(s3.upload_part_copy, Bucket="firmware", Key="copied", UploadId=copied, PartNumber=2, CopySource=where,
                    CopySourceRange="bytes=1-99999999") == ("InvalidArgument", 400)
    s3.complete_multipart_upload(Bucket="firmware", Key="copied", UploadId=copied, MultipartUpload={
        "Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]})
    assert s3.get_object(Bucket="firmware", Key="copied")["Body"].read() == PATTERN[1:11]
    small = s3.create_multipart_upload(**where)["UploadId"]
    parts = [{"PartNumber": n, "ETag": s3.upload_part(PartNumber=n, UploadId=small, Body=b"x", **where)["ETag"]} for n in (1, 2)]
    assert error_of(s3.complete_multipart_upload, UploadId=small, MultipartUpload={"Parts": parts}, **where) == ("EntityTooSmall", 400)
    s3.abort_multipart_upload(UploadId=small, **where)
    assert error_of(s3.list_parts, UploadId=small, **where) == ("NoSuchUpload", 404)


def presigned():
    # What boto3 of 2022 presigns with unless it is told otherwise, which S3 takes for no new bucket either.
    old = client().generate_presigned_url("get_object", Params={"Bucket": "firmware", "Key": "copy"})
    code, text = refusal(old)
    assert code == 400 and "Please use AWS4-HMAC-SHA256" in text and "signature_version" in text
    s3 = client(signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "firmware", "Key": "by/url", "ContentType": "text/x"})
    assert fetch(url, "PUT", b"by url", {"Content-Type": "text/x"})[0] == 200
    assert refusal(url, method="PUT", data=b"by url", headers={"Content-Type": "text/y"})[0] == 403
    url = s3.generate_presigned_url("put_object", ExpiresIn=10_000_000,
                                    Params={"Bucket": "firmware", "Key": "by/url", "ContentType": "text/x"})
    code, text = refusal(url, method="PUT", data=b"too late", headers={"Content-Type": "text/x"})
    assert code == 400 and "AuthorizationQueryParametersError" in text and "604800" in text
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "firmware", "Key": "by/url", "ResponseContentDisposition": "attachment"})
    status, content, headers = fetch(url)
    assert content == b"by url" and headers["Content-Disposition"] == "attachment" and headers["Content-Type"] == "text/x"
    code, text = refusal(url.replace("attachment", "inline"))
    assert code == 403 and "<Code>SignatureDoesNotMatch</Code>" in text and "<StringToSign>" in text
    assert refusal(ENDPOINT + "/firmware/by/url")[0] == 403


def errors(s3):
    assert error_of(s3.create_bucket, Bucket="firmware") == ("BucketAlreadyOwnedByYou", 409)
    assert error_of(s3.delete_bucket, Bucket="firmware") == ("BucketNotEmpty", 409)
    assert error_of(s3.list_objects_v2, Bucket="no-such-bucket") == ("NoSuchBucket", 404)
    assert error_of(s3.head_bucket, Bucket="no-such-bucket")[1] == 404
    assert error_of(s3.put_object, Bucket="no-such-bucket", Key="k", Body=b"x") == ("NoSuchBucket", 404)
    assert error_of(s3.get_object, Bucket="firmware", Key="k", VersionId="v") == ("NoSuchVersion", 404)
    assert error_of(s3.get_bucket_policy, Bucket="firmware") == ("NotImplemented", 501)
    assert error_of(s3.put_object_acl, Bucket="firmware", Key="copy", ACL="private")[0] == "NotImplemented"
    assert error_of(s3.list_objects_v2, Bucket="firmware", ContinuationToken="?") == ("InvalidArgument", 400)
    assert s3.head_bucket(Bucket="firmware")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.get_object_tagging(Bucket="firmware", Key="copy")["TagSet"] == []
    assert "firmware" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket="firmware")["LocationConstraint"] is None
    assert error_of(boto3.client("s3", endpoint_url=ENDPOINT, region_name="eu-west-1").list_buckets)[0] == "AuthorizationHeaderMalformed"


def main():
    s3 = client()
    assert s3.meta.endpoint_url == ENDPOINT
    objects(s3)
    checksums(s3)
    signed_payload()
    listings(s3)
    versions(s3)
    multipart(s3)
    presigned()
    errors(s3)
    print("all claims hold")


main()
