package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chronosDoor speaks to a cluster's chronosish at its published port.
type chronosDoor struct {
	c    *cluster
	base string
}

// do makes one call and reads its answer, without credentials where password is empty.
func (d chronosDoor) do(method, path, password, body string) (*http.Response, string) {
	d.c.t.Helper()
	req, err := http.NewRequest(method, d.base+path, strings.NewReader(body))
	if err != nil {
		d.c.t.Fatal(err)
	}
	if password != "" {
		req.SetBasicAuth("anyone", password)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		d.c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, string(text)
}

// must is do for what has to succeed.
func (d chronosDoor) must(method, path, body string) string {
	d.c.t.Helper()
	resp, text := d.do(method, path, d.c.token(), body)
	if resp.StatusCode >= 300 {
		d.c.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return text
}

// refuses asks for what must be refused, with words that its sentence has.
func (d chronosDoor) refuses(method, path, body string, status int, says string) {
	d.c.t.Helper()
	resp, text := d.do(method, path, d.c.token(), body)
	var said struct{ Message, Status string }
	err := json.Unmarshal([]byte(text), &said)
	switch {
	case err != nil || resp.StatusCode != status || said.Status != http.StatusText(status):
		d.c.t.Errorf("%s %s %.200s: %d %.500s, not %d", method, path, body, resp.StatusCode, text, status)
	case !strings.Contains(said.Message, says) || !strings.HasSuffix(said.Message, ".") || len(said.Message) > 5000:
		d.c.t.Errorf("%s %s %.200s: %.500q is no sentence with %q", method, path, body, said.Message, says)
	case resp.Header.Get("Access-Control-Allow-Origin") != "*":
		d.c.t.Errorf("%s %s: without Access-Control-Allow-Origin", method, path)
	}
}

// state is all that chronosish has: its jobs as they are shown, and its space of the store
// with the revision of each key.
func (d chronosDoor) state() string {
	d.c.t.Helper()
	status, kept := space{d.c, d.c.token(), `"principal":"chronosish",`, "chronosish"}.call("LIST", `{"prefix":""}`)
	var list struct {
		KVs []json.RawMessage `json:"kvs"` // each with the revision of its last change
	}
	if err := json.Unmarshal([]byte(kept), &list); err != nil || status != 200 || !strings.Contains(kept, `"modified":`) {
		d.c.t.Fatalf("chronosish's space: %d %.2000s", status, kept)
	}
	return d.must(http.MethodGet, "/v1/scheduler/jobs", "") + "\n" + fmt.Sprintf("%s", list.KVs)
}

// TestBadJobs: what is wrong with a job is refused at chronosish's published port, which each
// of three masters answers, and through the client, each in a sentence; and nothing of it is
// stored.
func TestBadJobs(t *testing.T) {
	c := startCluster(t, append(booted(), "--masters", "3", "--resources", "cpus:2;mem:1024;ports:[0-99]", "--publish", "4400=chronosish")...)
	c.settled(3)
	d := chronosDoor{c, fmt.Sprintf("http://127.0.0.1:%d", 4400+c.offset)}
	eventually(t, 20*time.Second, "chronosish is up", func() bool {
		resp, _ := d.do(http.MethodGet, "/scheduler/jobs", c.token(), "")
		return resp.StatusCode == http.StatusOK
	})
	t.Run("every master", func(t *testing.T) { everyMaster(t, d) })
	job := func(rest string) string { return `{"name":"a","command":"true","cpus":0.1,` + rest + `}` }
	d.must(http.MethodPost, "/v1/scheduler/iso8601", job(`"schedule":"R/2090-01-01T00:00:00Z/P1D"`))
	for child, parent := range map[string]string{"b": "a", "c": "a"} {
		d.must(http.MethodPost, "/scheduler/dependency", fmt.Sprintf(`{"name":%q,"command":"true","parents":[%q]}`, child, parent))
	}
	d.must(http.MethodPost, "/scheduler/dependency", `{"name":"c","command":"true","parents":["b"]}`)
	before := d.state()
	for name, story := range map[string]func(*testing.T, chronosDoor){
		"definitions": badDefinitions, "names": unknownJobs, "bodies": hostileBodies, "credentials": credentialsOfJobs, "client": badCreates,
	} {
		t.Run(name, func(t *testing.T) { story(t, d) })
	}
	if after := d.state(); after != before {
		t.Errorf("what was refused is there:\n%s\nand it was\n%s", after, before)
	}
}

// everyMaster: whichever master is asked, writes are made and seen by all.
func everyMaster(t *testing.T, d chronosDoor) {
	var doors []chronosDoor
	for addr := range d.c.masters() {
		doors = append(doors, chronosDoor{d.c, "http://" + addr + "/service/chronosish"})
	}
	if len(doors) != 3 {
		t.Fatalf("%d masters", len(doors))
	}
	for i, door := range doors {
		door.must(http.MethodPost, "/scheduler/iso8601", fmt.Sprintf(`{"name":"m%d","command":"true","schedule":"R/2090-01-01T00:00:00Z/P1D"}`, i))
		for j, other := range doors {
			if names := other.must(http.MethodGet, "/v1/scheduler/graph/csv", ""); strings.Count(names, "node,m") != i+1 {
				t.Errorf("the master %d shows what was told to %d: %s", j, i, names)
			}
			if leader := other.must(http.MethodGet, "/leader", ""); leader != doors[0].must(http.MethodGet, "/scheduler/leader", "") {
				t.Errorf("the master %d knows another leader: %s", j, leader)
			}
		}
	}
	for i := range doors {
		doors[(i+1)%3].must(http.MethodDelete, fmt.Sprintf("/scheduler/job/m%d", i), "")
	}
}

// badDefinitions breaks each rule once, below both prefixes.
func badDefinitions(t *testing.T, d chronosDoor) {
	pid := d.c.one(" chronosish")
	for _, row := range []struct{ fields, says string }{
		{`"name":""`, "name must be given"},
		{`"name":"a b"`, `is "a b"`},
		{`"name":"a/b"`, `is "a/b"`},
		{`"name":"a:b"`, `is "a:b"`},
		{`"name":"a\n"`, `is "a\n"`},
		{`"name":".."`, "name cannot be .."},
		{`"name":"` + strings.Repeat("x", 201) + `"`, "longer than 200"},
		{`"name":["z"]`, "name must be a text"},
		{`"schedule":"hourly"`, `schedule "hourly"`},
		{`"schedule":"R/2026-01-01T00:00:00Z"`, "no repeating interval"},
		{`"schedule":"R-1/2026-01-01T00:00:00Z/PT1H"`, `"R-1"`},
		{`"schedule":"R2/2026-01-01T00:00:00Z/PT0S"`, "no length"},
		{`"schedule":"R/2026-02-30T00:00:00Z/P1D"`, "no such day"},
		{`"schedule":"R/1969-12-31T23:59:59Z/P1D"`, "1970"},
		{`"schedule":"0 0 30 2 *"`, "never fires"},
		{`"schedule":"61 * * * *"`, "the minute field"},
		{`"schedule":"@foo"`, `"@foo"`},
		{`"schedule":"CRON_TZ=UTC"`, "no time"},
		{`"scheduleTimeZone":"Mars/Phobos"`, `"Mars/Phobos" is not known`},
		{`"epsilon":"soon"`, "epsilon must be a length of time"},
		{`"lostAfter":"P1M"`, "lostAfter must be"},
		{`"uris":["http://h/a"],"fetch":[{"uri":"http://h/b"}]`, "uris cannot be given beside fetch"},
		{`"fetch":[{"uri":"hdfs://h/x"}]`, "fetch[0].uri"},
		{`"cpus":-1`, "cpus must be between"},
		{`"mem":1e400`, "mem must be a number"},
		{`"retries":1.5`, "retries must be a whole number"},
		{`"maxCompletionTime":-1`, "maxCompletionTime must be"},
		{`"shell":"yes"`, "shell must be true or false"},
		{`"command":"x\u0000"`, "NUL"},
		{`"owner":"\u0000"`, "NUL"},
		{`"environmentVariables":[{"name":"A=B"}]`, "environmentVariables[0].name"},
		{`"constraints":[["rack","NEAR","x"]]`, "EQUALS, LIKE and UNLIKE"},
		{`"constraints":[["rack","LIKE","("]]`, "regular expression"},
		{`"container":{"type":"DOCKER","image":"x"}`, "container is not served yet"},
		{`"async":true`, "async is not served yet"},
		{`"colour":"red"`, "colour is no field"},
		{`"owner":"a","owner":"b"`, `"owner" twice`},
		{`"parents":["a"]`, "…/dependency"},
	} {
		body := `{"command":"true",` + row.fields + `}`
		if !strings.Contains(row.fields, `"name":`) || strings.Contains(row.fields, `environmentVariables`) {
			body = `{"name":"z",` + body[1:]
		}
		if strings.Contains(row.fields, `"command"`) {
			body = strings.Replace(body, `"command":"true",`, "", 1)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			for _, base := range []string{"/v1/scheduler", "/scheduler"} {
				d.refuses(method, base+"/iso8601", body, 400, row.says)
			}
		}
	}
	for _, row := range []struct{ name, fields, says string }{
		{"z", `"owner":"a"`, "at least one job"},
		{"z", `"parents":[]`, "at least one job"},
		{"z", `"parents":null`, "at least one job"},
		{"z", `"parents":["nobody","a","nothing"]`, "do not exist: nobody, nothing"},
		{"z", `"parents":["z"]`, "z → z"},
		{"z", `"parents":["a","z"]`, "z → z"},
		{"z", `"parents":["a"],"schedule":"R//PT1H"`, "…/iso8601"},
		{"a", `"parents":["c"]`, "a → b → c → a"},
		{"a", `"parents":["b"]`, "a → b → a"},
		{"b", `"parents":["a","c"]`, "b → c → b"},
	} {
		for _, base := range []string{"/v1/scheduler", "/scheduler"} {
			d.refuses(http.MethodPost, base+"/dependency", fmt.Sprintf(`{"name":%q,"command":"true",%s}`, row.name, row.fields), 400, row.says)
		}
	}
	if !alive(pid) {
		t.Error("chronosish has died of what it was sent")
	}
}

// unknownJobs: Chronos answers 400 for them, wherever they are named.
func unknownJobs(_ *testing.T, d chronosDoor) {
	for _, name := range []string{"nobody", "ct%3A1%3A0%3Aa%3A", "%00", "a%0A", "%FF", "a%20b"} {
		for _, base := range []string{"/v1/scheduler", "/scheduler"} {
			for _, route := range []string{"GET /job/", "PUT /job/", "DELETE /job/", "DELETE /task/kill/", "DELETE /job/task/kill/", "GET /job/stat/"} {
				method, path, _ := strings.Cut(route, " ")
				d.refuses(method, base+path+name, "", 400, "There is no job named")
			}
		}
		for _, path := range []string{"/history", "/next"} {
			d.refuses("GET", "/v2/jobs/"+name+path, "", 400, "There is no job named")
		}
		d.refuses("PATCH", "/v2/jobs/"+name, `{"disabled":true}`, 400, "There is no job named")
	}
	d.refuses("PUT", "/v1/scheduler/task/ct%3A1%3A0%3Aa%3A", `{"statusCode":0}`, 404, "async")
	d.refuses("DELETE", "/scheduler/task/all", "", 404, "/task/kill/{name}")
	d.refuses("PATCH", "/scheduler/jobs", "", 405, "use GET")
	d.refuses("GET", "/scheduler/nothing", "", 404, "is not served")
	d.refuses("GET", "/scheduler/jobs/search?limit=-1", "", 400, "limit")
	d.refuses("PUT", "/scheduler/job/a?arguments=%00", "", 400, "NUL")
}

// hostileBodies are no definitions at all, or more than there is room for.
func hostileBodies(t *testing.T, d chronosDoor) {
	pid := d.c.one(" chronosish")
	names := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ",")
	}
	for _, row := range []struct {
		body, says string
		status     int
	}{
		{"", "no JSON", 400}, {"{", "no JSON", 400}, {"name: a", "no JSON", 400}, {"\x00", "no JSON", 400}, {"[]", "must be an object", 400}, {"null", "must be an object", 400},
		{"{\"name\":\"z\",\"command\":\"\xff\"}", "UTF-8", 400}, {`{"name":"z","cpus":NaN}`, "no JSON", 400},
		{strings.Repeat("[", 1<<20), "no JSON", 400}, {strings.Repeat(`{"a":`, 1<<18), "no JSON", 400},
		{`{"name":"z","command":"` + strings.Repeat("x", 600<<10) + `"}`, "are allowed", 400},
		{`{"name":"z","command":"` + strings.Repeat("x", 5<<20) + `"}`, "is larger than", 413},
		{`{"name":"z","command":"x",` + names(100_000, `"f%d":0`) + `}`, "more", 400},
	} {
		d.refuses(http.MethodPost, "/v1/scheduler/iso8601", row.body, row.status, row.says)
	}
	d.refuses(http.MethodPost, "/v1/scheduler/dependency", `{"name":"z","command":"x","parents":[`+names(100_000, `"p%d"`)+`]}`, 400, "are allowed")
	d.refuses(http.MethodPost, "/v1/scheduler/dependency", `{"name":"z","command":"x","parents":[`+names(10_000, `"p%d"`)+`]}`, 400, "do not exist: p0")
	if !alive(pid) {
		t.Error("chronosish has died of what it was sent")
	}
}

// credentialsOfJobs: nobody passes without a token, and is challenged as clients of Chronos
// expect.
func credentialsOfJobs(t *testing.T, d chronosDoor) {
	for _, password := range []string{"", "wrong"} {
		for _, route := range []string{"GET /scheduler/jobs", "GET /v1/scheduler/jobs", "POST /scheduler/iso8601", "PUT /scheduler/job/a", "DELETE /scheduler/job/a", "GET /leader", "GET /metrics", "GET /ping"} {
			method, path, _ := strings.Cut(route, " ")
			resp, text := d.do(method, path, password, `{"name":"z","command":"true"}`)
			if resp.StatusCode != 401 || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") || !strings.Contains(text, `"message":"`) {
				t.Errorf("%s with the password %q: %d %v %s", route, password, resp.StatusCode, resp.Header, text)
			}
		}
	}
	for path, want := range map[string]string{"/ping": "pong", "/leader": `"leader":"`, "/v1/scheduler/leader": `"leader":"`, "/scheduler/leader": `"leader":"`, "/metrics": `"gauges":{`} {
		if text := d.must(http.MethodGet, path, ""); !strings.Contains(text, want) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// badCreates: `proffer job create` ends with the code for what is wrong, and says it.
func badCreates(t *testing.T, d chronosDoor) {
	dir := t.TempDir()
	for i, row := range []struct {
		text string
		code int
		says string
	}{
		{``, 2, "it is empty"},
		{`{"name": "z", `, 2, "z.yaml"},
		{`{"command": "true"}`, 2, "has no name"},
		{"name: z\nname: y\n", 2, "name"},
		{"name: a b\ncommand: x\n", 1, `is "a b"`},
		{"name: z\ncommand: x\nschedule: hourly\n", 1, `schedule "hourly"`},
		{"name: z\ncommand: x\nschedule: R//PT1H\nscheduleTimeZone: Mars/Phobos\n", 1, "Mars/Phobos"},
		{"name: z\ncommand: x\nschedule: R/1969-12-31T23:59:59Z/P1D\n", 1, "1970"},
		{"name: z\ncommand: x\nschedule: 0 0 30 2 *\n", 1, "never fires"},
		{"name: z\ncommand: x\nuris: [http://h/a]\nfetch: [{uri: http://h/b}]\n", 1, "beside fetch"},
		{"name: z\ncommand: x\nparents: []\n", 1, "at least one job"},
		{"name: z\ncommand: x\nparents: [nobody]\n", 1, "do not exist: nobody"},
		{"name: z\ncommand: x\nparents: [z]\n", 1, "z → z"},
		{"name: a\ncommand: x\nparents: [c]\n", 1, "a → b → c → a"},
		{"name: z\ncommand: x\ncolour: red\n", 1, "colour is no field"},
		{"- {name: y, command: x, parents: [z]}\n- {name: z, command: x, parents: [y]}\n", 1, "do not exist: z"},
	} {
		path := filepath.Join(dir, fmt.Sprintf("%d-z.yaml", i))
		if err := os.WriteFile(path, []byte(row.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := d.c.try("job", "create", path); r.code != row.code || !strings.Contains(r.talk, row.says) || strings.Contains(r.talk, "is stored") {
			t.Errorf("job create of %q: code %d, not %d; it said %q, without %q", row.text, r.code, row.code, r.out+r.talk, row.says)
		}
	}
	for _, args := range [][]string{{"get"}, {"run"}, {"history"}, {"next"}, {"disable"}, {"enable"}, {"destroy", "--yes"}} {
		if r := d.c.try(append(append([]string{"job"}, args...), "nobody")...); r.code != 3 || !strings.Contains(r.talk, `no job named "nobody"`) {
			t.Errorf("job %v of nobody: code %d, it said %q", args, r.code, r.out+r.talk)
		}
	}
}
