"""Every call of marathon-python (the PyPI package marathon, MarathonClient) that meets a
route which marathonish serves, against a running cluster: marathon_calls.py PUBLISHED GATEWAY,
the two base URLs of marathonish, with an operator's token in TOKEN. Each step prints a line;
the first that misbehaves ends the program with a sentence. Plain asserts: no -O."""
import collections
import collections.abc
import json
import logging
import os
import sys
import threading
import time

# The client is from before Python 3.10, where this name went.
if not hasattr(collections, "Iterable"):
    collections.Iterable = collections.abc.Iterable

import requests  # noqa: E402
from marathon import MarathonApp, MarathonClient, MarathonHttpError, NotFoundError  # noqa: E402
from marathon.exceptions import ConflictError, NoResponseError  # noqa: E402
from marathon.models import MarathonDeployment, MarathonGroup, MarathonHealthCheck  # noqa: E402
from marathon.models.app import MarathonUpgradeStrategy, PortDefinition  # noqa: E402
from marathon.models.events import MarathonDeploymentSuccess, MarathonStatusUpdateEvent  # noqa: E402

from walk import BEGIN, left_out, main, recorded, step, until  # noqa: E402

PUBLISHED, GATEWAY = sys.argv[1:3]
TOKEN = os.environ["TOKEN"]

Recorded = recorded(MarathonClient)
client = Recorded(PUBLISHED, username="anyone", password=TOKEN, timeout=20)
logging.getLogger("marathon").setLevel(logging.CRITICAL)  # refusals are wanted here


def refused(kind, call, status=None, says=""):
    """The exception of a call that must be refused."""
    try:
        got = call()
    except kind as e:
        assert type(e) is kind, "%r is no %s" % (e, kind.__name__)
        assert status is None or e.status_code == status, "status %s instead of %s: %s" % (e.status_code, status, e)
        assert says in str(e), "%r does not say %r" % (str(e), says)
        return e
    raise AssertionError("not refused with %s, it gave %r" % (kind.__name__, got))


def deployed(answer):
    """Waits for the end of the deployment that an answer names."""
    assert answer.get("deploymentId") and answer.get("version"), "no deployment in %r" % (answer,)
    until("the end of the deployment", lambda: answer["deploymentId"] not in [d.id for d in client.list_deployments()])
    return answer["version"]


def running(app_id, n):
    """Waits until an app has n running tasks, and gives them."""
    def check():
        tasks = [t for t in client.list_tasks(app_id) if t.state == "TASK_RUNNING"]
        return tasks if len(tasks) == n else None
    return until("%d running tasks of %s" % (n, app_id), check) if n else []


def ids(tasks):
    return {t.id for t in tasks}


def small(**fields):
    """A little app that runs for long."""
    return MarathonApp(**dict({"cmd": "exec sleep 3600", "cpus": 0.1, "mem": 32, "instances": 1, "port_definitions": []}, **fields))


def reach():
    step("ping, until marathonish is up")

    def check():
        try:
            return client.ping()
        except MarathonHttpError:
            return None
        except NoResponseError:
            return None
    assert b"pong" in until("pong", check)
    step("info and leader")
    info = client.get_info()
    assert info.name == "marathon" or info.name == "marathonish", info.name
    assert tuple(int(p) for p in info.version.split(".")[:3]) >= (1, 0, 0), info.version
    assert info.framework_id and info.elected is True, vars(info)
    assert isinstance(info.http_config.http_port, int), info.http_config.http_port
    assert client.get_leader()["leader"] == info.leader
    assert client.list_event_subscriptions() == []
    step("credentials: a token as DC/OS's clients send it, the gateway's URL, a dead server first, a wrong token")
    assert b"pong" in Recorded(GATEWAY, auth_token=TOKEN).ping()
    assert b"pong" in Recorded(["http://127.0.0.1:9", GATEWAY + "/"], username="x", password=TOKEN).ping()
    refused(MarathonHttpError, Recorded(PUBLISHED, username="x", password="wrong").list_apps, 401)
    refused(MarathonHttpError, Recorded(PUBLISHED).ping, 401)
    refused(NoResponseError, Recorded("http://127.0.0.1:9").list_apps)


def listen():
    """Follows the events from now on; gives the list that they are put into."""
    got = []

    def run(types):
        # The client never ends a stream by itself: the thread goes with the program.
        for event in client.event_stream(event_types=types):
            got.append(event)
    threading.Thread(target=run, args=(None,), daemon=True).start()
    threading.Thread(target=run, args=([MarathonDeploymentSuccess],), daemon=True).start()
    until("event_stream_attached_event or any", lambda: True)
    return got


def create():
    step("create_app: commands, environment, labels, constraints, ports, a health check")
    web = client.create_app("/compat/web", MarathonApp(
        cmd="echo $GREETING; exec sleep 3600", cpus=0.1, mem=32, instances=2, env={"GREETING": "hello"},
        labels={"tier": "front", "compat": "yes"}, constraints=[("hostname", "UNLIKE", "nowhere")],
        port_definitions=[PortDefinition(port=0, protocol="tcp", name="http", labels={"a": "b"})],
        health_checks=[MarathonHealthCheck(protocol="COMMAND", command="true", interval_seconds=1, grace_period_seconds=10, max_consecutive_failures=3)],
        upgrade_strategy=MarathonUpgradeStrategy(minimum_health_capacity=0.5, maximum_over_capacity=0.5), backoff_seconds=1, backoff_factor=1.5,
        max_launch_delay_seconds=10, kill_selection="OLDEST_FIRST", task_kill_grace_period_seconds=2))
    assert isinstance(web, MarathonApp) and web.id == "/compat/web" and web.instances == 2, web
    assert len(web.deployments) == 1 and web.deployments[0].id, web.deployments
    assert 10000 <= web.port_definitions[0].port <= 20000 and web.port_definitions[0].name == "http", web.port_definitions
    assert web.env == {"GREETING": "hello"} and web.labels["tier"] == "front" and web.kill_selection == "OLDEST_FIRST"
    step("create_app with every field, most of them null or empty, as the client sends it on demand")
    two = client.create_app("/compat/two", small(labels={"compat": "yes"}), minimal=False)
    assert two.id == "/compat/two", two
    step("list_deployments, until they are done")
    all_deployments = client.list_deployments()
    assert all(isinstance(d, MarathonDeployment) for d in all_deployments)
    for d in all_deployments:
        assert d.id and d.version and d.affected_apps and d.total_steps >= d.current_step >= 1, vars(d)
        assert d.steps and d.steps[0].actions[0].action and d.current_actions[0].app in d.affected_apps, vars(d)
    until("no deployment left", lambda: not client.list_deployments())
    running("/compat/web", 2)
    running("/compat/two", 1)


def read():
    step("list_apps: cmd, id, label, other filters, each embed")
    names = lambda apps: sorted(a.id for a in apps)  # noqa: E731
    assert {"/compat/two", "/compat/web"} <= set(names(client.list_apps()))
    assert names(client.list_apps(cmd="GREETING")) == ["/compat/web"]
    assert names(client.list_apps(app_id="COMPAT/T")) == ["/compat/two"]
    for selector, want in {"tier": ["/compat/web"], "compat==yes": ["/compat/two", "/compat/web"], "tier!=front": [],
                           "compat==yes,tier in (front, back)": ["/compat/web"], "tier notin (front)": []}.items():
        assert names(client.list_apps(label=selector)) == want, (selector, names(client.list_apps(label=selector)))
    assert names(client.list_apps(app_id="compat", instances=2)) == ["/compat/web"]
    plain = client.list_apps(app_id="/compat/web")[0]
    assert plain.tasks == [] and plain.tasks_running == 2 and plain.deployments == [], vars(plain)
    full = dict(embed_tasks=True, embed_counts=True, embed_deployments=True, embed_readiness=True,
                embed_last_task_failure=True, embed_failures=True, embed_task_stats=True)
    for flag in full:
        client.list_apps(**{flag: True})
    web = client.list_apps(app_id="/compat/web", **full)[0]
    assert len(web.tasks) == 2 and web.last_task_failure is None, vars(web)
    assert web.task_stats.total_summary.stats.counts.running == 2, web.task_stats
    assert web.task_stats.total_summary.stats.life_time.median_seconds >= 0
    step("get_app, with and without embeds; healthy tasks")
    web = until("two healthy tasks", lambda: (lambda a: a if a.tasks_healthy == 2 else None)(client.get_app("/compat/web")))
    assert web.tasks_unhealthy == 0 and web.tasks_staged == 0 and len(web.tasks) == 2, vars(web)
    assert web.version_info.last_scaling_at and web.version_info.last_config_change_at and web.require_ports is False
    assert web.networks == [{"mode": "host"}] and web.gpus == 0 and web.role in ("*", "system"), vars(web)
    assert web.unreachable_strategy.inactive_after_seconds == 0 and web.upgrade_strategy.maximum_over_capacity == 0.5
    assert all(t.health_check_results[0].alive and t.health_check_results[0].first_success for t in web.tasks), web.tasks
    assert client.get_app("compat/web", **full).task_stats.with_latest_config.stats.counts.healthy == 2
    step("get_metrics")
    gauges = client.get_metrics()["gauges"]
    assert gauges["marathon.apps.active.gauge"]["value"] >= 2 and gauges["marathon.instances.running.gauge"]["value"] >= 3, gauges
    step("list_tasks, of all and of one app; list_endpoints")
    mine = client.list_tasks("/compat/web")
    assert ids(mine) <= ids(client.list_tasks()) and len(client.list_tasks()) >= 3
    for t in mine:
        assert t.app_id == "/compat/web" and t.host and t.slave_id and t.staged_at and t.started_at >= t.staged_at, vars(t)
        assert len(t.ports) == 1 and t.service_ports == [web.port_definitions[0].port] and t.version and t.role, vars(t)
        assert t.ip_addresses and t.ip_addresses[0].protocol in ("IPv4", "IPv6"), vars(t)
    assert ids(client.list_tasks("/compat/web", host=mine[0].host)) == {t.id for t in mine if t.host == mine[0].host}
    ends = [e for e in client.list_endpoints() if e.app_id == "/compat/web"]
    assert {(e.task_id, e.task_port, e.service_port) for e in ends} == {(t.id, t.ports[0], t.service_ports[0]) for t in mine}


def update():
    step("update_app: new tasks, a new version; the same again: neither")
    before, first = ids(running("/compat/two", 1)), client.get_app("/compat/two").version
    second = deployed(client.update_app("/compat/two", MarathonApp(env={"A": "1"})))
    after = ids(running("/compat/two", 1))
    assert not before & after, "an update of the environment left the task"
    deployed(client.update_app("/compat/two", MarathonApp(env={"A": "1"})))
    assert ids(running("/compat/two", 1)) == after, "the same definition again restarted a task"
    assert client.get_app("/compat/two").version == second and second > first
    step("update_app with all that get_app has given")
    two = client.get_app("/compat/two")
    two.labels["more"] = "yes"
    deployed(client.update_app("/compat/two", two))
    assert client.get_app("/compat/two").labels == {"compat": "yes", "more": "yes"}
    step("list_versions, get_version, rollback_app")
    versions = client.list_versions("/compat/two")
    assert versions == sorted(versions, reverse=True) and second in versions and first in versions, versions
    assert client.get_version("/compat/two", first).env == {} and client.get_version("/compat/two", second).env == {"A": "1"}
    deployed(client.rollback_app("/compat/two", first))
    assert client.get_app("/compat/two").env == {}
    step("update_apps: several at once, one of them new")
    deployed(client.update_apps([small(id="/compat/two", instances=2), small(id="/compat/three", labels={"compat": "yes"})]))
    running("/compat/two", 2)
    running("/compat/three", 1)
    step("scale_app, by a number and by a difference: the others stay")
    before = ids(running("/compat/two", 2))
    deployed(client.scale_app("/compat/two", instances=4))
    assert before < ids(running("/compat/two", 4))
    deployed(client.scale_app("/compat/two", delta=-1))
    running("/compat/two", 3)
    assert client.scale_app("/compat/nothing", instances=1) is None
    step("restart_app: all tasks are replaced, and enough stay meanwhile")
    before, low = ids(running("/compat/web", 2)), []
    answer = client.restart_app("/compat/web")
    while answer["deploymentId"] in [d.id for d in client.list_deployments()]:
        low.append(sum(1 for t in client.list_tasks("/compat/web")
                       if t.state == "TASK_RUNNING" and t.health_check_results and t.health_check_results[0].alive))
        assert time.time() - BEGIN < 300, "the restart does not end"
        time.sleep(0.1)
    after = running("/compat/web", 2)
    assert not before & ids(after) and min(low, default=2) >= 1, (before, ids(after), low)


def kill():
    step("kill_task: another takes its place; with scale: none does")
    tasks = running("/compat/two", 3)
    killed = client.kill_task("/compat/two", tasks[0].id)
    assert killed.id == tasks[0].id and killed.app_id == "/compat/two", killed
    until("a replacement", lambda: tasks[0].id not in ids(client.list_tasks("/compat/two")))
    tasks = running("/compat/two", 3)
    deployed(client.kill_task("/compat/two", tasks[0].id, scale=True))
    assert ids(running("/compat/two", 2)) == ids(tasks) - {tasks[0].id} and client.get_app("/compat/two").instances == 2
    step("kill_given_tasks, with and without scale; unknown ids are ignored")
    tasks = running("/compat/two", 2)
    assert client.kill_given_tasks([tasks[0].id, "compat_two.00000000-0000-0000-0000-000000000000"]) is True
    until("a replacement", lambda: tasks[0].id not in ids(client.list_tasks("/compat/two")))
    tasks = running("/compat/two", 2)
    assert client.kill_given_tasks([tasks[0].id], scale=True, force=True) is True
    until("the end of the deployment", lambda: not client.list_deployments())
    assert ids(running("/compat/two", 1)) == {tasks[1].id}
    step("kill_tasks: all, those of a host, with scale, in batches")
    tasks = running("/compat/two", 1)
    assert ids(client.kill_tasks("/compat/two")) == ids(tasks)
    until("a replacement", lambda: not ids(tasks) & ids(client.list_tasks("/compat/two")))
    tasks = running("/compat/two", 1)
    assert client.kill_tasks("/compat/two", host="10.255.255.1") == []
    assert ids(client.kill_tasks("/compat/two", host=tasks[0].host)) == ids(tasks)
    until("a replacement", lambda: not ids(tasks) & ids(client.list_tasks("/compat/two")))
    tasks = running("/compat/two", 1)
    try:  # since Python 3.7 the client's own generator fails, after the last batch
        client.kill_tasks("/compat/two", batch_size=1, batch_delay=1)
    except RuntimeError as e:
        assert "StopIteration" in str(e), e
    assert not ids(tasks) & ids(running("/compat/two", 1))
    deployed(client.kill_tasks("/compat/two", scale=True))
    assert client.list_tasks("/compat/two") == [] and client.get_app("/compat/two").instances == 0


def wait_in_queue():
    step("list_queue: what no agent can hold waits, and says why; with the last unused offers")
    client.create_app("/compat/big", small(cpus=12345))

    def item(app_id):
        return next((i for i in client.list_queue() if i.app.id == app_id), None)
    big = until("the app in the queue, with offers that it declined",
                lambda: (lambda i: i if i and i.processed_offers_summary["unusedOffersCount"] > 0 else None)(item("/compat/big")))
    assert big.count == 1 and big.since and big.delay.time_left_seconds == 0 and big.delay.overdue is True, vars(big)
    funnel = {r["reason"]: r for r in big.processed_offers_summary["rejectSummaryLastOffers"]}
    assert funnel["InsufficientCpus"]["declined"] == funnel["InsufficientCpus"]["processed"] > 0, funnel
    offers = next(i for i in client.list_queue(embed_last_unused_offers=True) if i.app.id == "/compat/big").last_unused_offers
    assert offers and "InsufficientCpus" in offers[0]["reason"] and offers[0]["offer"]["hostname"], offers
    step("a deployment that cannot go on: locked for others, overridden by force, undone, dropped")
    stuck = [d for d in client.list_deployments() if d.affected_apps == ["/compat/big"]]
    assert len(stuck) == 1, stuck
    refused(ConflictError, lambda: client.update_app("/compat/big", MarathonApp(env={"B": "1"})), 409, "locked")
    forced = client.update_app("/compat/big", MarathonApp(env={"B": "1"}), force=True)
    until("the first deployment's end", lambda: stuck[0].id not in [d.id for d in client.list_deployments()])
    undone = client.delete_deployment(forced["deploymentId"])
    assert undone["deploymentId"] and undone["deploymentId"] != forced["deploymentId"], undone
    until("the environment undone", lambda: client.get_app("/compat/big").env == {})
    assert client.delete_deployment(undone["deploymentId"], force=True) == {}
    until("no deployment left", lambda: not client.list_deployments())
    deployed(client.delete_app("/compat/big", force=True))
    step("reset_delay: an app that fails waits longer and longer, until told otherwise; its last failure")
    client.create_app("/compat/failing", small(cmd="echo no; exit 3", backoff_seconds=300, backoff_factor=2, max_launch_delay_seconds=3600))
    late = until("the delay", lambda: (lambda i: i if i and i.delay.time_left_seconds > 60 else None)(item("/compat/failing")))
    assert late.delay.overdue is False and isinstance(late.delay.time_left_seconds, int), vars(late.delay)
    first = client.get_app("/compat/failing").last_task_failure
    assert first.state == "TASK_FAILED" and first.app_id == "/compat/failing" and first.task_id and first.timestamp and first.host, vars(first)
    client.reset_delay("/compat/failing")
    until("another try", lambda: client.get_app("/compat/failing").last_task_failure.task_id != first.task_id)
    client.delete_app("/compat/failing", force=True)


def refuse():
    step("NotFoundError, of everything that is not there")
    app, nothing = "/compat/nothing", "00000000-0000-0000-0000-000000000000"
    for call in (lambda: client.get_app(app), lambda: client.delete_app(app), lambda: client.restart_app(app), lambda: client.list_tasks(app),
                 lambda: client.list_versions(app), lambda: client.get_version("/compat/web", "2001-01-01T00:00:00.000Z"),
                 lambda: client.rollback_app("/compat/web", "2001-01-01T00:00:00.000Z"), lambda: client.kill_tasks(app),
                 lambda: client.kill_task("/compat/web", "compat_web." + nothing), lambda: client.delete_deployment(nothing), lambda: client.reset_delay(app)):
        refused(NotFoundError, call, 404)
    assert "'/compat/nothing' does not exist" in refused(NotFoundError, lambda: client.get_app(app)).error_message
    step("ConflictError, of an id that is taken")
    refused(ConflictError, lambda: client.create_app("/compat/web", small()), 409, "already exists")
    step("MarathonHttpError 422, with the path of what is wrong")
    for fields, path in (({"cpus": -1}, "cpus"), ({"instances": -1}, "instances"), ({"constraints": [("hostname", "NEAR", "x")]}, "constraints(0)"),
                         ({"constraints": [("hostname", "UNIQUE", "x")]}, "constraints(0)"), ({"args": ["a"]}, ""), ({"backoff_factor": 0.5}, "backoffFactor"),
                         ({"upgrade_strategy": MarathonUpgradeStrategy(minimum_health_capacity=2)}, "upgradeStrategy"),
                         ({"health_checks": [MarathonHealthCheck(protocol="SMOKE")]}, "healthChecks(0)"),
                         ({"container": {"type": "DOCKER", "docker": {"image": "x"}}}, "container")):
        e = refused(MarathonHttpError, lambda: client.create_app("/compat/bad", small(**fields)), 422)
        assert e.error_details and any(path in d["path"] and d["errors"] for d in e.error_details), (path, e.error_message, e.error_details)
    e = refused(MarathonHttpError, lambda: client.create_app("/compat/bad/restart", small()), 422)
    assert any("id" in d["path"] for d in e.error_details), e.error_details
    refused(MarathonHttpError, lambda: client.list_apps(label="a in ("), 422)
    refused(MarathonHttpError, lambda: client.kill_task("/compat/web", client.list_tasks("/compat/web")[0].id, scale=True, wipe=True), 400)
    answer = requests.post(PUBLISHED + "/v2/apps", data="{", auth=("x", TOKEN), headers={"Content-Type": "application/json"}, timeout=20)
    assert answer.status_code == 400 and answer.json()["message"] == "Invalid JSON", answer.text
    refused(NotFoundError, lambda: client.get_app("/compat/bad"), 404)
    step("what is not served yet is 404 or 405, which no client takes for a dead server")
    for call in (client.list_groups, lambda: client.get_group("/compat"), lambda: client.delete_group("/compat"), lambda: client.scale_group("/compat", 2),
                 lambda: client.create_group(MarathonGroup(id="/compat/g")), lambda: client.update_group("/compat/g", MarathonGroup(id="/compat/g")),
                 lambda: client.rollback_group("/compat", "2001-01-01T00:00:00.000Z")):
        refused(NotFoundError, call, 404)
    for call in (client.delete_leader, lambda: client.create_event_subscription("http://127.0.0.1:9"), lambda: client.delete_event_subscription("http://127.0.0.1:9")):
        refused(MarathonHttpError, call, 405)


def hear(events):
    step("event_stream: the events of all that, as the client's objects; filtered; raw")
    kinds = {type(e).__name__ for e in events}
    for kind in ("MarathonApiPostEvent", "MarathonStatusUpdateEvent", "MarathonDeploymentInfo", "MarathonDeploymentStepSuccess", "MarathonDeploymentSuccess",
                 "MarathonDeploymentFailed", "MarathonGroupChangeSuccess", "MarathonInstanceChangedEvent", "MarathonAppTerminatedEvent",
                 "MarathonHealthStatusChangedEvent", "MarathonInstanceHealthChangedEvent", "MarathonAddHealthCheckEvent"):
        assert kind in kinds, "no %s among %s" % (kind, sorted(kinds))
    status = next(e for e in events if isinstance(e, MarathonStatusUpdateEvent) and e.app_id == "/compat/web" and e.task_status == "TASK_RUNNING")
    assert status.task_id.startswith("compat_web.") and status.host and status.slave_id and status.ports and status.version and status.timestamp, vars(status)
    got = []

    def raw():
        for line in client.event_stream(raw=True, event_types=["status_update_event"]):
            got.append(json.loads(line))
    threading.Thread(target=raw, daemon=True).start()
    until("an event of the raw stream", lambda: got or client.kill_tasks("/compat/three") and False)
    assert all(e["eventType"] == "status_update_event" for e in got), got


def leave():
    step("delete_app: tasks and definition are gone")
    for app in client.list_apps(label="compat"):
        deployed(client.delete_app(app.id))
        refused(NotFoundError, lambda: client.get_app(app.id), 404)
    assert not [t for t in client.list_tasks() if t.app_id.startswith("/compat/")]
    step("no call of the client is left out")
    assert not left_out(Recorded), "never called: %s" % left_out(Recorded)


def walk():
    reach()
    events = listen()
    create()
    read()
    update()
    kill()
    wait_in_queue()
    refuse()
    hear(events)
    leave()


if __name__ == "__main__":
    main(walk)
