package app

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// randomBody writes a valid definition with any of the served fields.
func randomBody(t *rapid.T) string {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	quoted := func(label string) string {
		s, _ := json.Marshal(rapid.StringMatching(`[ -~äöü<>&]{1,12}`).Draw(t, label))
		return string(s)
	}
	n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	ports := n("ports", 3)
	definitions := make([]string, ports)
	for i := range definitions {
		definitions[i] = fmt.Sprintf(`{"port":%d,"protocol":"%s","name":"p%d","labels":{%s:%s}}`, 30000+i*n("spread", 2)*1000+i, pick("protocol", "tcp", "udp", "udp,tcp"), i, quoted("key"), quoted("value"))
	}
	check := fmt.Sprintf(`{"protocol":"%s","port":%d,"timeoutSeconds":%d}`, pick("check", "HTTP", "TCP", "HTTPS", "MESOS_HTTP", "MESOS_TCP"), 1+n("port", 65534), 1+n("timeout", 60))
	if ports > 0 {
		check += fmt.Sprintf(`,{"portIndex":%d,"protocol":"HTTP","ignoreHttp1xx":%v}`, n("index", ports-1), rapid.Bool().Draw(t, "ignore"))
	}
	inactive := n("inactive", 100)
	fields := []string{
		fmt.Sprintf(`"instances":%d`, n("instances", 1000)), fmt.Sprintf(`"cpus":%g`, rapid.Float64Range(0.001, 1e6).Draw(t, "cpus")),
		fmt.Sprintf(`"mem":%g`, rapid.Float64Range(0, 1e6).Draw(t, "mem")), fmt.Sprintf(`"disk":%d`, n("disk", 1<<30)), `"user":` + quoted("user"),
		fmt.Sprintf(`"env":{"A":%s,%s:%s}`, quoted("env"), `"B`+strings.Repeat("x", n("name", 3))+`"`, quoted("env2")), fmt.Sprintf(`"labels":{%s:%s}`, quoted("label"), quoted("of")),
		fmt.Sprintf(`"constraints":[["hostname","%s"],["rack","LIKE","a.*b"],["rack","MAX_PER","%d"]]`, pick("op", "UNIQUE", "CLUSTER"), n("per", 9)),
		`"acceptedResourceRoles":["*"]`, fmt.Sprintf(`"backoffSeconds":%d`, n("backoff", 100)), fmt.Sprintf(`"backoffFactor":%g`, rapid.Float64Range(1, 10).Draw(t, "factor")),
		fmt.Sprintf(`"maxLaunchDelaySeconds":%d`, n("delay", 1000)), fmt.Sprintf(`"fetch":[{"uri":"http://h/%d","cache":true}]`, n("uri", 9)),
		`"requirePorts":true`, `"killSelection":"OLDEST_FIRST"`, fmt.Sprintf(`"taskKillGracePeriodSeconds":%d`, n("grace", 100)),
		fmt.Sprintf(`"upgradeStrategy":{"minimumHealthCapacity":%g}`, rapid.Float64Range(0, 1).Draw(t, "min")),
		pick("unreachable", `"unreachableStrategy":"disabled"`, fmt.Sprintf(`"unreachableStrategy":{"inactiveAfterSeconds":%d,"expungeAfterSeconds":%d}`, inactive, inactive+n("expunge", 100))),
		pick("limits", `"resourceLimits":{"cpus":"unlimited"}`, `"resourceLimits":{"mem":1e7,"cpus":1e6}`, `"resourceLimits":{}`),
	}
	kept := slices.DeleteFunc(fields, func(string) bool { return rapid.Bool().Draw(t, "left out") })
	run := pick("run", `"cmd":`+quoted("cmd"), `"args":[`+quoted("arg")+`,`+quoted("arg2")+`]`)
	return `{"id":"/` + rapid.StringMatching(`[a-z0-9]{1,5}(/[a-z0-9]{1,5})?`).Draw(t, "id") + `",` + run + `,"portDefinitions":[` + strings.Join(definitions, ",") + `],"healthChecks":[` + check + `],` + strings.Join(append(kept, `"tty":false`), ",") + `}`
}

// TestStoredLosesNothing: what was stored reads back equal in every field, and what a
// client was shown and sends back whole is the same configuration.
func TestStoredLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := randomBody(t)
		a, err := Parse([]byte(body))
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		a.Version = NextVersion(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")), "")
		a.LastScalingAt, a.LastConfigChangeAt = a.Version, NextVersion(time.Unix(0, 0), "")
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Stored(data)
		if err != nil || !reflect.DeepEqual(a, back) {
			t.Fatalf("%v\nwas %s\nis  %+v", err, data, back)
		}
		if c := a.Clone(); !reflect.DeepEqual(a, c) {
			t.Fatalf("a clone differs: %+v", c)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatal(err)
		}
		delete(fields, "version")
		again, _ := json.Marshal(fields)
		for _, mode := range []Mode{Whole, Partial, Patch} {
			u, err := Update(a.ID, a, again, mode)
			if err != nil || !u.App.SameConfig(a) || u.App.Instances != a.Instances {
				t.Fatalf("mode %d: what was shown and sent back is another: %v\n%s", mode, err, again)
			}
		}
	})
}

// TestSelectorsAgainstTwin compares with a twin that knows no text, only conditions.
func TestSelectorsAgainstTwin(t *testing.T) {
	word := rapid.StringMatching(`[a-c,()=! \\]{1,2}`)
	escape := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			b.WriteString(`\` + string(r))
		}
		return b.String()
	}
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.MapOf(word, word).Draw(t, "labels")
		var parts []string
		want := true
		for range rapid.IntRange(1, 3).Draw(t, "terms") {
			key, a, b := word.Draw(t, "key"), word.Draw(t, "a"), word.Draw(t, "b")
			v, there := labels[key]
			switch rapid.IntRange(0, 4).Draw(t, "op") {
			case 0:
				parts, want = append(parts, escape(key)), want && there
			case 1:
				parts, want = append(parts, escape(key)+" == "+escape(a)), want && there && v == a
			case 2:
				parts, want = append(parts, escape(key)+"!="+escape(a)), want && there && v != a
			case 3:
				parts, want = append(parts, escape(key)+" in ("+escape(a)+", "+escape(b)+")"), want && there && (v == a || v == b)
			case 4:
				parts, want = append(parts, escape(key)+" notin ("+escape(a)+","+escape(b)+" )"), want && there && v != a && v != b
			}
		}
		s, err := ParseSelector(strings.Join(parts, " , "))
		if err != nil || s.Matches(labels) != want {
			t.Fatalf("%q on %v: %v, wanted %v (%v)", parts, labels, s.Matches(labels), want, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, b := range breaches() {
		f.Add([]byte(`{"id":"/web","cmd":"x",` + b.fields + `}`))
	}
	f.Add([]byte(`[{"id":"/a","cmd":"x"},{"id":"/b","version":"2021-07-27T10:00:00.123Z"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = UpdateAll(func(ID) *App { return nil }, body, Partial)
		a, err := Parse(body)
		if err != nil {
			if _, ok := err.(*Refusal); !ok {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		back, err := Stored(data)
		if err != nil || !reflect.DeepEqual(a, back) {
			t.Fatalf("accepted, but reads back as another: %v\n%s", err, data)
		}
		if _, err := Update(a.ID, a, body, Partial); err != nil && !strings.Contains(err.Error(), "stands alone") && !strings.Contains(err.Error(), "is no time") {
			t.Fatalf("accepted once, refused as a change: %v", err)
		}
	})
}

func FuzzStored(f *testing.F) {
	a, _ := Parse([]byte(`{"id":"/web","cmd":"x","unreachableStrategy":"disabled","resourceLimits":{"cpus":"unlimited"},"healthChecks":[{}]}`))
	data, _ := json.Marshal(a)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Stored(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := Stored(again); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%v: %s", err, again)
		}
	})
}

func FuzzSelector(f *testing.F) {
	f.Add("a==b,c in (d,e),!f", "a")
	f.Fuzz(func(t *testing.T, s, label string) {
		selector, err := ParseSelector(s)
		if err == nil && len(selector.terms) == 0 {
			t.Fatal("a selector without a condition")
		}
		selector.Matches(map[string]string{label: label})
	})
}
