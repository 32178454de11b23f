"""Every call of chronos-python (the PyPI package, ChronosClient) and the two scripts that
come with it, against a running cluster: chronos_calls.py PUBLISHED GATEWAY, the two
host:port of chronosish, with an operator's token in TOKEN. All of it is walked twice: with
scheduler_api_version "v1" (Chronos 3.x) and with None (2.x). Plain asserts: no -O."""
import contextlib
import io
import json
import logging
import os
import runpy
import sys
import tempfile
import time

import chronos
from chronos import ChronosAPIError, ChronosClient, MissingFieldError, OneOfViolationError, UnauthorizedError

from walk import left_out, main, recorded, step, until

PUBLISHED, GATEWAY = sys.argv[1:3]
TOKEN = os.environ["TOKEN"]
FAR = "R/2090-01-01T00:00:00Z/P1D"  # a schedule that does not come while this goes on

Recorded = recorded(ChronosClient)


class Said(logging.Handler):
    """What the client writes to its log. It is the one place that has a server's answer:
    whatever that is, the exception only says that no server is left to try."""
    lines = []

    def emit(self, record):
        Said.lines.append(record.args[-1])


log = logging.getLogger("chronos")
log.addHandler(Said())
log.propagate = False


def connect(version, servers=PUBLISHED, password=TOKEN, **more):
    return Recorded(servers, username="anyone", password=password, scheduler_api_version=version, **more)


def refused(call, says, kind=ChronosAPIError):
    """A call that must be refused, by the client itself or by the server, and with which words."""
    del Said.lines[:]
    try:
        got = call()
    except kind as e:
        assert type(e) is kind, "%r is no %s" % (e, kind.__name__)
        answer = Said.lines[-1] if "No remaining" in str(e) else str(e)
        assert says in answer, "%r does not say %r" % (answer, says)
        return answer
    raise AssertionError("not refused with %s, it gave %r" % (kind.__name__, got))


def job(name, **fields):
    """A job that lacks nothing which either generation of the client wants."""
    given = {"name": name, "command": "true", "owner": "a@example.org", "disabled": False, "async": False, "cpus": 0.1, "mem": 32, "disk": 1}
    if "parents" not in fields:
        given["schedule"] = FAR
    return dict(given, **fields)


def one(c, name):
    """A job as list gives it; None where it is not there."""
    return next((j for j in c.list() if j["name"] == name), None)


def node(c, name):
    """A job's last outcome and what goes on, by the graph."""
    for line in c.scheduler_graph().splitlines():
        if line.startswith("node,%s," % name):
            return tuple(line.split(",")[2:])
    return None


def figures(c):
    return {"99th": c.scheduler_stat_99th, "98th": c.scheduler_stat_98th, "95th": c.scheduler_stat_95th, "75th": c.scheduler_stat_75th,
            "median": c.scheduler_stat_median, "mean": c.scheduler_stat_mean}


def reach(version):
    step("list, until chronosish is up; where there is no job there is no figure and no line")
    c = connect(version)

    def check():
        try:
            return c.list() == []
        except ChronosAPIError:
            return False
    until("an empty list", check)
    assert c.scheduler_graph().strip() == "" and c.search(name="x") == []
    assert all(f() == [] for f in figures(c).values())
    step("credentials: the gateway's address, a dead server first, a bearer's header, chronos.connect; a wrong password, none")
    assert connect(version, GATEWAY).list() == []
    assert connect(version, ["127.0.0.1:9", PUBLISHED]).list() == []
    assert Recorded(PUBLISHED, extra_headers={"Authorization": "Bearer " + TOKEN}, scheduler_api_version=version).list() == []
    assert chronos.connect(PUBLISHED, username="x", password=TOKEN, scheduler_api_version=version).list() == []
    for wrong in (connect(version, password="wrong"), Recorded(PUBLISHED, scheduler_api_version=version)):
        for call in (wrong.list, lambda: wrong.add(job("x")), lambda: wrong.run("x"), lambda: wrong.delete("x"), wrong.metrics):
            assert isinstance(refused(call, ""), str)  # the client swallows its own UnauthorizedError, which has no words
    try:
        wrong._check(*wrong_answer(wrong))
        raise AssertionError("401 is no UnauthorizedError")
    except UnauthorizedError:
        pass
    refused(connect(version, "127.0.0.1:9").list, "refused", ChronosAPIError)
    return c


def wrong_answer(c):
    """The answer itself to who has no password."""
    import httplib2
    resp, content = httplib2.Http().request("http://%s%s/scheduler/jobs" % (PUBLISHED, c._prefix), "GET")
    assert resp["www-authenticate"].startswith("Basic "), resp
    return resp, content


def add(c, tag):
    step("add: a job with every field, listed as it was given")
    every, child = tag + "every", tag + "child"
    full = job(every, command="echo $GREETING", shell=True, schedule="R3//PT1S", scheduleTimeZone="Europe/Berlin", epsilon="PT1M", retries=1, ownerName="A",
               description="thrice", highPriority=True, softError=False, concurrent=True, maxCompletionTime=60, runAsUser="nobody", arguments=["a"],
               environmentVariables=[{"name": "GREETING", "value": "hello"}], constraints=[["hostname", "LIKE", "127.*"]], fetch=[], uris=[], executor="",
               executorFlags="", taskInfoData="", dataProcessingJobType=False, successCount=0, errorCount=0, lastSuccess="", lastError="", cpus="0.1")
    assert c.add(full) is None
    shown = one(c, every)
    for key in set(full) - {"schedule", "cpus", "successCount", "lastSuccess"}:
        assert shown[key] == full[key] and type(shown[key]) is type(full[key]), (key, shown[key], full[key])
    assert shown["cpus"] == 0.1 and shown["schedule"].endswith("/PT1S") and "//" not in shown["schedule"], shown
    step("add: a dependent job, which runs after its parent each time; the end of three repetitions")
    assert c.add(job(child, parents=[every])) is None
    assert one(c, child)["parents"] == [every] and "schedule" not in one(c, child)
    until("three runs", lambda: one(c, every)["successCount"] == 3)
    done = one(c, every)
    assert done["disabled"] is True and done["schedule"].startswith("R0/") and done["errorCount"] == 0 and done["lastSuccess"].endswith("Z"), done
    # The first of them may have succeeded before there was the child.
    until("two runs of the child", lambda: one(c, child)["successCount"] >= 2 and node(c, child) == ("success", "idle"))
    assert one(c, child)["successCount"] in (2, 3), one(c, child)
    return every, child


def look(c, every, child):
    step("job_stat: times in milliseconds since a run was due, and the history, newest first")
    stat = c.job_stat(every)
    for name in ("75thPercentile", "95thPercentile", "98thPercentile", "99thPercentile", "median", "mean"):
        assert 0 < stat["histogram"][name] < 60000, (name, stat)
    assert stat["histogram"]["count"] == 3 and stat["histogram"]["median"] <= stat["histogram"]["99thPercentile"], stat
    past = stat["taskStatHistory"]
    assert len(past) == 3 and len({t["taskId"] for t in past}) == 3, past
    for t in past:
        assert t["jobName"] == every and t["status"] == "Success" and t["slaveId"] and t["taskId"].startswith("ct:"), t
        assert time.strptime(t["startTime"], "%m/%d/%y %H:%M:%S") <= time.strptime(t["endTime"], "%m/%d/%y %H:%M:%S") and t["duration"].endswith("s"), t
    step("the six figures of all jobs, in seconds, largest first")
    for name, figure in figures(c).items():
        rows = figure()
        assert {r["jobNameLabel"] for r in rows} == {every, child}, (name, rows)
        assert [r["time"] for r in rows] == sorted((r["time"] for r in rows), reverse=True) and 0 < rows[-1]["time"] < 60, (name, rows)
    assert figures(c)["median"]() != [] and stat["histogram"]["median"] / 1000 in [r["time"] for r in c.scheduler_stat_median()]
    step("scheduler_graph: outcomes, states, links; metrics")
    assert c.scheduler_graph().splitlines() == ["node,%s,success,idle" % child, "node,%s,success,idle" % every, "link,%s,%s" % (every, child)]
    m = c.metrics()
    assert m["gauges"]["jobs"]["value"] == 2 and m["counters"]["runs.succeeded"]["count"] >= 5 and m["version"], m
    step("search: by name and by command, in any case; both; neither")
    names = lambda jobs: [j["name"] for j in jobs]  # noqa: E731
    assert names(c.search(name=every.upper())) == [every]
    assert names(c.search(command="greeting")) == [every]
    assert names(c.search(name="child", command="TRUE")) == [child] and c.search(name="child", command="greeting") == []
    assert names(c.search()) == [child, every] and c.search(name="no such") == []


def change(c, every, child, tag):
    step("update: another command, and all that list has given; counters stay, nothing runs again")
    j = one(c, every)
    assert c.update(j) is None and one(c, every) == j
    assert c.update(dict(j, command="echo again")) is None
    assert one(c, every) == dict(j, command="echo again")
    k = one(c, child)
    assert c.update(dict(k, retries=5)) is None and one(c, child) == dict(k, retries=5)
    step("update: from dependent to scheduled, and back")
    lone = {key: v for key, v in k.items() if key != "parents"}
    c.update(dict(lone, schedule=FAR))
    assert one(c, child)["schedule"] == "R/2090-01-01T00:00:00.000Z/P1D" and "parents" not in one(c, child)
    c.update(dict(lone, parents=[every]))
    assert one(c, child)["parents"] == [every] and one(c, child)["successCount"] == k["successCount"]
    step("run: once more, with the child after it, and no repetition used up")
    before, after = one(c, every), one(c, child)["successCount"]
    assert c.run(every) is None
    until("another run", lambda: one(c, every)["successCount"] == before["successCount"] + 1)
    until("the child after it", lambda: one(c, child)["successCount"] == after + 1)
    assert one(c, every)["schedule"] == before["schedule"], one(c, every)
    step("delete_tasks: what runs is ended, is not tried again, and counts as nothing")
    long = tag + "long"
    c.add(job(long, command="exec sleep 3600", retries=5))
    c.run(long)
    until("it runs", lambda: node(c, long) == ("fresh", "1 running"))
    until("it is known to run", lambda: [t["status"] for t in c.job_stat(long)["taskStatHistory"]] == ["Running"])
    assert c.delete_tasks(long) is None
    until("it is idle", lambda: node(c, long) == ("fresh", "idle"))
    j = one(c, long)
    assert (j["successCount"], j["errorCount"], j["lastError"]) == (0, 0, ""), j
    assert c.delete_tasks(long) is None  # nothing runs: that is no failure
    step("a job that fails: counted, with the last error; tried again as often as it says")
    c.add(job(tag + "bad", command="exit 3", retries=0))
    c.run(tag + "bad")
    until("its failure", lambda: node(c, tag + "bad") == ("failure", "idle"))
    j = one(c, tag + "bad")
    assert (j["successCount"], j["errorCount"], j["errorsSinceLastSuccess"]) == (0, 1, 1) and j["lastError"].endswith("Z"), j
    assert c.job_stat(tag + "bad")["taskStatHistory"][0]["status"] == "Fail"
    c.add(job(tag + "retried", command="exit 3", retries=1, retryDelay="PT0.1S"))
    c.run(tag + "retried")
    until("both attempts", lambda: len(c.job_stat(tag + "retried")["taskStatHistory"]) == 2 and node(c, tag + "retried") == ("failure", "idle"))
    assert one(c, tag + "retried")["errorCount"] == 1, one(c, tag + "retried")


def refuse(c, every, child, tag):
    before = json.dumps(c.list())
    step("MissingFieldError and OneOfViolationError, by the client itself")
    wanted = ["name", "command", "owner", "disabled"] + ([] if c.scheduler_api_version else ["async"])
    for field in wanted:
        for call in (c.add, c.update):
            refused(lambda: call({k: v for k, v in job(tag + "x").items() if k != field}), field, MissingFieldError)
    refused(lambda: c.add({k: v for k, v in job(tag + "x").items() if k != "schedule"}), "schedule", MissingFieldError)
    refused(lambda: c.add(job(tag + "x", parents=[every], schedule=FAR)), "parents", OneOfViolationError)
    refused(lambda: c.add(job(tag + "x", container={"type": "DOCKER"})), "image", MissingFieldError)
    refused(lambda: Recorded(PUBLISHED, scheduler_api_version="v9"), "not supported yet: v9")
    step("ChronosAPIError with the sentence, of each definition that is wrong")
    for fields, says in ((dict(name="a b"), "name may have only letters"), (dict(name="a/b"), "name may have"), (dict(name=""), "name must be given"), (dict(name="x" * 201), "longer than 200"),
                         (dict(schedule="hourly"), 'schedule "hourly"'), (dict(schedule=""), None), (dict(schedule="R/2026-01-01T00:00:00Z"), "no repeating interval"),
                         (dict(schedule="R/1969-12-31T23:59:59Z/P1D"), "1970"), (dict(schedule="R2//PT0S"), "no length"), (dict(schedule="0 0 30 2 *"), "never fires"),
                         (dict(scheduleTimeZone="Mars/Phobos"), "Mars/Phobos"), (dict(epsilon="soon"), "epsilon must be"), (dict(cpus=-1), "cpus must be"), (dict(mem="much"), "mem must be"),
                         (dict(retries=-1), "retries must be"), (dict(command="x\0"), "NUL"), (dict(uris=["http://h/a"], fetch=[{"uri": "http://h/b"}]), "beside fetch"),
                         (dict(constraints=[["rack", "NEAR", "x"]]), "EQUALS, LIKE and UNLIKE"), (dict(container={"type": "DOCKER", "image": "x"}), "container is not served"),
                         ({"async": True}, "async is not served"), (dict(colour="red"), "colour is no field"),
                         (dict(parents=[]), "at least one job"), (dict(parents=[tag + "nobody"]), "do not exist: %snobody" % tag), (dict(parents=[tag + "x"]), "itself: %sx → %sx" % (tag, tag)),
                         (dict(name=every, parents=[child]), "cycle: %s → %s → %s" % (every, child, every))):
        if says:
            for call in (c.add, c.update):
                refused(lambda: call(job(**dict({"name": tag + "x"}, **fields))), says)
    step("ChronosAPIError of a job that is not there; names are quoted in addresses")
    for call in (c.run, c.delete, c.delete_tasks, c.job_stat):
        refused(lambda: call(tag + "nobody"), "There is no job named")
        refused(lambda: call("a b%2F?x=1#é"), "There is no job named")
        refused(lambda: call("ct:1:0:" + every + ":"), "There is no job named")
    assert json.dumps(c.list()) == before, "what was refused is there"


def scripts(c, every, tag):
    """chronos-sync-jobs.py and chronos-nagios.py, as they are installed. They give no
    password, so it is put in where they connect."""
    def script(name, *args):
        out, argv, plain = io.StringIO(), sys.argv, chronos.connect
        sys.argv, chronos.connect = [name, "--hostname", PUBLISHED] + list(args), lambda server: connect(c.scheduler_api_version, server)
        try:
            with contextlib.redirect_stdout(out):
                runpy.run_path(os.path.join(os.path.dirname(sys.executable), name), run_name="__main__")
        except SystemExit as e:
            return e.code or 0, out.getvalue()
        finally:
            sys.argv, chronos.connect = argv, plain
        return 0, out.getvalue()
    step("chronos-sync-jobs.py: adds and updates; the second time, after a run, nothing is left to do")
    with tempfile.TemporaryDirectory() as directory:
        for n, fields in (("a", {}), ("b", {"parents": [tag + "sync-a"]})):
            with open(os.path.join(directory, n + ".json"), "w") as f:
                json.dump(dict(job(tag + "sync-" + n, **fields), **({"schedule": "R/2090-01-01T00:00:00.000Z/P1D"} if n == "a" else {})), f)
        code, said = script("chronos-sync-jobs.py", "--sync", directory)
        assert code == 0 and said.count("Adding job") == 2 and "Failed" not in said, said
        c.run(tag + "sync-a")
        until("its run, and the child's", lambda: one(c, tag + "sync-b")["successCount"] == 1)
        code, said = script("chronos-sync-jobs.py", "--sync", directory)
        assert code == 0 and said.count("is up-to-date") == 2 and "Updating" not in said, said
    code, said = script("chronos-sync-jobs.py", "--list")
    assert code == 0 and json.loads(said) == c.list(), said
    step("chronos-nagios.py: the failed jobs, and all is well")
    code, said = script("chronos-nagios.py", "--prefix", tag)
    assert code == 2 and "CRITICAL: 2 failed jobs" in said and tag + "bad" in said, (code, said)
    code, said = script("chronos-nagios.py", "--prefix", tag, "--exclude", tag + "bad", "--exclude", tag + "retried")
    assert code == 0 and "OK: 3 jobs succeeded" in said, (code, said)


def leave(c, every, child):
    step("delete: the child takes its parent's schedule; all are gone, and what ran of them has ended")
    schedule = one(c, every)["schedule"]
    assert c.delete(every) is None and one(c, every) is None
    heir = one(c, child)
    assert "parents" not in heir and heir["schedule"] == schedule and heir["successCount"] > 0, heir
    for j in c.list():
        assert c.delete(j["name"]) is None
    assert c.list() == [] and c.scheduler_graph().strip() == "" and c.metrics()["gauges"]["jobs"]["value"] == 0


def walk():
    for version in ("v1", None):  # in this order: once the client has been of 2.x, it asks every job for async
        tag = "v1." if version else "v0."
        step("scheduler_api_version %r" % (version,))
        c = reach(version)
        if version:
            assert c.add({k: v for k, v in job(tag + "first").items() if k != "async"}) is None
            c.delete(tag + "first")
        every, child = add(c, tag)
        look(c, every, child)
        change(c, every, child, tag)
        refuse(c, every, child, tag)
        scripts(c, every, tag)
        leave(c, every, child)
    step("no call of the client is left out")
    assert not left_out(Recorded), "never called: %s" % left_out(Recorded)


if __name__ == "__main__":
    main(walk)
