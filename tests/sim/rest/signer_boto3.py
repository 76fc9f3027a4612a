"""What boto3 is to find at a lab's Signer and ACM. Run by signer_clients_test; the endpoint is in OTASIM_ENDPOINT."""
import base64
import json
import os
import subprocess

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["OTASIM_ENDPOINT"]


def client(service):
    return boto3.client(service, endpoint_url=ENDPOINT, config=Config(retries={"max_attempts": 1}))


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call.__name__}{arguments} was not refused")


def make_rsa():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key", "-out", "rsa.pem",
                    "-days", "1", "-subj", "/CN=rsa signer", "-addext", "keyUsage=critical,digitalSignature",
                    "-addext", "extendedKeyUsage=codeSigning"], check=True, capture_output=True)
    return open("rsa.pem", "rb").read(), open("rsa.key", "rb").read()


def certificates(acm, certificate, key):
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    told = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert told["DomainName"] == "rsa signer" and told["KeyAlgorithm"] == "RSA_2048" and told["Type"] == "IMPORTED"
    assert acm.get_certificate(CertificateArn=arn)["Certificate"].encode() == certificate
    assert [c["CertificateArn"] for c in acm.list_certificates()["CertificateSummaryList"]] == [arn]
    assert error_of(acm.import_certificate, Certificate=b"x", PrivateKey=key) == "ValidationException"
    assert error_of(acm.describe_certificate, CertificateArn=arn[:-1] + "!") == "ResourceNotFoundException"
    return arn


def main():
    acm, s3, signer = client("acm"), client("s3"), client("signer")
    certificate, key = make_rsa()
    arn = certificates(acm, certificate, key)
    s3.create_bucket(Bucket="firmware")
    s3.put_bucket_versioning(Bucket="firmware", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="firmware", Key="app.bin", Body=b"content")["VersionId"]

    platforms = signer.list_signing_platforms()["platforms"]
    assert [p["platformId"] for p in platforms] == ["AmazonFreeRTOS-Default", "AmazonFreeRTOS-TI-CC3220SF"]
    assert signer.get_signing_platform(platformId="AmazonFreeRTOS-TI-CC3220SF")["maxSizeInMB"] == 16
    assert error_of(signer.get_signing_platform, platformId="None") == "ResourceNotFoundException"

    put = signer.put_signing_profile(profileName="ti", platformId="AmazonFreeRTOS-TI-CC3220SF",
                                     signingMaterial={"certificateArn": arn}, signingParameters={"certname": "/c.pem"})
    assert len(put["profileVersion"]) == 10 and put["arn"].endswith(":/signing-profiles/ti")
    profile = signer.get_signing_profile(profileName="ti")
    assert profile["status"] == "Active" and profile["signingParameters"] == {"certname": "/c.pem"}
    assert [p["profileName"] for p in signer.list_signing_profiles()["profiles"]] == ["ti"]
    assert error_of(signer.put_signing_profile, profileName="p256", platformId="AmazonFreeRTOS-Default",
                    signingMaterial={"certificateArn": arn}) == "ValidationException"

    source = {"s3": {"bucketName": "firmware", "key": "app.bin", "version": version}}
    start = dict(source=source, destination={"s3": {"bucketName": "firmware", "prefix": "signed/"}}, profileName="ti")
    job = signer.start_signing_job(clientRequestToken="a", **start)["jobId"]
    assert signer.start_signing_job(clientRequestToken="a", **start)["jobId"] == job
    signer.get_waiter("successful_signing_job").wait(jobId=job)
    told = signer.describe_signing_job(jobId=job)
    assert told["status"] == "Succeeded" and told["source"] == source and told["profileName"] == "ti"
    signed = json.loads(s3.get_object(Bucket="firmware", Key=told["signedObject"]["s3"]["key"])["Body"].read())
    assert signed["signatureAlgorithm"] == "SHA1withRSA" and signed["rawPayloadSize"] == 7
    open("content", "wb").write(b"content")
    open("signature", "wb").write(base64.b64decode(signed["signature"]))
    subprocess.run("openssl x509 -in rsa.pem -pubkey -noout > rsa.pub && "
                   "openssl dgst -sha1 -verify rsa.pub -signature signature content", shell=True, check=True,
                   capture_output=True)

    lost = dict(start, source={"s3": dict(source["s3"], key="none")})
    failed = signer.start_signing_job(clientRequestToken="b", **lost)["jobId"]
    assert "none" in signer.describe_signing_job(jobId=failed)["statusReason"]
    pages = signer.get_paginator("list_signing_jobs").paginate(PaginationConfig={"PageSize": 1})
    assert [j["jobId"] for page in pages for j in page["jobs"]] == [failed, job]
    assert [j["jobId"] for j in signer.list_signing_jobs(status="Failed")["jobs"]] == [failed]

    signer.cancel_signing_profile(profileName="ti")
    assert signer.list_signing_profiles()["profiles"] == []
    assert signer.list_signing_profiles(includeCanceled=True)["profiles"][0]["status"] == "Canceled"
    assert error_of(signer.start_signing_job, clientRequestToken="c", **start) == "ValidationException"
    assert error_of(signer.describe_signing_job, jobId="none") == "ResourceNotFoundException"
    acm.delete_certificate(CertificateArn=arn)
    assert acm.list_certificates()["CertificateSummaryList"] == []
    print("all claims hold")


main()
