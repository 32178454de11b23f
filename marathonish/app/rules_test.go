package app

import (
	"errors"
	"strings"
	"testing"
)

// breach is a definition that breaks one rule, and where it must be told.
type breach struct {
	fields string // beside id and cmd; a field given twice counts as given last
	path   string
	text   string // part of what is said
}

func breaches() []breach {
	long := strings.Repeat("x", 1025)
	return []breach{
		{`"id":"/Web"`, "/id", "lower-case"},
		{`"id":"/web_1"`, "/id", "lower-case"},
		{`"id":"/-web"`, "/id", "begin and end"},
		{`"id":"/web-"`, "/id", "begin and end"},
		{`"id":"/a/.b"`, "/id", "begin and end"},
		{`"id":"/"`, "/id", "top group"},
		{`"id":""`, "/id", "top group"},
		{`"id":"/a/restart"`, "/id", "must not end"},
		{`"id":"/tasks"`, "/id", "must not end"},
		{`"id":"versions"`, "/id", "must not end"},
		{`"id":"../.."`, "/id", "top group"},
		{`"id":"/` + strings.Repeat("a", 210) + `"`, "/id", "longer"},
		{`"id":null`, "/id", "must be given"},
		{`"cmd":""`, "/cmd", "empty"},
		{`"cmd":"a\u0000b"`, "/cmd", "NUL"},
		{`"cmd":null`, "/", "cmd or args"},
		{`"args":["sleep"]`, "/", "both"},
		{`"cmd":null,"args":[]`, "/", "cmd or args"},
		{`"cmd":null,"args":[""]`, "/args(0)", "empty"},
		{`"instances":-1`, "/instances", "at least 0"},
		{`"instances":2000000`, "/instances", "at most"},
		{`"instances":2,"labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"}`, "/instances", "0 or 1"},
		{`"cpus":0`, "/cpus", "at least 0.001"},
		{`"cpus":1e13`, "/cpus", "at most"},
		{`"mem":-1`, "/mem", "at least 0"},
		{`"disk":-0.5`, "/disk", "at least 0"},
		{`"gpus":1`, "/gpus", "not served yet"},
		{`"user":"a\u0000"`, "/user", "NUL"},
		{`"env":{"A":{"secret":"s"}}`, "/env/A", "not served yet"},
		{`"env":{"A=B":"x"}`, "/env/A=B", "variable"},
		{`"env":{"A":"\u0000"}`, "/env/A", "NUL"},
		{`"labels":{"PROFFER_DRAIN_SECONDS":"soon"}`, "/labels/PROFFER_DRAIN_SECONDS", "seconds"},
		{`"labels":{"PROFFER_DRAIN_SECONDS":"NaN"}`, "/labels/PROFFER_DRAIN_SECONDS", "seconds"},
		{`"constraints":[["hostname","BESIDE"]]`, "/constraints(0)", "one of UNIQUE"},
		{`"constraints":[["hostname"]]`, "/constraints(0)", "1 parts"},
		{`"constraints":[["hostname","UNIQUE"],[]]`, "/constraints(1)", "0 parts"},
		{`"constraints":[["a","LIKE","b","c"]]`, "/constraints(0)", "4 parts"},
		{`"constraints":[["","UNIQUE"]]`, "/constraints(0)", "name a field"},
		{`"constraints":[["hostname","UNIQUE","x"]]`, "/constraints(0)", "no value"},
		{`"constraints":[["rack","LIKE"]]`, "/constraints(0)", "needs a value"},
		{`"constraints":[["rack","LIKE","("]]`, "/constraints(0)", "regular expression"},
		{`"constraints":[["rack","UNLIKE",")("]]`, "/constraints(0)", "regular expression"},
		{`"constraints":[["rack","MAX_PER"]]`, "/constraints(0)", "needs a value"},
		{`"constraints":[["rack","MAX_PER","two"]]`, "/constraints(0)", "whole number"},
		{`"constraints":[["rack","GROUP_BY","2"]]`, "/constraints(0)", "not served yet"},
		{`"constraints":[["rack","IS","a"]]`, "/constraints(0)", "not served yet"},
		{`"constraints":[["@zone","UNIQUE"]]`, "/constraints(0)", "not served yet"},
		{`"role":"web"`, "/role", "one of *, system"},
		{`"acceptedResourceRoles":[]`, "/acceptedResourceRoles", "empty"},
		{`"acceptedResourceRoles":["*","*"]`, "/acceptedResourceRoles(1)", "twice"},
		{`"acceptedResourceRoles":["system"]`, "/acceptedResourceRoles(0)", "app's role"},
		{`"backoffSeconds":-1`, "/backoffSeconds", "at least 0"},
		{`"backoffFactor":0.9`, "/backoffFactor", "at least 1"},
		{`"maxLaunchDelaySeconds":-1`, "/maxLaunchDelaySeconds", "at least 0"},
		{`"taskKillGracePeriodSeconds":-1`, "/taskKillGracePeriodSeconds", "at least 0"},
		{`"fetch":[{}]`, "/fetch(0)/uri", "must be given"},
		{`"fetch":[{"uri":"http://h/` + long + `"}]`, "/fetch(0)/uri", "1024"},
		{`"fetch":[{"uri":"hdfs://h/x"}]`, "/fetch(0)/uri", "not served yet"},
		{`"fetch":[{"uri":"http:///x"}]`, "/fetch(0)/uri", "no host"},
		{`"fetch":[{"uri":"http://h/%zz"}]`, "/fetch(0)/uri", "valid"},
		{`"fetch":[{"uri":"http://h/x","destPath":"../x"}]`, "/fetch(0)/destPath", "below"},
		{`"fetch":[{"uri":"http://h/x","size":1}]`, "/fetch(0)/size", "no field"},
		{`"uris":["s3://b/x"]`, "/fetch(0)/uri", "not served yet"},
		{`"uris":["http://h/x"],"fetch":[{"uri":"http://h/x"}]`, "/uris", "beside"},
		{`"ports":[0],"portDefinitions":[{}]`, "/ports", "beside"},
		{`"ports":[80,80]`, "/portDefinitions(1)/port", "twice"},
		{`"ports":[65536]`, "/portDefinitions(0)/port", "65535"},
		{`"portDefinitions":[{"port":-1}]`, "/portDefinitions(0)/port", "65535"},
		{`"portDefinitions":[{"name":"a"},{"name":"a"}]`, "/portDefinitions(1)/name", "twice"},
		{`"portDefinitions":[{"protocol":"sctp"}]`, "/portDefinitions(0)/protocol", "one of tcp"},
		{`"resourceLimits":{"cpus":0.5}`, "/resourceLimits/cpus", "request"},
		{`"resourceLimits":{"mem":1}`, "/resourceLimits/mem", "request"},
		{`"resourceLimits":{"mem":"much"}`, "/resourceLimits/mem", "unlimited"},
		{`"resourceLimits":{"disk":1}`, "/resourceLimits/disk", "no field"},
		{`"upgradeStrategy":{"minimumHealthCapacity":1.1}`, "/upgradeStrategy/minimumHealthCapacity", "between 0 and 1"},
		{`"upgradeStrategy":{"maximumOverCapacity":-1}`, "/upgradeStrategy/maximumOverCapacity", "between 0 and 1"},
		{`"unreachableStrategy":{"inactiveAfterSeconds":2,"expungeAfterSeconds":1}`, "/unreachableStrategy", "more than"},
		{`"unreachableStrategy":{"expungeAfterSeconds":1,"inactiveAfterSeconds":-1}`, "/unreachableStrategy/inactiveAfterSeconds", "at least 0"},
		{`"unreachableStrategy":"off"`, "/unreachableStrategy", "disabled"},
		{`"killSelection":"NICEST_FIRST"`, "/killSelection", "YOUNGEST_FIRST"},
		{`"colour":"red"`, "/colour", "no field"},
		{`"CPUS":1`, "/CPUS", "written cpus"},
		{`"container":{"type":"DOCKER","docker":{"image":"x"}}`, "/container", "not served yet"},
		{`"check":{"http":{}}`, "/check", "not served yet"},
		{`"readinessChecks":[{}]`, "/readinessChecks", "not served yet"},
		{`"secrets":{"a":{"source":"b"}}`, "/secrets", "not served yet"},
		{`"residency":{}`, "/residency", "not served yet"},
		{`"networks":[{"mode":"container"}]`, "/networks", "not served yet"},
		{`"networks":[{"mode":"host","name":"x"}]`, "/networks", "not served yet"},
		{`"networks":[{"mode":"host"},{"mode":"host"}]`, "/networks", "not served yet"},
		{`"dependencies":["/db"]`, "/dependencies", "not served yet"},
		{`"executor":"//cmd"`, "/executor", "not served yet"},
		{`"executorResources":{"cpus":1}`, "/executorResources", "not served yet"},
		{`"tty":true`, "/tty", "not served yet"},
		{`"ipAddress":{}`, "/ipAddress", "not served yet"},
	}
}

func healthBreaches() []breach {
	return []breach{
		{`"protocol":"ICMP"`, "/healthChecks(0)/protocol", "one of HTTP"},
		{`"port":80,"portIndex":0`, "/healthChecks(0)", "both port and portIndex"},
		{`"port":0`, "/healthChecks(0)/port", "between 1 and 65535"},
		{`"portIndex":1`, "/healthChecks(0)/portIndex", "1 ports"},
		{`"portIndex":-1`, "/healthChecks(0)/portIndex", "1 ports"},
		{`"path":"health"`, "/healthChecks(0)/path", "slash"},
		{`"gracePeriodSeconds":-1`, "/healthChecks(0)/gracePeriodSeconds", "at least 0"},
		{`"intervalSeconds":0`, "/healthChecks(0)/intervalSeconds", "at least 1"},
		{`"timeoutSeconds":0`, "/healthChecks(0)/timeoutSeconds", "at least 1"},
		{`"delaySeconds":-1`, "/healthChecks(0)/delaySeconds", "at least 0"},
		{`"maxConsecutiveFailures":-1`, "/healthChecks(0)/maxConsecutiveFailures", "at least 0"},
		{`"ipProtocol":"IPv5"`, "/healthChecks(0)/ipProtocol", "IPv4"},
		{`"command":{"value":"true"}`, "/healthChecks(0)/command", "COMMAND only"},
		{`"protocol":"COMMAND"`, "/healthChecks(0)/command", "must be given"},
		{`"protocol":"COMMAND","command":{"value":"true"},"path":"/"`, "/healthChecks(0)/path", "not for"},
		{`"protocol":"COMMAND","command":{"value":"true"},"portIndex":0`, "/healthChecks(0)/portIndex", "not for"},
		{`"protocol":"COMMAND","command":{"value":"true","user":"x"}`, "/healthChecks(0)/command/user", "no field"},
		{`"protocol":"TCP","path":"/"`, "/healthChecks(0)/path", "HTTP only"},
		{`"protocol":"MESOS_TCP","ignoreHttp1xx":true`, "/healthChecks(0)/ignoreHttp1xx", "HTTP only"},
		{`"url":"/"`, "/healthChecks(0)/url", "no field"},
		{`"protocol":"MESOS_HTTP"},{"protocol":"COMMAND","command":{"value":"true"}`, "/healthChecks", "more than one"},
	}
}

// TestEachRuleBrokenOnce: 422, and exactly the one path with exactly the one sentence.
func TestEachRuleBrokenOnce(t *testing.T) {
	all := breaches()
	for _, b := range healthBreaches() {
		b.fields = `"healthChecks":[{` + b.fields + `}]`
		all = append(all, b)
	}
	for _, b := range all {
		_, err := Parse([]byte(`{"id":"/web","cmd":"sleep 1",` + b.fields + `}`))
		var r *Refusal
		if !errors.As(err, &r) {
			t.Errorf("%s: accepted", shorten(b.fields))
			continue
		}
		if r.Status != 422 || r.Message != "Object is not valid" || len(r.Details) != 1 || r.Details[0].Path != b.path || len(r.Details[0].Errors) != 1 || !strings.Contains(r.Details[0].Errors[0], b.text) {
			t.Errorf("%s: %d %v, wanted 422 %s …%s…", shorten(b.fields), r.Status, r, b.path, b.text)
		}
	}
}

// TestWrongTypes: 422 "Invalid JSON" with the path; what is no JSON at all is 400.
func TestWrongTypes(t *testing.T) {
	for _, c := range []struct {
		body, path string
		status     int
	}{
		{`{"id":5,"cmd":"x"}`, "/id", 422},
		{`{"id":"/a","cmd":["x"]}`, "/cmd", 422},
		{`{"id":"/a","args":"x"}`, "/args", 422},
		{`{"id":"/a","args":[1]}`, "/args(0)", 422},
		{`{"id":"/a","cmd":"x","instances":"2"}`, "/instances", 422},
		{`{"id":"/a","cmd":"x","instances":1.5}`, "/instances", 422},
		{`{"id":"/a","cmd":"x","instances":1e10}`, "/instances", 422},
		{`{"id":"/a","cmd":"x","cpus":1e999}`, "/cpus", 422},
		{`{"id":"/a","cmd":"x","cpus":true}`, "/cpus", 422},
		{`{"id":"/a","cmd":"x","env":[]}`, "/env", 422},
		{`{"id":"/a","cmd":"x","env":{"A":1}}`, "/env/A", 422},
		{`{"id":"/a","cmd":"x","labels":{"A":{}}}`, "/labels/A", 422},
		{`{"id":"/a","cmd":"x","constraints":["hostname:UNIQUE"]}`, "/constraints(0)", 422},
		{`{"id":"/a","cmd":"x","constraints":[[1,"UNIQUE"]]}`, "/constraints(0)(0)", 422},
		{`{"id":"/a","cmd":"x","healthChecks":{}}`, "/healthChecks", 422},
		{`{"id":"/a","cmd":"x","healthChecks":["x"]}`, "/healthChecks(0)", 422},
		{`{"id":"/a","cmd":"x","requirePorts":"yes"}`, "/requirePorts", 422},
		{`{"id":"/a","cmd":"x","portDefinitions":[null]}`, "/portDefinitions(0)", 422},
		{`[]`, "/", 422},
		{`"app"`, "/", 422},
		{`null`, "/", 422},
		{``, "/", 400},
		{`{`, "/", 400},
		{`{"id":"/a",}`, "/", 400},
		{`{} {}`, "/", 400},
		{`nope`, "/", 400},
	} {
		_, err := Parse([]byte(c.body))
		var r *Refusal
		if !errors.As(err, &r) || r.Status != c.status || r.Message != "Invalid JSON" || len(r.Details) != 1 || r.Details[0].Path != c.path {
			t.Errorf("%s: %v, wanted %d at %s", c.body, err, c.status, c.path)
		}
	}
}

// TestManyFaultsAtOnce: everything that is wrong is told in one answer.
func TestManyFaultsAtOnce(t *testing.T) {
	_, err := Parse([]byte(`{"id":"/Web","cpus":0,"constraints":[["a","LIKE"],["b","X"]],"container":{}}`))
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatal("accepted")
	}
	var paths []string
	for _, d := range r.Details {
		paths = append(paths, d.Path)
	}
	if got := strings.Join(paths, " "); got != "/container /id / /cpus /constraints(0) /constraints(1)" {
		t.Errorf("told: %s", got)
	}
}

// TestAccepted are bodies that clients send and that must pass.
func TestAccepted(t *testing.T) {
	for _, body := range []string{
		// go-marathon: explicit nulls
		`{"id":"/a","cmd":"x","ports":null,"dependencies":null,"container":null,"upgradeStrategy":null,"gpus":null,"unknown":null}`,
		// marathon-python: everything that it has, after a GET
		`{"id":"/a","cmd":"x","ports":[],"portDefinitions":[{"port":10000,"name":null,"protocol":"tcp","labels":null}],"uris":[],"fetch":[],"storeUrls":[],"taskRateLimit":null,
		  "tasks":[],"tasksRunning":0,"tasksStaged":0,"tasksHealthy":0,"tasksUnhealthy":0,"deployments":[],"versionInfo":{"lastScalingAt":"2021-07-27T10:00:00.123000Z"},"lastTaskFailure":null,
		  "readinessChecks":[],"readinessCheckResults":[],"residency":null,"secrets":{},"executor":"","gpus":0,"networks":[{"mode":"host"}],"taskStats":null,
		  "unreachableStrategy":{"unreachableInactiveAfterSeconds":null,"unreachableExpungeAfterSeconds":null,"inactiveAfterSeconds":0,"expungeAfterSeconds":0},
		  "healthChecks":[{"command":null,"path":"/","portIndex":0,"port":null,"protocol":"HTTP","ignoreHttp1xx":false,"ipProtocol":"IPv4","delaySeconds":0}],"constraints":[["rack","MAX_PER",2]]}`,
		`{"id":"/a","args":["sleep","1"],"cmd":null}`,
		`{"id":"/a","cmd":"x","args":[]}`,
		`{"id":"/a","cmd":"x","instances":0,"version":"2021-07-27T10:00:00.123Z"}`,
		`{"id":"/a","cmd":"x","instances":3.0,"tty":false,"networks":[]}`,
		`{"id":"/a","cmd":"x","networks":[{"mode":"host","labels":{}}]}`,
		`{"id":"/a","cmd":"x","role":"system","acceptedResourceRoles":["*","system"]}`,
		`{"id":"/a","cmd":"x","constraints":[["@hostname","unique"],["rack","CLUSTER"],["rack","CLUSTER","r1"],["rack","LIKE","r[12]"]]}`,
		`{"id":"/a","cmd":"x","healthChecks":[{},{"protocol":"TCP"},{"protocol":"HTTPS","port":443},{"protocol":"COMMAND","command":{"value":"true"}}]}`,
		`{"id":"/a","cmd":"x","fetch":[{"uri":"FILE:///x"},{"uri":"/x"},{"uri":"https://h/x#sha256:abc","destPath":"a/b"}]}`,
		`{"id":"/a","cmd":"x","resourceLimits":{"cpus":"unlimited","mem":128}}`,
	} {
		if _, err := Parse([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}
