"""A framework for Mesos's v1 HTTP API in JSON, with Python's standard library alone: it
launches one task on the first offer and prints the states that it is told."""
import http.client
import json
import sys
import urllib.parse


def records(response):
    """The records of a RecordIO stream."""
    while True:
        length = b""
        while not length.endswith(b"\n"):
            byte = response.read(1)
            if not byte:
                return
            length += byte
        yield json.loads(response.read(int(length)))


def main(url, token):
    host = urllib.parse.urlparse(url).netloc
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Bearer " + token}
    stream = http.client.HTTPConnection(host, timeout=30)
    info = {"user": "", "name": "python", "failover_timeout": 60}
    stream.request("POST", "/api/v1/scheduler", json.dumps({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}), headers)
    response = stream.getresponse()
    if response.status != 200:
        sys.exit("SUBSCRIBE: %d %s" % (response.status, response.read()))
    headers["Mesos-Stream-Id"] = response.getheader("Mesos-Stream-Id")
    framework, launched = None, False

    def call(kind, **body):
        message = {"framework_id": framework, "type": kind}
        message.update(body)
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("POST", "/api/v1/scheduler", json.dumps(message), headers)
        answer = connection.getresponse()
        if answer.status != 202:
            sys.exit("%s: %d %s" % (kind, answer.status, answer.read()))

    for event in records(response):
        if event["type"] == "SUBSCRIBED":
            framework = event["subscribed"]["framework_id"]
        elif event["type"] == "OFFERS" and not launched:
            offer, launched = event["offers"]["offers"][0], True
            task = {
                "name": "py", "task_id": {"value": "py-1"}, "agent_id": offer["agent_id"],
                "command": {"value": "echo hello from python"},
                "resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.1}},
                              {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}],
            }
            call("ACCEPT", accept={"offer_ids": [offer["id"]], "operations": [{"type": "LAUNCH", "launch": {"task_infos": [task]}}]})
        elif event["type"] == "UPDATE":
            status = event["update"]["status"]
            print(status["state"], status.get("message", ""))
            if "uuid" in status:
                call("ACKNOWLEDGE", acknowledge={"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]})
            if status["state"] in ("TASK_FINISHED", "TASK_FAILED", "TASK_ERROR", "TASK_LOST"):
                call("TEARDOWN")
                return
        elif event["type"] == "ERROR":
            sys.exit(event["error"]["message"])


main(*sys.argv[1:])
