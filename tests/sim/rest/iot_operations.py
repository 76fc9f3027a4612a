"""Every operation of AWS IoT's control plane and of the jobs data plane, called with boto3 against a lab.

The environment names the lab as a user is told to (AWS_*, OTASIM_ENDPOINT) and, for mutual TLS,
OTASIM_JOBS_ENDPOINT. The lab's store has the objects firmware/app.bin and documents/job.json. Each step checks
what is answered; the first that is not as AWS's ends the script with a message.
"""
import datetime
import json
import os
import subprocess
import sys
import tempfile

import boto3
import botocore
import botocore.auth
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["OTASIM_ENDPOINT"]
JOBS_ENDPOINT = os.environ["OTASIM_JOBS_ENDPOINT"]
ACCOUNT = "arn:aws:iot:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/ota-service"
CONFIG = {"retries": {"max_attempts": 0}, "parameter_validation": False}


def client(service, endpoint=ENDPOINT, **more):
    config = Config(**CONFIG, **more.pop("config", {}))
    return boto3.client(service, endpoint_url=endpoint, config=config, **more)


iot = client("iot")
data = client("iot-jobs-data")


def equal(given, expected, what=""):
    assert given == expected, f"{what}: {given!r} instead of {expected!r}"


def refused(name, status, call, /, *positional, **members):
    """Calls, and expects this error. Returns what was answered."""
    try:
        call(*positional, **members)
    except ClientError as error:
        answer = error.response
        equal(answer["Error"]["Code"], name, answer["Error"]["Message"])
        equal(answer["ResponseMetadata"]["HTTPStatusCode"], status, name)
        assert answer["Error"]["Message"], f"{name} has a message"
        assert answer["ResponseMetadata"]["RequestId"], f"{name} has a request id"
        return answer
    raise AssertionError(f"{name} was expected")


def all_of(call, member, **members):
    """All items of a list, two on a page."""
    token = "marker" if "pageSize" in members else "nextToken"
    answered = "nextMarker" if token == "marker" else "nextToken"
    items = []
    while True:
        page = call(**members)
        items += page[member]
        if answered not in page:
            return items
        equal(len(page[member]), 2, "a page that is not the last is full")
        members[token] = page[answered]


def things():
    made = iot.create_thing(thingName="lamp", attributePayload={"attributes": {"site": "a-1", "rev": "2"}})
    equal(made["thingArn"], ACCOUNT + "thing/lamp")
    equal(iot.create_thing(thingName="lamp")["thingId"], made["thingId"], "the same again")
    exists = refused("ResourceAlreadyExistsException", 409, iot.create_thing, thingName="lamp",
                     attributePayload={"attributes": {"site": "b"}})
    equal(exists["resourceArn"], made["thingArn"])
    equal(exists["resourceId"], "lamp")
    for name in ["door:1", "door_2", "door-3", "gone"]:
        iot.create_thing(thingName=name)
    described = iot.describe_thing(thingName="lamp")
    equal(described["attributes"], {"site": "a-1", "rev": "2"})
    equal((described["version"], described["defaultClientId"]), (1, "lamp"))
    iot.update_thing(thingName="lamp", expectedVersion=1,
                     attributePayload={"attributes": {"rev": "", "floor": "3"}, "merge": True})
    equal(iot.describe_thing(thingName="lamp")["attributes"], {"site": "a-1", "floor": "3"})
    refused("VersionConflictException", 409, iot.update_thing, thingName="lamp", expectedVersion=1)
    equal([t["thingName"] for t in all_of(iot.list_things, "things", maxResults=2)],
          ["door-3", "door:1", "door_2", "gone", "lamp"])
    equal([t["thingName"] for t in iot.list_things(attributeName="site", attributeValue="a-1")["things"]], ["lamp"])
    equal(iot.list_things(attributeName="site", attributeValue="a")["things"], [])
    equal(len(iot.list_things(attributeName="site", attributeValue="a", usePrefixAttributeValue=True)["things"]), 1)
    refused("VersionConflictException", 409, iot.delete_thing, thingName="gone", expectedVersion=7)
    iot.delete_thing(thingName="gone")
    iot.delete_thing(thingName="gone")
    refused("ResourceNotFoundException", 404, iot.describe_thing, thingName="gone")
    answer = refused("InvalidRequestException", 400, iot.create_thing, thingName="a b")
    assert "thingName" in answer["Error"]["Message"], answer
    refused("InvalidRequestException", 400, iot.create_thing, thingName="x" * 129)
    refused("InvalidRequestException", 400, iot.list_things, maxResults=251)
    refused("InvalidRequestException", 400, iot.list_things, nextToken="no token")
    refused("ResourceNotFoundException", 404, iot.create_thing, thingName="typed", thingTypeName="bulb")


def groups():
    made = iot.create_thing_group(thingGroupName="house", thingGroupProperties={
        "thingGroupDescription": "all of it", "attributePayload": {"attributes": {"zip": "8000"}}},
        tags=[{"Key": "owner", "Value": "me"}])
    equal(made["thingGroupArn"], ACCOUNT + "thinggroup/house")
    iot.create_thing_group(thingGroupName="attic", parentGroupName="house")
    iot.create_thing_group(thingGroupName="attic-left", parentGroupName="attic")
    refused("ResourceAlreadyExistsException", 409, iot.create_thing_group, thingGroupName="attic")
    refused("ResourceNotFoundException", 404, iot.create_thing_group, thingGroupName="x", parentGroupName="none")
    described = iot.describe_thing_group(thingGroupName="attic-left")
    equal(described["thingGroupMetadata"]["parentGroupName"], "attic")
    equal([g["groupName"] for g in described["thingGroupMetadata"]["rootToParentThingGroups"]], ["house", "attic"])
    assert isinstance(described["thingGroupMetadata"]["creationDate"], datetime.datetime)
    equal(iot.update_thing_group(thingGroupName="house", expectedVersion=1,
                                 thingGroupProperties={"thingGroupDescription": "the house"})["version"], 2)
    house = iot.describe_thing_group(thingGroupName="house")
    equal(house["thingGroupProperties"], {"attributePayload": {"attributes": {"zip": "8000"}},
                                          "thingGroupDescription": "the house"})
    refused("VersionConflictException", 409, iot.update_thing_group, thingGroupName="house", expectedVersion=1,
            thingGroupProperties={})
    names = lambda **filters: [g["groupName"] for g in iot.list_thing_groups(**filters)["thingGroups"]]
    equal(names(), ["attic", "attic-left", "house"])
    equal(names(recursive=False), ["house"])
    equal(names(parentGroup="house", recursive=False), ["attic"])
    equal(names(parentGroup="house"), ["attic", "attic-left"])
    equal(names(namePrefixFilter="att"), ["attic", "attic-left"])
    equal(len(all_of(iot.list_thing_groups, "thingGroups", maxResults=2)), 3)

    iot.add_thing_to_thing_group(thingGroupName="attic", thingName="lamp")
    iot.add_thing_to_thing_group(thingGroupArn=ACCOUNT + "thinggroup/attic-left", thingArn=ACCOUNT + "thing/door:1")
    equal(iot.list_things_in_thing_group(thingGroupName="attic")["things"], ["lamp"])
    equal(iot.list_things_in_thing_group(thingGroupName="house", recursive=True)["things"], ["door:1", "lamp"])
    equal([g["groupName"] for g in iot.list_thing_groups_for_thing(thingName="lamp")["thingGroups"]], ["attic"])
    iot.update_thing_groups_for_thing(thingName="lamp", thingGroupsToAdd=["house"], thingGroupsToRemove=["attic"])
    equal([g["groupName"] for g in iot.list_thing_groups_for_thing(thingName="lamp")["thingGroups"]], ["house"])
    iot.remove_thing_from_thing_group(thingGroupName="attic-left", thingName="door:1")
    equal(iot.list_things_in_thing_group(thingGroupName="house", recursive=True)["things"], ["lamp"])
    refused("ResourceNotFoundException", 404, iot.add_thing_to_thing_group, thingGroupName="none", thingName="lamp")
    refused("InvalidRequestException", 400, iot.add_thing_to_thing_group, thingName="lamp")
    refused("InvalidRequestException", 400, iot.delete_thing_group, thingGroupName="attic")
    iot.delete_thing_group(thingGroupName="attic-left")
    refused("ResourceNotFoundException", 404, iot.describe_thing_group, thingGroupName="attic-left")

    tags = lambda arn: {t["Key"]: t["Value"] for t in iot.list_tags_for_resource(resourceArn=arn)["tags"]}
    equal(tags(made["thingGroupArn"]), {"owner": "me"})
    iot.tag_resource(resourceArn=made["thingGroupArn"], tags=[{"Key": "owner", "Value": "you"}, {"Key": "cost/é"}])
    equal(tags(made["thingGroupArn"]), {"owner": "you", "cost/é": ""})
    iot.untag_resource(resourceArn=made["thingGroupArn"], tagKeys=["owner", "never"])
    equal(tags(made["thingGroupArn"]), {"cost/é": ""})
    refused("ResourceNotFoundException", 404, iot.tag_resource, resourceArn=ACCOUNT + "job/none", tags=[])
    refused("InvalidRequestException", 400, iot.tag_resource, resourceArn="arn:aws:iot:eu-west-1:1:job/none", tags=[])


def certificates(folder):
    made = iot.create_keys_and_certificate(setAsActive=True)
    equal(made["certificateArn"], ACCOUNT + "cert/" + made["certificateId"])
    assert made["keyPair"]["PrivateKey"].startswith("-----BEGIN RSA PRIVATE KEY-----"), made["keyPair"]
    assert made["keyPair"]["PublicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    described = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
    equal(described["status"], "ACTIVE")
    equal(described["certificatePem"], made["certificatePem"])
    assert described["validity"]["notBefore"] < datetime.datetime.now(datetime.timezone.utc)
    assert described["validity"]["notAfter"] > datetime.datetime.now(datetime.timezone.utc)

    key, csr, own = (os.path.join(folder, name) for name in ["csr.key", "csr.pem", "own.pem"])
    run = lambda *command: subprocess.run(["openssl", *command], check=True, capture_output=True)
    run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
        "-subj", "/CN=lamp")
    from_csr = iot.create_certificate_from_csr(certificateSigningRequest=open(csr).read())
    equal(iot.describe_certificate(certificateId=from_csr["certificateId"])["certificateDescription"]["status"],
          "INACTIVE")
    refused("InvalidRequestException", 400, iot.create_certificate_from_csr, certificateSigningRequest="nothing")
    refused("ResourceAlreadyExistsException", 409, iot.register_certificate,
            certificatePem=from_csr["certificatePem"])
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key + "2", "-out",
        own, "-subj", "/CN=own", "-days", "1")
    refused("CertificateValidationException", 400, iot.register_certificate, certificatePem=open(own).read())
    registered = iot.register_certificate_without_ca(certificatePem=open(own).read(), status="ACTIVE")
    again = refused("ResourceAlreadyExistsException", 409, iot.register_certificate_without_ca,
                    certificatePem=open(own).read())
    equal(again["resourceArn"], registered["certificateArn"])
    listed = all_of(iot.list_certificates, "certificates", pageSize=2)
    equal(sorted(c["certificateId"] for c in listed),
          sorted(c["certificateId"] for c in [made, from_csr, registered]))

    refused("CertificateStateException", 406, iot.delete_certificate, certificateId=registered["certificateId"])
    iot.update_certificate(certificateId=registered["certificateId"], newStatus="REVOKED")
    iot.delete_certificate(certificateId=registered["certificateId"])
    refused("ResourceNotFoundException", 404, iot.describe_certificate, certificateId=registered["certificateId"])
    # One of the lab's authority that the registry has forgotten may be registered again.
    iot.delete_certificate(certificateId=from_csr["certificateId"])
    equal(iot.register_certificate(certificatePem=from_csr["certificatePem"], setAsActive=True)["certificateId"],
          from_csr["certificateId"])
    refused("InvalidRequestException", 400, iot.describe_certificate, certificateId="short")
    refused("InvalidRequestException", 400, iot.update_certificate, certificateId=made["certificateId"],
            newStatus="PENDING_TRANSFER")
    return made, from_csr


def principals(made, other):
    arn = made["certificateArn"]
    iot.attach_thing_principal(thingName="lamp", principal=arn)
    equal(iot.list_thing_principals(thingName="lamp")["principals"], [arn])
    iot.attach_thing_principal(thingName="door_2", principal=arn)
    equal(iot.list_principal_things(principal=arn)["things"], ["door_2", "lamp"])
    iot.detach_thing_principal(thingName="door_2", principal=arn)
    equal(iot.list_principal_things(principal=arn)["things"], ["lamp"])
    refused("ResourceNotFoundException", 404, iot.detach_thing_principal, thingName="door_2", principal=arn)
    refused("ResourceNotFoundException", 404, iot.attach_thing_principal, thingName="none", principal=arn)
    refused("InvalidRequestException", 400, iot.attach_thing_principal, thingName="lamp", principal="nobody")
    refused("InvalidRequestException", 400, iot.delete_thing, thingName="lamp")

    document = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})
    policy = iot.create_policy(policyName="all", policyDocument=document, tags=[{"Key": "k", "Value": "v"}])
    equal((policy["policyArn"], policy["policyVersionId"]), (ACCOUNT + "policy/all", "1"))
    refused("ResourceAlreadyExistsException", 409, iot.create_policy, policyName="all", policyDocument=document)
    refused("MalformedPolicyException", 400, iot.create_policy, policyName="bad", policyDocument="{}")
    equal(json.loads(iot.get_policy(policyName="all")["policyDocument"]), json.loads(document))
    iot.create_policy(policyName="second", policyDocument=document)
    names = [p["policyName"] for p in all_of(iot.list_policies, "policies", pageSize=2)]
    assert {"all", "second"} <= set(names), names
    iot.attach_policy(policyName="all", target=arn)
    iot.attach_principal_policy(policyName="second", principal=arn)
    equal([p["policyName"] for p in iot.list_attached_policies(target=arn)["policies"]], ["all", "second"])
    equal([p["policyName"] for p in iot.list_principal_policies(principal=arn)["policies"]], ["all", "second"])
    equal(iot.list_targets_for_policy(policyName="all")["targets"], [arn])
    refused("DeleteConflictException", 409, iot.delete_policy, policyName="all")
    iot.detach_principal_policy(policyName="second", principal=arn)
    iot.delete_policy(policyName="second")
    iot.attach_policy(policyName="all", target=other["certificateArn"])
    iot.detach_policy(policyName="all", target=other["certificateArn"])
    refused("ResourceNotFoundException", 404, iot.get_policy, policyName="second")
    refused("ResourceNotFoundException", 404, iot.attach_policy, policyName="second", target=arn)
    refused("InvalidRequestException", 400, iot.attach_policy, policyName="all", target="group")

    iot.update_certificate(certificateId=other["certificateId"], newStatus="INACTIVE")
    iot.attach_policy(policyName="all", target=other["certificateArn"])
    refused("DeleteConflictException", 409, iot.delete_certificate, certificateId=other["certificateId"])
    iot.delete_certificate(certificateId=other["certificateId"], forceDelete=True)


def streams():
    place = {"bucket": "firmware", "key": "app.bin"}
    made = iot.create_stream(streamId="s1", files=[{"fileId": 0, "s3Location": place}], roleArn=ROLE,
                             description="one file", tags=[{"Key": "a", "Value": "b"}])
    equal((made["streamArn"], made["streamVersion"], made["description"]), (ACCOUNT + "stream/s1", 1, "one file"))
    info = iot.describe_stream(streamId="s1")["streamInfo"]
    equal(info["files"], [{"fileId": 0, "s3Location": place}])
    equal(info["roleArn"], ROLE)
    equal(iot.update_stream(streamId="s1", files=[{"fileId": 7, "s3Location": place}])["streamVersion"], 2)
    equal(iot.describe_stream(streamId="s1")["streamInfo"]["files"][0]["fileId"], 7)
    for name in ["s2", "s3"]:
        iot.create_stream(streamId=name, files=[{"fileId": 0, "s3Location": place}], roleArn=ROLE)
    equal([s["streamId"] for s in all_of(iot.list_streams, "streams", maxResults=2)], ["s1", "s2", "s3"])
    iot.delete_stream(streamId="s2")
    refused("ResourceNotFoundException", 404, iot.describe_stream, streamId="s2")
    refused("ResourceAlreadyExistsException", 409, iot.create_stream, streamId="s1", roleArn=ROLE,
            files=[{"fileId": 0, "s3Location": place}])
    refused("InvalidRequestException", 400, iot.create_stream, streamId="s4", roleArn=ROLE, files=[])
    refused("InvalidRequestException", 400, iot.create_stream, streamId="s4", roleArn=ROLE,
            files=[{"fileId": 256, "s3Location": place}])
    refused("InvalidRequestException", 400, iot.create_stream, streamId="s4",
            files=[{"fileId": 0, "s3Location": place}])
    refused("ResourceNotFoundException", 404, iot.create_stream, streamId="s4", roleArn=ROLE,
            files=[{"fileId": 0, "s3Location": {"bucket": "firmware", "key": "none"}}])


ROLLOUT = {"maximumPerMinute": 50, "exponentialRate": {"baseRatePerMinute": 5, "incrementFactor": 1.5,
                                                       "rateIncreaseCriteria": {"numberOfNotifiedThings": 10}}}
ABORT = {"criteriaList": [{"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 12.5,
                           "minNumberOfExecutedThings": 3}]}
RETRY = {"criteriaList": [{"failureType": "TIMED_OUT", "numberOfRetries": 2}]}


def jobs():
    lamp, house = ACCOUNT + "thing/lamp", ACCOUNT + "thinggroup/house"
    document = json.dumps({"operation": "blink", "url":
                           "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/firmware/app.bin}"})
    made = iot.create_job(jobId="blink", targets=[lamp, ACCOUNT + "thing/door_2"], document=document,
                          description="blink twice", targetSelection="SNAPSHOT",
                          presignedUrlConfig={"roleArn": ROLE, "expiresInSec": 90},
                          jobExecutionsRolloutConfig=ROLLOUT, abortConfig=ABORT,
                          timeoutConfig={"inProgressTimeoutInMinutes": 30}, jobExecutionsRetryConfig=RETRY,
                          tags=[{"Key": "t", "Value": "1"}])
    equal((made["jobArn"], made["jobId"], made["description"]), (ACCOUNT + "job/blink", "blink", "blink twice"))
    job = iot.describe_job(jobId="blink")["job"]
    equal(job["status"], "IN_PROGRESS")
    equal(sorted(job["targets"]), [ACCOUNT + "thing/door_2", lamp])
    equal(job["jobExecutionsRolloutConfig"], ROLLOUT)
    equal(job["abortConfig"], ABORT)
    equal(job["jobExecutionsRetryConfig"], RETRY)
    equal(job["presignedUrlConfig"]["expiresInSec"], 90)
    equal(job["timeoutConfig"], {"inProgressTimeoutInMinutes": 30})
    assert isinstance(job["createdAt"], datetime.datetime)
    iot.update_job(jobId="blink", description="blink thrice", presignedUrlConfig={"expiresInSec": 120},
                   timeoutConfig={"inProgressTimeoutInMinutes": 60})
    job = iot.describe_job(jobId="blink")["job"]
    equal((job["description"], job["presignedUrlConfig"]["expiresInSec"]), ("blink thrice", 120))
    equal(json.loads(iot.get_job_document(jobId="blink")["document"]), json.loads(document))

    source = "https://s3.us-east-1.amazonaws.com/documents/job.json"
    iot.create_job(jobId="from-s3", targets=[house], documentSource=source, targetSelection="CONTINUOUS")
    described = iot.describe_job(jobId="from-s3")
    equal(described["documentSource"], source)
    equal(json.loads(iot.get_job_document(jobId="from-s3")["document"])["operation"], "from-s3")
    iot.create_job(jobId="hosted", targets=[lamp], documentSource="https://documents.s3.amazonaws.com/job.json")
    iot.create_job(jobId="own", targets=[lamp], documentSource=ENDPOINT + "/documents/job.json")
    equal(iot.associate_targets_with_job(jobId="from-s3", targets=[ACCOUNT + "thinggroup/attic"])["jobId"], "from-s3")
    refused("InvalidRequestException", 400, iot.associate_targets_with_job, jobId="from-s3", targets=[lamp])
    equal([j["jobId"] for j in all_of(iot.list_jobs, "jobs", maxResults=2)], ["blink", "from-s3", "hosted", "own"])
    equal([j["jobId"] for j in iot.list_jobs(targetSelection="CONTINUOUS")["jobs"]], ["from-s3"])
    equal([j["jobId"] for j in iot.list_jobs(thingGroupName="house")["jobs"]], ["from-s3"])
    equal([j["isConcurrent"] for j in iot.list_jobs()["jobs"]], [False] * 4)
    equal(iot.list_jobs(status="COMPLETED")["jobs"], [])

    refused("ResourceAlreadyExistsException", 409, iot.create_job, jobId="blink", targets=[lamp], document="{}")
    refused("ResourceNotFoundException", 404, iot.create_job, jobId="x", targets=[ACCOUNT + "thing/none"],
            document="{}")
    for bad in [{"document": "no json"}, {"document": "[" * 200}, {}, {"document": "{}", "documentSource": source},
                {"documentSource": "https://s3.amazonaws.com/documents/none"}, {"documentSource": "file:///etc/passwd"},
                {"document": "{}", "presignedUrlConfig": {"expiresInSec": 59}},
                {"document": "{}", "timeoutConfig": {"inProgressTimeoutInMinutes": 10081}},
                {"document": "{}", "jobExecutionsRolloutConfig": {"maximumPerMinute": 0}},
                {"document": "{}", "targetSelection": "SOME"}, {"document": "{}", "description": "x" * 2029}]:
        refused("InvalidRequestException", 400, iot.create_job, jobId="x", targets=[lamp], **bad)
    refused("InvalidRequestException", 400, iot.create_job, jobId="x", targets=["lamp"], document="{}")
    refused("InvalidRequestException", 400, iot.create_job, jobId="x", targets=[], document="{}")
    refused("ResourceNotFoundException", 404, iot.describe_job, jobId="none")


def executions():
    """What a device does over HTTPS, and what the operator sees of it."""
    pending = data.get_pending_job_executions(thingName="lamp")
    equal([j["jobId"] for j in pending["queuedJobs"]], ["blink", "from-s3", "hosted", "own"])
    equal(pending["inProgressJobs"], [])
    started = data.start_next_pending_job_execution(thingName="lamp", statusDetails={"step": "one"})["execution"]
    equal((started["jobId"], started["status"], started["versionNumber"]), ("blink", "IN_PROGRESS", 2))
    url = json.loads(started["jobDocument"])["url"]
    assert url.startswith("https://") and "X-Amz-Expires=120" in url, url
    shown = data.describe_job_execution(thingName="lamp", jobId="$next", includeJobDocument=True)["execution"]
    equal(shown["statusDetails"], {"step": "one"})
    assert json.loads(shown["jobDocument"])["url"] != url, "each delivery has a URL of its own"
    assert "jobDocument" not in data.describe_job_execution(thingName="lamp", jobId="blink")["execution"]
    updated = data.update_job_execution(thingName="lamp", jobId="blink", status="IN_PROGRESS", expectedVersion=2,
                                        statusDetails={"step": "two"}, includeJobExecutionState=True,
                                        includeJobDocument=True, stepTimeoutInMinutes=5)
    equal(updated["executionState"], {"status": "IN_PROGRESS", "statusDetails": {"step": "two"}, "versionNumber": 3})
    assert json.loads(updated["jobDocument"])["operation"] == "blink"
    refused("VersionConflictException", 409, data.update_job_execution, thingName="lamp", jobId="blink",
            status="SUCCEEDED", expectedVersion=1)
    equal(data.update_job_execution(thingName="lamp", jobId="blink", status="SUCCEEDED").get("executionState"), None)
    refused("InvalidStateTransitionException", 409, data.update_job_execution, thingName="lamp", jobId="blink",
            status="FAILED")
    refused("TerminalStateException", 410, data.describe_job_execution, thingName="lamp", jobId="blink")
    refused("ResourceNotFoundException", 404, data.describe_job_execution, thingName="lamp", jobId="none")
    refused("ResourceNotFoundException", 404, data.get_pending_job_executions, thingName="none")
    refused("InvalidRequestException", 400, data.update_job_execution, thingName="lamp", jobId="own", status="DONE")
    refused("InvalidRequestException", 400, data.update_job_execution, thingName="lamp", jobId="own")

    execution = iot.describe_job_execution(thingName="lamp", jobId="blink")["execution"]
    equal((execution["status"], execution["versionNumber"]), ("SUCCEEDED", 4))
    equal(execution["statusDetails"], {"detailsMap": {"step": "two"}})
    equal(execution["thingArn"], ACCOUNT + "thing/lamp")
    seen = {s["thingArn"].split("/")[1]: s["jobExecutionSummary"]["status"]
            for s in all_of(iot.list_job_executions_for_job, "executionSummaries", jobId="blink", maxResults=2)}
    equal(seen, {"lamp": "SUCCEEDED", "door_2": "QUEUED"})
    equal([s["jobId"] for s in iot.list_job_executions_for_thing(thingName="lamp", status="QUEUED")
           ["executionSummaries"]], ["from-s3", "hosted", "own"])
    iot.cancel_job_execution(thingName="lamp", jobId="own", statusDetails={"why": "no more"}, expectedVersion=1)
    equal(iot.describe_job_execution(thingName="lamp", jobId="own")["execution"]["status"], "CANCELED")
    refused("InvalidStateTransitionException", 409, iot.cancel_job_execution, thingName="lamp", jobId="own")
    refused("VersionConflictException", 409, iot.cancel_job_execution, thingName="lamp", jobId="hosted",
            expectedVersion=9)
    iot.delete_job_execution(thingName="lamp", jobId="own", executionNumber=1)
    refused("ResourceNotFoundException", 404, iot.describe_job_execution, thingName="lamp", jobId="own")
    refused("InvalidStateTransitionException", 409, iot.delete_job_execution, thingName="lamp", jobId="hosted",
            executionNumber=1)

    refused("InvalidRequestException", 400, iot.cancel_job, jobId="blink", reasonCode="lower case")
    equal(iot.cancel_job(jobId="blink", reasonCode="NO_MORE", comment="stop", force=True)["jobId"], "blink")
    job = iot.describe_job(jobId="blink")["job"]
    equal((job["status"], job["reasonCode"], job["comment"], job["forceCanceled"]),
          ("CANCELED", "NO_MORE", "stop", True))
    equal(job["jobProcessDetails"]["numberOfSucceededThings"], 1)
    equal(job["jobProcessDetails"]["numberOfCanceledThings"], 1)
    refused("InvalidStateTransitionException", 409, iot.delete_job, jobId="hosted")
    iot.delete_job(jobId="hosted", force=True)
    iot.delete_job(jobId="blink")


def templates():
    lamp = ACCOUNT + "thing/lamp"
    made = iot.create_job_template(jobTemplateId="weekly", description="each week", document='{"do": "${what}"}',
                                   jobExecutionsRolloutConfig=ROLLOUT, abortConfig=ABORT,
                                   timeoutConfig={"inProgressTimeoutInMinutes": 9}, jobExecutionsRetryConfig=RETRY,
                                   presignedUrlConfig={"roleArn": ROLE, "expiresInSec": 300},
                                   tags=[{"Key": "x", "Value": "y"}])
    equal(made["jobTemplateArn"], ACCOUNT + "jobtemplate/weekly")
    described = iot.describe_job_template(jobTemplateId="weekly")
    equal((described["description"], described["document"]), ("each week", '{"do": "${what}"}'))
    equal((described["abortConfig"], described["jobExecutionsRolloutConfig"]), (ABORT, ROLLOUT))
    iot.create_job_template(jobTemplateId="of-job", description="copied", jobArn=ACCOUNT + "job/from-s3")
    equal([t["jobTemplateId"] for t in all_of(iot.list_job_templates, "jobTemplates", maxResults=2)],
          ["of-job", "weekly"])
    iot.create_job(jobId="templated", targets=[lamp], jobTemplateArn=made["jobTemplateArn"],
                   documentParameters={"what": "sing"}, presignedUrlConfig={"expiresInSec": 3600})
    job = iot.describe_job(jobId="templated")["job"]
    equal((job["jobTemplateArn"], job["documentParameters"]), (made["jobTemplateArn"], {"what": "sing"}))
    equal(json.loads(iot.get_job_document(jobId="templated")["document"]), {"do": "sing"})
    equal(job["presignedUrlConfig"]["expiresInSec"], 3600)
    refused("InvalidRequestException", 400, iot.create_job, jobId="x", targets=[lamp],
            jobTemplateArn=made["jobTemplateArn"], documentParameters={"what": "x" * 513})
    refused("ConflictException", 409, iot.create_job_template, jobTemplateId="weekly", description="x", document="{}")
    refused("InvalidRequestException", 400, iot.create_job_template, jobTemplateId="x", description="x")
    iot.delete_job_template(jobTemplateId="of-job")
    refused("ResourceNotFoundException", 404, iot.describe_job_template, jobTemplateId="of-job")
    iot.delete_job(jobId="templated", force=True)


def ota_updates():
    place = {"bucket": "firmware", "key": "app.bin"}
    signature = {"customCodeSigning": {
        "signature": {"inlineDocument": b"signature"}, "hashAlgorithm": "SHA256", "signatureAlgorithm": "ECDSA",
        "certificateChain": {"certificateName": "/cert.pem"}}}
    made = iot.create_ota_update(
        otaUpdateId="v2", targets=[ACCOUNT + "thing/lamp"], roleArn=ROLE, protocols=["MQTT", "HTTP"],
        description="version 2", files=[{"fileName": "/app.bin", "fileType": 3, "fileVersion": "2",
                                         "fileLocation": {"s3Location": place}, "codeSigning": signature,
                                         "attributes": {"a": "b"}}],
        awsJobPresignedUrlConfig={"expiresInSec": 600}, awsJobExecutionsRolloutConfig={"maximumPerMinute": 10},
        awsJobAbortConfig={"abortCriteriaList": ABORT["criteriaList"]},
        awsJobTimeoutConfig={"inProgressTimeoutInMinutes": 7}, additionalParameters={"p": "q"},
        tags=[{"Key": "k", "Value": "v"}])
    equal((made["otaUpdateArn"], made["awsIotJobId"]), (ACCOUNT + "otaupdate/v2", "AFR_OTA-v2"))
    info = iot.get_ota_update(otaUpdateId="v2")["otaUpdateInfo"]
    equal(info["otaUpdateStatus"], "CREATE_COMPLETE", info.get("errorInfo"))
    equal((info["protocols"], info["targets"]), (["MQTT", "HTTP"], [ACCOUNT + "thing/lamp"]))
    equal(info["awsJobPresignedUrlConfig"], {"expiresInSec": 600})
    equal(info["awsJobExecutionsRolloutConfig"], {"maximumPerMinute": 10})
    equal(info["additionalParameters"], {"p": "q"})
    file = info["otaUpdateFiles"][0]
    equal((file["fileName"], file["fileType"], file["fileVersion"]), ("/app.bin", 3, "2"))
    equal(file["codeSigning"]["customCodeSigning"]["signature"]["inlineDocument"], b"signature")
    document = json.loads(iot.get_job_document(jobId="AFR_OTA-v2")["document"])["afr_ota"]
    equal((document["protocols"], document["files"][0]["filepath"]), (["MQTT", "HTTP"], "/app.bin"))
    job = iot.describe_job(jobId="AFR_OTA-v2")["job"]
    equal((job["abortConfig"], job["timeoutConfig"]), (ABORT, {"inProgressTimeoutInMinutes": 7}))
    iot.create_ota_update(otaUpdateId="v3", targets=[ACCOUNT + "thing/lamp"], roleArn=ROLE, files=[
        {"fileName": "/app.bin", "fileLocation": {"stream": {"streamId": "s1", "fileId": 7}},
         "codeSigning": {"startSigningJobParameter": {"signingProfileParameter": {
             "platform": "AmazonFreeRTOS-Default",
             "certificatePathOnDevice": "/cert.pem"}}}}])
    failed = iot.create_ota_update(otaUpdateId="v4", targets=[ACCOUNT + "thing/lamp"], roleArn=ROLE, files=[
        {"fileName": "/app.bin", "fileLocation": {"s3Location": {"bucket": "firmware", "key": "none"}}}])
    equal(failed["otaUpdateStatus"], "CREATE_FAILED")
    equal(iot.get_ota_update(otaUpdateId="v4")["otaUpdateInfo"]["errorInfo"]["code"], "ResourceNotFound")
    equal([o["otaUpdateId"] for o in all_of(iot.list_ota_updates, "otaUpdates", maxResults=2)], ["v2", "v3", "v4"])
    equal([o["otaUpdateId"] for o in iot.list_ota_updates(otaUpdateStatus="CREATE_FAILED")["otaUpdates"]], ["v4"])
    refused("DeleteConflictException", 409, iot.delete_stream, streamId="s1")
    refused("InvalidRequestException", 400, iot.delete_ota_update, otaUpdateId="v2")
    iot.delete_ota_update(otaUpdateId="v2", deleteStream=True, forceDeleteAWSJob=True)
    refused("ResourceNotFoundException", 404, iot.get_ota_update, otaUpdateId="v2")
    refused("ResourceAlreadyExistsException", 409, iot.create_ota_update, otaUpdateId="v3", roleArn=ROLE,
            targets=[ACCOUNT + "thing/lamp"],
            files=[{"fileName": "/app.bin", "fileLocation": {"s3Location": place}}])
    for bad in [{"files": []}, {"files": [{"fileName": "x", "fileLocation": {}}]}, {"protocols": ["FTP"]},
                {"awsJobPresignedUrlConfig": {"expiresInSec": 3601}}, {"roleArn": "short"}]:
        members = {"otaUpdateId": "x", "targets": [ACCOUNT + "thing/lamp"], "roleArn": ROLE,
                   "files": [{"fileName": "/app.bin", "fileLocation": {"s3Location": place}}], **bad}
        refused("InvalidRequestException", 400, iot.create_ota_update, **members)


def the_rest():
    assert iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"].count(":") == 1
    equal("https://localhost:" + iot.describe_endpoint(endpointType="iot:Jobs")["endpointAddress"].split(":")[1],
          ENDPOINT)
    refused("InvalidRequestException", 400, iot.describe_endpoint, endpointType="iot:Nothing")
    iot.update_event_configurations(eventConfigurations={"JOB": {"Enabled": True}})
    events = iot.describe_event_configurations()["eventConfigurations"]
    equal((events["JOB"]["Enabled"], events["THING"]["Enabled"]), (True, False))
    refused("UnknownOperationException", 404, iot.list_ca_certificates)
    refused("UnknownOperationException", 404, iot.list_thing_types)


def signatures():
    wrong = client("iot", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"])
    refused("InvalidSignatureException", 403, wrong.list_things)
    other = client("iot", aws_secret_access_key="wrong", aws_access_key_id="AKIAOTHERACCOUNT")
    refused("UnrecognizedClientException", 403, other.list_things)
    abroad = client("iot", region_name="eu-west-1")
    refused("InvalidSignatureException", 403, abroad.list_things)
    nobody = client("iot", config={"signature_version": botocore.UNSIGNED})
    refused("MissingAuthenticationTokenException", 403, nobody.list_things)
    elsewhere = client("lambda")
    refused("InvalidSignatureException", 403, elsewhere.list_functions)

    real = datetime.datetime

    class Shifted(real):
        by = datetime.timedelta()

        @classmethod
        def utcnow(cls):
            return real.utcnow() + cls.by

    botocore.auth.datetime.datetime, keep = Shifted, botocore.auth.datetime.datetime
    for minutes, word in [(-16, "expired"), (16, "not yet")]:
        Shifted.by = datetime.timedelta(minutes=minutes)
        answer = refused("InvalidSignatureException", 403, iot.list_things)
        assert word in answer["Error"]["Message"], answer
    Shifted.by = datetime.timedelta(minutes=-14)
    iot.list_things()
    botocore.auth.datetime.datetime = keep
    token = client("iot", aws_session_token="session")
    token.list_things()


def mutual_tls(folder, made):
    certificate, key = os.path.join(folder, "device.pem"), os.path.join(folder, "device.key")
    open(certificate, "w").write(made["certificatePem"])
    open(key, "w").write(made["keyPair"]["PrivateKey"])
    device = client("iot-jobs-data", JOBS_ENDPOINT, config={"signature_version": botocore.UNSIGNED,
                                                            "client_cert": (certificate, key)})
    equal([j["jobId"] for j in device.get_pending_job_executions(thingName="lamp")["queuedJobs"]],
          ["from-s3", "AFR_OTA-v3"])
    started = device.start_next_pending_job_execution(thingName="lamp")["execution"]
    equal(started["jobId"], "from-s3")
    device.update_job_execution(thingName="lamp", jobId="from-s3", status="SUCCEEDED")
    refused("ForbiddenException", 403, device.get_pending_job_executions, thingName="door_2")
    operator = client("iot", JOBS_ENDPOINT, config={"client_cert": (certificate, key)})
    refused("UnknownOperationException", 404, operator.list_thing_groups)
    iot.update_certificate(certificateId=made["certificateId"], newStatus="INACTIVE")
    refused("CertificateValidationException", 400, device.get_pending_job_executions, thingName="lamp")
    iot.update_certificate(certificateId=made["certificateId"], newStatus="ACTIVE")
    nobody = client("iot-jobs-data", JOBS_ENDPOINT, config={"signature_version": botocore.UNSIGNED})
    try:
        nobody.get_pending_job_executions(thingName="lamp")
    except botocore.exceptions.HTTPClientError:
        pass
    except botocore.exceptions.ConnectionError:
        pass
    else:
        raise AssertionError("a client without a certificate is not let in")


def main():
    with tempfile.TemporaryDirectory() as folder:
        things()
        groups()
        made, other = certificates(folder)
        principals(made, other)
        streams()
        jobs()
        executions()
        templates()
        ota_updates()
        the_rest()
        signatures()
        mutual_tls(folder, made)
    print("all operations answered as AWS answers")


if __name__ == "__main__":
    sys.exit(main())
