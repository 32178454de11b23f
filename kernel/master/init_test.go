package master

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/link"
	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// withManifest starts a master whose cluster begins with that manifest.
func withManifest(t *testing.T, secure bool, text string, change ...func(*Options)) *running {
	t.Helper()
	name := filepath.Join(t.TempDir(), "boot.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return start(t, secure, append(change, func(o *Options) { o.Boot = name })...)
}

const tinyManifest = "frameworks: [{name: tiny, principal: tiny, command: run, cpus: 0.5, mem: 64}]\napps: [{id: /cron}]"

// own is the header of an operator that speaks msgpack.
func (r *running) own() http.Header {
	h := r.auth()
	h["Content-Type"], h["Accept"] = []string{wire.ContentTypeMsgpack}, []string{wire.ContentTypeMsgpack}
	return h
}

func (r *running) boot() *sdk.GetBoot {
	r.t.Helper()
	return r.ask(r.own(), sdk.OperatorGetBoot).GetBoot
}

// A leader boots: it waits and says for what; the first agent gets the task with its
// principal, by an offer that the event stream names. With and without credentials.
func TestTheLeaderBoots(t *testing.T) {
	for _, secure := range []bool{true, false} {
		r := withManifest(t, secure, tinyManifest)
		r.await(func() bool { b := r.boot(); return len(b.Instances) == 1 && b.Instances[0].State == sdk.BootWaiting }, "boot to wait")
		if b := r.boot(); !strings.Contains(b.Instances[0].Why, "cpus:0.5;mem:64; no agent has registered") {
			t.Errorf("it waits for %q", b.Instances[0].Why)
		}
		watch := r.open("/api/v1", r.auth("Accept", wire.ContentTypeMsgpack), []byte(`{"type":"SUBSCRIBE"}`))
		small := r.registerAgent("small", "cpus:0.1;mem:512")
		r.await(func() bool {
			return strings.Contains(r.boot().Instances[0].Why, "no agent has that much free, small has cpus:0.1;mem:512")
		}, "boot to name what is free")
		agent := r.registerAgent("host1", "cpus:4;mem:1024")
		ev := agent.nextLink()
		if ev.Type != link.EventRun || ev.Run.FrameworkPrincipal != "tiny" || ev.Run.Tasks[0].TaskID != "tiny.0.1" || len(ev.Run.Tasks[0].Command.URIs) != 1 {
			t.Fatalf("the agent got %+v", ev)
		}
		for {
			record, err := watch.records.Next()
			if err != nil {
				t.Fatal(err)
			}
			op := &sdk.OperatorEvent{}
			if err := wire.Unmarshal(wire.Msgpack, record, op); err != nil {
				t.Fatal(err)
			}
			if a := op.TaskAdded; a != nil {
				if a.Task.TaskID != "tiny.0.1" || len(a.OfferIDs) != 1 || a.OfferIDs[0] != r.boot().Instances[0].OfferID {
					t.Errorf("%+v", a)
				}
				break
			}
		}
		if b := r.boot(); b.Instances[0].State != sdk.BootStarting || b.Instances[0].AgentID != agent.id {
			t.Errorf("%+v", b)
		}
		_ = small
	}
}

// A full cluster does not starve init: what is kept for the role system is offered to it.
func TestAFullClusterStillBoots(t *testing.T) {
	r := withManifest(t, true, tinyManifest, func(o *Options) { o.SystemHeadroom = "cpus:0.5;mem:64" })
	r.await(func() bool { return len(r.boot().Instances) == 1 }, "init")
	other := r.open("/api/v1/scheduler", r.auth(), []byte(subscribeBody()))
	other.next()
	agent := r.registerAgent("host1", "cpus:1;mem:128")
	if ev := agent.nextLink(); ev.Run == nil || ev.Run.Tasks[0].TaskID != "tiny.0.1" {
		t.Fatalf("%+v", ev)
	}
	offers := other.nextOf(sdk.EventOffers).Offers.Offers
	if got := sdk.Resources(offers[0].Resources).WithoutAllocation().String(); got != "cpus:0.5;mem:64" {
		t.Errorf("others are offered %s", got)
	}
}

func TestWrongManifestsAndHeadroomsAreRefusedAtStart(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "boot.yaml")
	if err := os.WriteFile(bad, []byte("frameworks: [{name: a, principal: a, command: x, cpus: 1, mem: 1, role: a//b}]"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, part := range map[string]string{bad: "frameworks[0].role", bad + ".missing": "no such file"} {
		o := LocalOptions(t.TempDir())
		o.Boot = name
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "--boot") || !strings.Contains(err.Error(), part) {
			t.Errorf("%v", err)
		}
	}
	for _, text := range []string{"cpus", "ports:[1-2]", "cpus(role):1"} {
		o := LocalOptions(t.TempDir())
		o.SystemHeadroom = text
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "--system-headroom") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"x=y", "80", "=a", "8080=", "70000=a"} {
		o := LocalOptions(t.TempDir())
		o.Publish = []string{text}
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "--publish") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A manifest is set and read by operators only.
func TestTheManifestIsAnOperatorsToSet(t *testing.T) {
	r := start(t, true)
	if b := r.boot(); !b.Idle {
		t.Errorf("%+v", b)
	}
	set := `{"type":"SET_BOOT_MANIFEST","set_boot_manifest":{"manifest":{"frameworks":[{"name":"a","principal":"a","command":"x","instances":1,"role":"system","cpus":1,"mem":32}]}}}`
	if resp, text := r.do(http.MethodPost, "/api/v1", r.auth(), set); resp.StatusCode != 200 {
		t.Fatalf("%d %q", resp.StatusCode, text)
	}
	r.await(func() bool { return len(r.boot().Instances) == 1 }, "init to follow")
	if m := r.ask(r.own(), sdk.OperatorGetBootManifest).GetBootManifest.Manifest; m == nil || m.Frameworks[0].Name != "a" {
		t.Errorf("%+v", m)
	}
}
