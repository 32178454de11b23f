package job

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// randomBody writes a valid definition with some of the served fields.
func randomBody(t *rapid.T) (body string, kind Kind) {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	quoted := func(label string) string {
		s, _ := json.Marshal(rapid.StringMatching(`[ -~äöü<>&]{1,12}`).Draw(t, label))
		return string(s)
	}
	n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	truth := func(label string) bool { return rapid.Bool().Draw(t, label) }
	length := func(label string) string {
		return pick(label, `"PT0S"`, `"PT90S"`, `"P1DT2H"`, `"PT0.5S"`, `"P2W"`, fmt.Sprint(n(label+" of seconds", 1e6)))
	}
	fields := []string{
		`"owner":` + quoted("owner"), `"ownerName":` + quoted("owner's name"), `"description":` + quoted("description"), `"runAsUser":` + quoted("user"),
		fmt.Sprintf(`"arguments":[%s,%s]`, quoted("argument"), quoted("another")), fmt.Sprintf(`"retries":%d`, n("retries", maxRetry)),
		`"retryDelay":` + length("delay"), `"lostAfter":` + length("lost"), `"epsilon":` + length("epsilon"),
		fmt.Sprintf(`"retryOnLost":%v`, truth("retry on lost")), fmt.Sprintf(`"concurrent":%v`, truth("concurrent")), fmt.Sprintf(`"disabled":%v`, truth("disabled")),
		fmt.Sprintf(`"softError":%v`, truth("soft")), fmt.Sprintf(`"highPriority":%v`, truth("high")), fmt.Sprintf(`"shell":%v`, truth("shell")),
		fmt.Sprintf(`"maxCompletionTime":%d`, n("completion", 1e6)), fmt.Sprintf(`"cpus":%g`, rapid.Float64Range(0.001, 1e6).Draw(t, "cpus")),
		fmt.Sprintf(`"mem":"%g"`, rapid.Float64Range(1, 1e6).Draw(t, "mem")), fmt.Sprintf(`"disk":%d`, n("disk", 1e9)),
		fmt.Sprintf(`"environmentVariables":[{"name":"A","value":%s},{"name":"B"}]`, quoted("value")),
		fmt.Sprintf(`"constraints":[["rack","%s","a.*b"]]`, pick("operator", "EQUALS", "like", "UNLIKE")),
		pick("artefacts", `"uris":["http://h/x.tgz"]`, `"fetch":[{"uri":"file:///x","executable":true,"output_file":"y"}]`, `"fetch":[{"uri":"data:,echo","extract":false},{"uri":"/x"}]`),
	}
	kept := []string{fmt.Sprintf(`"name":"%s"`, rapid.StringMatching(`[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,20}`).Draw(t, "name")), `"command":` + quoted("command")}
	kind = Scheduled
	if truth("dependent") {
		kind = Dependent
		kept = append(kept, fmt.Sprintf(`"parents":["#%s"]`, strings.Repeat("p", 1+n("length", 3))))
		kept[2] = strings.Replace(kept[2], "#", "p.", 1)
	} else {
		kept = append(kept, `"schedule":"R5/2026-01-01T00:00:00Z/PT1H"`, `"scheduleTimeZone":"`+pick("zone", "", "Europe/Berlin", "null")+`"`)
	}
	for _, f := range fields {
		if truth("with " + f[:6]) {
			kept = append(kept, f)
		}
	}
	return "{" + strings.Join(rapid.Permutation(kept).Draw(t, "order"), ",") + "}", kind
}

// TestRoundTrips: what is stored reads back as it was; and what clients are shown means
// the same when they send it back, whichever route they take.
func TestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, kind := randomBody(t)
		j, err := Parse([]byte(body), kind, at())
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		j.Version = rapid.Uint64().Draw(t, "version")
		data, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Stored(data); err != nil || !reflect.DeepEqual(back, j) {
			t.Fatalf("%v: %s reads back as another", err, data)
		}
		shown, err := json.Marshal(j.Shown(j.Schedule, History{Successes: 3, LastSuccess: at()}))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []Kind{kind, Any} {
			if again, err := Parse(shown, kind, at()); err != nil || !again.Same(j) {
				t.Fatalf("%v: %s is another when it is sent back", err, shown)
			}
		}
		if c := j.Clone(); !reflect.DeepEqual(c, j) {
			t.Fatal("a clone is another")
		}
	})
}

// TestEveryFieldIsShown: clients read each field of Chronos in its type, of a job that
// gives none of them.
func TestEveryFieldIsShown(t *testing.T) {
	j, err := Parse([]byte(`{"name":"a","command":"x"}`), Scheduled, at())
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(j.Shown("R1/2026-01-01T12:00:00.250Z/PT24H", History{LastError: at()}))
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for kind, names := range map[reflect.Kind]string{
		reflect.String:  "name command schedule scheduleTimeZone owner ownerName description lastSuccess lastError executor executorFlags taskInfoData runAsUser",
		reflect.Bool:    "shell async concurrent disabled softError highPriority dataProcessingJobType",
		reflect.Float64: "retries maxCompletionTime successCount errorCount errorsSinceLastSuccess cpus mem disk",
		reflect.Slice:   "arguments uris fetch environmentVariables constraints",
	} {
		for name := range strings.FieldsSeq(names) {
			if v, ok := fields[name]; !ok || reflect.TypeOf(v) == nil || reflect.TypeOf(v).Kind() != kind {
				t.Errorf("%s is %v, and no %v", name, v, kind)
			}
		}
	}
	for _, hidden := range []string{"created", "version", "parents", "container"} {
		if v, ok := fields[hidden]; ok {
			t.Errorf("%s is shown: %v", hidden, v)
		}
	}
	if fields["lastError"] != "2026-01-01T12:00:00.250Z" || fields["lastSuccess"] != "" {
		t.Errorf("%v, %v", fields["lastError"], fields["lastSuccess"])
	}
}

// FuzzParse: whatever is sent is refused in a sentence, or read as a job that is kept
// and shown without loss.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"a","command":"x","schedule":"R5/2026-01-01T00:00:00Z/PT1M","epsilon":"PT5M","constraints":[["a","LIKE","b"]],"fetch":[{"uri":"http://h"}]}`), 1)
	f.Add([]byte(`{"name":7,"command":"","parents":["b","a"],"environmentVariables":[{"name":"A","value":"1"}],"cpus":"0.5","container":null}`), 2)
	for _, fields := range []string{
		`"command":"y"`, `"cpus":1e400`, `"cpus":"NaN","mem":"0x1p4","disk":-0`, `"retries":1e9`, `"retries":3.0`, `"owner":"\u0000"`, `"owner":"\ud800"`, "\"owner\":\"\xc3\x28\"", `"arguments":[[]]`,
		`"fetch":[{"uri":"data:,x","output_file":"../x"}]`, `"constraints":[["a","UNLIKE","(?i)["]]`, `"schedule":"R/9999-12-31T23:59:59Z/P9999Y"`, `"schedule":"CRON_TZ=UTC"`, `"schedule":"@every -1s"`,
		`"epsilon":"PT999999999999S"`, `"epsilon":1e300`, `"scheduleTimeZone":"../x"`, `"environmentVariables":[{"name":"=","value":null}]`, `"parents":[]`, `"parents":["a","a"]`, `"lastSuccess":{"a":[]}`, `"shell":false`,
	} {
		f.Add([]byte(`{"name":"a","command":"x",`+fields+`}`), 1)
	}
	f.Fuzz(func(t *testing.T, body []byte, kind int) {
		j, err := Parse(body, Kind(kind), at())
		if err != nil {
			if r, ok := err.(*Refusal); !ok || r.Status != 400 || r.Message == "" {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		if j.Dependent() == (j.Schedule != "") || !slices.IsSorted(j.Parents) || NameProblem(j.Name) != "" {
			t.Fatalf("it was accepted: %+v", j)
		}
		data, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Stored(data); err != nil || !reflect.DeepEqual(back, j) {
			t.Fatalf("%v: %s", err, data)
		}
	})
}

// FuzzStored: what is read from the store is written again without loss.
func FuzzStored(f *testing.F) {
	j, _ := Parse([]byte(`{"name":"a","command":"x","epsilon":"PT5M"}`), Scheduled, at())
	data, _ := j.MarshalJSON()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := Stored(data)
		if err != nil {
			return
		}
		again, err := j.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if k, err := Stored(again); err != nil || !reflect.DeepEqual(j, k) {
			t.Fatalf("%v: %s", err, again)
		}
	})
}
