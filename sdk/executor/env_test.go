package executor

import (
	"testing"
	"time"

	"github.com/profferhq/proffer/sdk"
)

func TestFromEnv(t *testing.T) {
	vars := map[string]string{
		"MESOS_FRAMEWORK_ID": "f", "MESOS_EXECUTOR_ID": "e", "MESOS_SLAVE_ID": "a", "MESOS_AGENT_ENDPOINT": "127.0.0.1:5051",
		"MESOS_CHECKPOINT": "1", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "7500ms", "MESOS_RECOVERY_TIMEOUT": "15mins",
		"MESOS_SUBSCRIPTION_BACKOFF_MAX": "2secs", "MESOS_DIRECTORY": "/host", "MESOS_SANDBOX": "/inside",
		"MESOS_EXECUTOR_AUTHENTICATION_TOKEN": "token",
	}
	get := func(name string) string { return vars[name] }
	env, err := FromEnv(get)
	want := Env{FrameworkID: "f", ExecutorID: "e", AgentID: "a", Directory: "/inside", Endpoint: "127.0.0.1:5051", Token: "token",
		Checkpoint: true, ShutdownGrace: 7500 * time.Millisecond, Recovery: 15 * time.Minute, BackoffMax: 2 * time.Second}
	if err != nil || env != want {
		t.Errorf("%+v, %v", env, err)
	}
	for name, value := range map[string]string{"MESOS_FRAMEWORK_ID": "", "MESOS_AGENT_ENDPOINT": "", "MESOS_RECOVERY_TIMEOUT": "15m"} {
		old := vars[name]
		vars[name] = value
		if _, err := FromEnv(get); err == nil || err.(*sdk.Error).Field != name {
			t.Errorf("%s=%q: %v", name, value, err)
		}
		vars[name] = old
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5secs": 5 * time.Second, "7500ms": 7500 * time.Millisecond, "15mins": 15 * time.Minute, "1weeks": 168 * time.Hour,
		"0secs": 0, "1500us": 1500 * time.Microsecond, "3ns": 3, "2hrs": 2 * time.Hour, "3days": 72 * time.Hour,
	} {
		if got, err := ParseDuration(text); got != want || err != nil {
			t.Errorf("%s is %v, %v", text, got, err)
		}
		if got := FormatDuration(want); got != text {
			t.Errorf("%v is written %s, want %s", want, got, text)
		}
	}
	for _, text := range []string{"", "5", "5s", "5 secs", "secs", "1e300weeks", "NaNsecs"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is taken as %v", text, d)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(make([]byte, headSize))
	f.Add([]byte(markerMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseRecord("dir", b)
		_, _ = parseExitLine(b)
	})
}

func TestExitLines(t *testing.T) {
	e := Exit{Process: sdk.Process{PID: 7, StartTime: 8, BootID: "b"}, Known: true, WaitStatus: 7 << 8, Nanos: 9, Cgroup: "/a b\"\n"}
	line := exitLine(e)
	if got, ok := parseExitLine(line[:len(line)-1]); !ok || got != e {
		t.Errorf("%q is read as %+v, %v", line, got, ok)
	}
	for i := range len(line) - 1 {
		if _, ok := parseExitLine(line[:i]); ok {
			t.Errorf("a torn line is taken: %q", line[:i])
		}
		broken := append([]byte(nil), line[:len(line)-1]...)
		broken[i] ^= 1
		if _, ok := parseExitLine(broken); ok && i < len(line)-9 {
			t.Errorf("a damaged line is taken: %q", broken)
		}
	}
}
