package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/sdktest"
)

// TestBootManifest: what is set is what is got, and can be set again; what is wrong is
// named, and changes nothing.
func TestBootManifest(t *testing.T) {
	net := &sdktest.Memory{}
	sdktest.New(t, sdktest.Options{Network: net})
	if r := command(t, net, "boot", "get"); r.code != exitNotFound || !strings.Contains(r.talk, "boot set FILE") {
		t.Errorf("without a manifest: %+v", r)
	}
	file := filepath.Join(t.TempDir(), "boot.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	example, err := os.ReadFile("../../configs/boot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(string(example) + "\n")
	if r := command(t, net, "boot", "set", file); r.code != 0 {
		t.Fatalf("%+v", r)
	}
	first := command(t, net, "boot", "get")
	if first.code != 0 || !strings.Contains(first.out, "name: marathonish") {
		t.Errorf("%+v", first)
	}
	write(first.out)
	if r := command(t, net, "boot", "set", file); r.code != 0 {
		t.Errorf("%+v", r)
	}
	for text, part := range map[string]string{
		"frameworks: [{name: a, principal: a, command: x, cpus: -1, mem: 1}]":            "frameworks[0].cpus",
		"frameworks: [{name: a, principal: a, command: x, cpus: 1, mem: 1, role: a//b}]": "frameworks[0].role",
		"framework: []": "framework",
	} {
		write(text)
		if r := command(t, net, "boot", "set", file); r.code == 0 || !strings.Contains(r.talk, part) {
			t.Errorf("%s: %+v", text, r)
		}
	}
	if r := command(t, net, "boot", "get"); r.out != first.out {
		t.Errorf("afterwards it is %s", r.out)
	}
	if r := command(t, net, "boot", "get", "--json"); !strings.Contains(r.out, `"principal":"marathonish"`) {
		t.Errorf("%+v", r)
	}
	if r := command(t, net, "boot", "status"); r.code != 0 {
		t.Errorf("%+v", r)
	}
}

// TestBootLines: what runs is counted, what does not says why.
func TestBootLines(t *testing.T) {
	got := bootLines(&sdk.GetBoot{Instances: []sdk.BootInstance{
		{Framework: "m", State: sdk.BootRunning}, {Framework: "m", Index: 1, State: sdk.BootWaiting, Why: "no agent has registered"}}})
	if want := []string{"1 of 2 running", "m.1 is waiting: no agent has registered"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := bootLines(&sdk.GetBoot{Idle: true, Message: "nothing"}); got != nil {
		t.Errorf("%q", got)
	}
	if got := bootLines(&sdk.GetBoot{Message: "init is starting"}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
