package agent

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profferhq/proffer/kernel/agent/users"
)

func TestOptionsRefusedByFlag(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Options){
		"":              func(*Options) {},
		"kill-grace":    func(o *Options) { o.KillGrace = -1 },
		"sandbox-keep":  func(o *Options) { o.SandboxKeep = -time.Hour },
		"idle-executor": func(o *Options) { o.IdleExecutor = -1 },
		"sample-every":  func(o *Options) { o.SampleEvery = 0 },
		"stop-timeout":  func(o *Options) { o.StopTimeout = 0 },
		"pids":          func(o *Options) { o.PidsDefault = 0 },
		"hostname":      func(o *Options) { o.Hostname = "h\nost" },
		"task-user":     func(o *Options) { o.TaskUser = "no such user" },
		"last-uid":      func(o *Options) { o.LastUID = 1 },
		"disk-pressure": func(o *Options) { o.SandboxFull = 2 },
		"allow-user":    func(o *Options) { o.AllowUsers = []string{"someone:"} },
	} {
		o := DefaultOptions()
		o.Dir, o.Masters, o.Insecure, o.ExecutorBinary = t.TempDir(), []string{"127.0.0.1:1"}, true, self
		change(&o)
		err := o.Validate()
		if flag == "" {
			if err != nil {
				t.Errorf("the defaults: %v", err)
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), flag) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestOverheadOfADetectedMachineOnly(t *testing.T) {
	a := &Agent{o: Options{Dir: t.TempDir()}}
	if found, err := a.machine(); err != nil || found.Overhead.Scalar("cpus") <= 0 || found.Overhead.Scalar("mem") <= 0 {
		t.Errorf("detected: %+v, %v", found, err)
	}
	a.o.Resources = "cpus:1;mem:64"
	if said, err := a.machine(); err != nil || len(said.Overhead) != 0 || said.Resources.String() != "cpus:1;mem:64" {
		t.Errorf("declared: %+v, %v", said, err)
	}
}

func TestGrants(t *testing.T) {
	o := Options{AllowUsers: []string{"team:web:www", "*:games"}}
	got, err := o.grants()
	if want := []users.Grant{{Principal: "team:web", User: "www"}, {Principal: "*", User: "games"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
