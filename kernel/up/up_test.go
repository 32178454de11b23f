package up

import (
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func machine(cpus, mem float64) sdk.Resources {
	return sdk.Resources{
		{Name: "cpus", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: cpus}},
		{Name: "mem", Type: sdk.ValueScalar, Scalar: &sdk.Scalar{Value: mem}},
	}
}

func TestAgentsDivideTheMachine(t *testing.T) {
	got, err := agents(3, "/d", 0, machine(4, 1000), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ host, port, res string }{
		{"127.0.0.1", "127.0.0.1:5051", "cpus:1.333;mem:333;ports:[31000-31332]"},
		{"127.0.0.2", "127.0.0.2:5061", "cpus:1.333;mem:333;ports:[31333-31666]"},
		{"127.0.0.3", "127.0.0.3:5071", "cpus:1.333;mem:333;ports:[31667-32000]"},
	}
	used := sdk.Resources{}
	for i, w := range want {
		if got[i].Host != w.host || got[i].addr() != w.port || got[i].Resources != w.res {
			t.Errorf("agent %d: got %s %s %s, want %v", i, got[i].Host, got[i].addr(), got[i].Resources, w)
		}
		part, err := sdk.ParseResources(got[i].Resources)
		if err != nil {
			t.Fatal(err)
		}
		used = used.Add(part)
	}
	if !strings.Contains(used.String(), "ports:[31000-32000]") {
		t.Errorf("the ports do not add up: %s", used)
	}
}

func TestEachAgentKeepsItsOverhead(t *testing.T) {
	a, err := agents(2, "/d", 0, machine(4, 1000), machine(0.1, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if !strings.HasPrefix(a[i].Resources, "cpus:1.9;mem:400;") || a[i].Overhead != "cpus:0.1;mem:100" {
			t.Errorf("agent %d: %+v", i, a[i])
		}
	}
}

func TestOffsetKeepsTwoUpsApart(t *testing.T) {
	a, err := agents(1, "/d", 100, machine(2, 100), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "cpus:2;mem:100;ports:[21100-22099]"; a[0].Resources != want || a[0].Port != 5151 || a[0].GossipPort != 8047 {
		t.Errorf("got %+v, want %s", a[0], want)
	}
	if m := masters(1, "/d", "127.0.0.1", 100)[0]; m.Port != 5150 || m.RaftPort != 5152 || m.GossipPort != 8046 {
		t.Errorf("got %+v", m)
	}
}

func TestGivenResources(t *testing.T) {
	a, err := agents(2, "/d", 0, machine(2, 100), nil, []string{"", "cpus:5;rack:{a,b}"})
	if err != nil || a[1].Resources != "cpus:5;rack:{a,b}" || !strings.HasPrefix(a[0].Resources, "cpus:1;") {
		t.Errorf("got %+v, %v", a, err)
	}
	if _, err := agents(1, "/d", 0, machine(2, 100), nil, []string{"cpus:x"}); err == nil {
		t.Error("a wrong --resources was taken")
	}
}

// TestMasterArguments: every master publishes the same ports, shifted like all others.
func TestMasterArguments(t *testing.T) {
	o := DefaultOptions()
	o.Dir, o.PortOffset, o.Boot = "/d", 100, "none"
	m := masters(1, "/d", "127.0.0.1", 100)
	line := strings.Join(masterArgs(o, m[0], m), " ")
	for _, want := range []string{"--boot none", "--publish 8180=marathonish", "--publish 4500=chronosish"} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is missing in %s", want, line)
		}
	}
	for _, bad := range []string{"x=y", "8080", "=a", "65500=a", "0=a"} {
		o.Publish = []string{bad}
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "--publish") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestNextPause(t *testing.T) {
	var got []time.Duration
	pause := time.Duration(0)
	for range 8 {
		pause = nextPause(pause, time.Second/2)
		got = append(got, pause)
	}
	if got[0] != 100*time.Millisecond || got[1] != 200*time.Millisecond || got[7] != 2*time.Second {
		t.Errorf("pauses of a daemon that keeps dying: %v", got)
	}
	if p := nextPause(pause, time.Minute); p != 0 {
		t.Errorf("after a healthy life the start is at once, not after %s", p)
	}
}

func TestValidateListsEverything(t *testing.T) {
	err := Options{Masters: 2, Agents: 0, PortOffset: -1}.Validate()
	for _, want := range []string{"--dir", "--masters 2", "--agents 0", "--port-offset -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
}

func TestSecondUpIsRefused(t *testing.T) {
	dir := t.TempDir()
	f, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir); err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), "pid") {
		t.Errorf("the second `up` got %v", err)
	}
	f.Close()
	g, err := lockDir(dir)
	if err != nil {
		t.Errorf("after the first ended: %v", err)
	}
	g.Close()
}
