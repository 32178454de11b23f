package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestVersionsOnlyRise(t *testing.T) {
	at := time.Date(2021, 7, 27, 10, 0, 0, 123_999_999, time.FixedZone("east", 7200))
	v := NextVersion(at, "")
	if v != "2021-07-27T08:00:00.123Z" {
		t.Fatalf("%s", v)
	}
	if n := NextVersion(at, v); n != "2021-07-27T08:00:00.124Z" {
		t.Errorf("within a millisecond: %s", n)
	}
	if n := NextVersion(at.Add(-time.Hour), v); n != "2021-07-27T08:00:00.124Z" {
		t.Errorf("the clock went back: %s", n)
	}
	if n := NextVersion(at.Add(time.Hour), v); n != "2021-07-27T09:00:00.123Z" {
		t.Errorf("later: %s", n)
	}
	if n := Timestamp(time.Unix(0, 0)); n != "1970-01-01T00:00:00.000Z" {
		t.Errorf("no decimals: %s", n)
	}
	for in, want := range map[string]Version{"2021-07-27T10:00:00Z": "2021-07-27T10:00:00.000Z", "2021-07-27T10:00:00.1239+02:00": "2021-07-27T08:00:00.123Z"} {
		if got, ok := ParseVersion(in); !ok || got != want {
			t.Errorf("%s: %s, %v", in, got, ok)
		}
	}
	if _, ok := ParseVersion("0000-01-01T00:00:00+10:00"); ok {
		t.Error("a year before the first is no version")
	}
	if _, ok := Version("").Time(); ok {
		t.Error("no version has no time")
	}
}

func TestPaths(t *testing.T) {
	for in, want := range map[string]ID{"web": "/web", "/a//b/": "/a/b", "//a/./b/../c": "/a/c", "": "/", "../x": "/x"} {
		if got := Resolve(in); got != want {
			t.Errorf("%q: %s, wanted %s", in, got, want)
		}
	}
	id := ID("/a/b.c/d-e")
	if id.Group() != "/a/b.c" || ID("/a").Group() != "/" || id.TaskPrefix() != "a_b.c_d-e" {
		t.Errorf("%s %s %s", id.Group(), ID("/a").Group(), id.TaskPrefix())
	}
	if !id.Under("/") || !id.Under("/a") || id.Under("/a/b") || id.Under(id) {
		t.Error("an app is under its groups, and under nothing else")
	}
}

func TestRefusalShapes(t *testing.T) {
	for _, c := range []struct {
		r    *Refusal
		want string
	}{
		{Exists("/x"), `{"message":"An app with id [/x] already exists."}`},
		{Locked("d1", "d2"), `{"message":"App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.","deployments":[{"id":"d1"},{"id":"d2"}]}`},
		{Missing("/x"), `{"message":"App '/x' does not exist"}`},
		{MissingTask("x.1"), `{"message":"Task 'x.1' does not exist"}`},
		{Invalid("/id", "no"), `{"message":"Object is not valid","details":[{"path":"/id","errors":["no"]}]}`},
	} {
		got, err := c.r.MarshalJSON()
		if err != nil || string(got) != c.want {
			t.Errorf("%s, wanted %s (%v)", got, c.want, err)
		}
	}
	if got := Invalid("/id", "no").Error(); got != "Object is not valid: /id no" {
		t.Errorf("%s", got)
	}
}

func TestTimesOfAnApp(t *testing.T) {
	a := &App{PortDefinitions: []PortDefinition{{}}, BackoffSeconds: 2, MaxLaunchDelaySeconds: 3}
	if a.Drain() != time.Second || a.Backoff() != 2*time.Second || a.MaxLaunchDelay() != 3*time.Second || a.KillGrace(time.Hour) != time.Hour {
		t.Error("the defaults are others")
	}
	seven := 7
	a.TaskKillGracePeriod, a.Labels = &seven, map[string]string{LabelDrain: "0.25"}
	if a.Drain() != 250*time.Millisecond || a.KillGrace(0) != 7*time.Second {
		t.Error("what is given does not count")
	}
	if (&App{}).Drain() != 0 {
		t.Error("an app without ports drains")
	}
}

func TestPortsRunOut(t *testing.T) {
	a := &App{PortDefinitions: []PortDefinition{{}, {}}}
	err := AssignPorts(a, nil, func(p int) bool { return p != 20000 })
	if r, ok := err.(*Refusal); !ok || r.Status != 422 || r.Details[0].Path != "/portDefinitions(1)/port" {
		t.Fatalf("%v", err)
	}
}

// TestAssignedPorts: all different, none taken from another app, and an app that is
// sent again keeps its own.
func TestAssignedPorts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 10000, 10001, 10003, 80}), 0, 6)
		distinct := func(ports []int) *App {
			a := &App{}
			for _, p := range ports {
				if p == 0 || !slices.ContainsFunc(a.PortDefinitions, func(d PortDefinition) bool { return d.Port == p }) {
					a.PortDefinitions = append(a.PortDefinitions, PortDefinition{Port: p, Name: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "name"))})
				}
			}
			return a
		}
		others := rapid.SliceOf(rapid.SampledFrom([]int{10000, 10002, 10004})).Draw(t, "others")
		taken := func(p int) bool { return slices.Contains(others, p) }
		a := distinct(list.Draw(t, "ports"))
		wanted := a.Clone()
		if err := AssignPorts(a, nil, taken); err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for i, p := range a.PortDefinitions {
			if p.Port == 0 || seen[p.Port] {
				t.Fatalf("%v", a.PortDefinitions)
			}
			if w := wanted.PortDefinitions[i].Port; w != 0 && w != p.Port || w == 0 && (taken(p.Port) || p.Port < FirstServicePort || p.Port > LastServicePort) {
				t.Fatalf("%d became %d", w, p.Port)
			}
			seen[p.Port] = true
		}
		again := wanted.Clone()
		if err := AssignPorts(again, a, taken); err != nil {
			t.Fatal(err)
		}
		for _, p := range again.PortDefinitions {
			if !seen[p.Port] {
				t.Fatalf("sent again, %v became %v", a.PortDefinitions, again.PortDefinitions)
			}
		}
	})
}

func TestFilter(t *testing.T) {
	cmd := "sleep 10 && Date"
	a := &App{ID: "/shop/web", Cmd: &cmd, Labels: map[string]string{"a": "b"}}
	label, err := ParseSelector("a==b")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		q    Filter
		want bool
	}{
		{Filter{}, true}, {Filter{ID: "SHOP"}, true}, {Filter{ID: "db"}, false}, {Filter{Cmd: "date"}, true}, {Filter{Cmd: "x"}, false},
		{Filter{Cmd: "date", ID: "web", Label: label}, true}, {Filter{Cmd: "date", ID: "db", Label: label}, false},
	} {
		if got := c.q.Matches(a); got != c.want {
			t.Errorf("%+v: %v", c.q, got)
		}
	}
	if (Filter{Cmd: "x"}).Matches(&App{Args: []string{"x"}}) || (Filter{Label: label}).Matches(&App{}) {
		t.Error("an app without what is asked for is picked")
	}
}
