"""A framework over plain HTTP and JSON: it runs $COUNT tasks, each of which writes a line, and counts each exactly once.
All that it must not forget is in the store: it may be killed at any moment, and whoever keeps it running starts it again."""
import base64, http.client, json, os, sys, urllib.parse

COUNT, COMMAND = int(os.environ.get("COUNT", "5")), os.environ.get("COMMAND", "echo I am task $NUMBER")
TOKEN = open(os.environ["PROFFER_TOKEN_FILE"]).read().strip()
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "Bearer " + TOKEN}
NEEDS = [{"name": n, "type": "SCALAR", "scalar": {"value": v}} for n, v in (("cpus", 0.1), ("mem", 32))]
FAILED = ("TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_GONE_BY_OPERATOR")


def post(path, body, hosts=os.environ["PROFFER_ADDR"], **headers):  # to the leading master, whom any other names
    for host in hosts.split(","):
        try:
            connection = http.client.HTTPConnection(host, timeout=60)  # four heartbeats
            connection.request("POST", path, json.dumps(body), dict(HEADERS, **headers))
            answer = connection.getresponse()
        except OSError:
            continue
        if answer.status == 307:
            return post(path, body, urllib.parse.urlparse(answer.getheader("Location")).netloc, **headers)
        return answer if answer.status < 300 else sys.exit("%s: %d %s" % (body["type"], answer.status, answer.read().decode()))
    sys.exit("no master answers")


def store(kind, **body):
    return json.loads(post("/api/v1/store", {"type": kind, "space": "counter", kind.lower(): body}).read())


def save(key, value):  # changes a key of the store, unless somebody else has since it was read
    compare = {"type": "UNCHANGED" if state[key][1] else "ABSENT", "key": key, "modified": state[key][1]}
    put = {"type": "PUT", "key": key, "value": base64.b64encode(json.dumps(value).encode()).decode()}
    answer = store("COMMIT", **{"if": [compare], "then": [put]})
    state[key] = (value, answer["revision"]) if answer.get("held") else sys.exit("another counter has changed " + key)


def call(kind, **body):
    post("/api/v1/scheduler", dict(body, type=kind, framework_id={"value": state["framework"][0]}), **{"Mesos-Stream-Id": stream_id})


def tasks(condition):
    return [value for key, (value, _) in sorted(state.items()) if key != "framework" and value["is"] == condition]


state = {"task/%d" % n: ({"number": n, "is": "due", "attempt": 0}, 0) for n in range(COUNT)}  # by key: value and revision
state.update({"framework": ("", 0)}, **{kv["key"]: (json.loads(base64.b64decode(kv["value"])), kv["modified"]) for kv in store("LIST").get("kvs", [])})
info = {"user": "", "name": "counter", "roles": ["*"], "failover_timeout": 86400, "capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}]}
subscribe = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
if state["framework"][0]:  # it has been here before
    info["id"] = subscribe["framework_id"] = {"value": state["framework"][0]}
stream = post("/api/v1/scheduler", subscribe)
stream_id = stream.getheader("Mesos-Stream-Id")
while line := stream.readline():  # RecordIO: a length, a new line, so many bytes
    event = json.loads(stream.read(int(line)))
    if event["type"] == "SUBSCRIBED" and not state["framework"][0]:
        save("framework", event["subscribed"]["framework_id"]["value"])
    if event["type"] in ("SUBSCRIBED", "HEARTBEAT") and tasks("launched"):  # were they really? how are they?
        call("RECONCILE", reconcile={"tasks": [{"task_id": {"value": t["id"]}, "agent_id": t["agent"]} for t in tasks("launched")]})
    for offer in event.get("offers", {"offers": []})["offers"]:
        has = {r["name"]: r["scalar"]["value"] for r in offer["resources"] if r["type"] == "SCALAR"}
        if not tasks("due") or any(has.get(n["name"], 0) < n["scalar"]["value"] for n in NEEDS):
            call("DECLINE", decline={"offer_ids": [offer["id"]]})
            continue
        t = dict(tasks("due")[0], **{"is": "launched", "agent": offer["agent_id"]})
        t["attempt"], t["id"] = t["attempt"] + 1, "count-%d.%d" % (t["number"], t["attempt"] + 1)
        save("task/%d" % t["number"], t)  # first the record, then the launch: never twice
        command = {"value": COMMAND, "environment": {"variables": [{"name": "NUMBER", "value": str(t["number"])}]}}
        launch = {"task_infos": [{"name": "count", "task_id": {"value": t["id"]}, "agent_id": t["agent"], "command": command, "resources": NEEDS}]}
        call("ACCEPT", accept={"offer_ids": [offer["id"]], "operations": [{"type": "LAUNCH", "launch": launch}], "filters": {"refuse_seconds": 0}})
    if event["type"] == "UPDATE":
        status = event["update"]["status"]
        for t in [t for t in tasks("launched") if t["id"] == status["task_id"]["value"] and status["state"] in FAILED + ("TASK_FINISHED",)]:
            save("task/%d" % t["number"], dict(t, **{"is": "due" if status["state"] in FAILED else "done"}))
            print("%s: %s, %d of %d are done" % (t["id"], status["state"], len(tasks("done")), COUNT), flush=True)
        if "uuid" in status:  # only now that it is stored
            call("ACKNOWLEDGE", acknowledge={"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]})
    if event["type"] in ("SUBSCRIBED", "UPDATE"):  # offers only while something is due
        call("REVIVE", revive={}) if tasks("due") else call("SUPPRESS", suppress={})
sys.exit("the master has ended the stream")
