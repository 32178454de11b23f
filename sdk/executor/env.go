package executor

import (
	"strconv"
	"strings"
	"time"

	"github.com/profferhq/proffer/sdk"
)

// Env is what an agent tells an executor in its environment.
type Env struct {
	FrameworkID   sdk.FrameworkID
	ExecutorID    sdk.ExecutorID
	AgentID       sdk.AgentID
	Directory     string // the sandbox
	Endpoint      string // host:port of the agent
	DomainSocket  string // unix socket of the agent; preferred when set
	Token         string // bearer token for the executor API
	Checkpoint    bool
	ShutdownGrace time.Duration // default 5 s
	Recovery      time.Duration // how long to try to come back to a restarting agent; default 15 min
	BackoffMax    time.Duration // longest pause between two tries; default 2 s
}

// FromEnv reads the environment that the agent set (MESOS_*). getenv is usually
// os.Getenv. The error is CodeInvalid and names the variable.
func FromEnv(getenv func(string) string) (Env, error) {
	e := Env{
		FrameworkID:  sdk.FrameworkID(getenv("MESOS_FRAMEWORK_ID")),
		ExecutorID:   sdk.ExecutorID(getenv("MESOS_EXECUTOR_ID")),
		AgentID:      sdk.AgentID(getenv("MESOS_SLAVE_ID")),
		Directory:    getenv("MESOS_SANDBOX"),
		Endpoint:     getenv("MESOS_AGENT_ENDPOINT"),
		DomainSocket: getenv("MESOS_DOMAIN_SOCKET"),
		Token:        getenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"),
		Checkpoint:   getenv("MESOS_CHECKPOINT") == "1",
	}
	if e.Directory == "" {
		e.Directory = getenv("MESOS_DIRECTORY")
	}
	for _, d := range []struct {
		name string
		to   *time.Duration
		def  time.Duration
	}{
		{"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", &e.ShutdownGrace, 5 * time.Second},
		{"MESOS_RECOVERY_TIMEOUT", &e.Recovery, 15 * time.Minute},
		{"MESOS_SUBSCRIPTION_BACKOFF_MAX", &e.BackoffMax, 2 * time.Second},
	} {
		*d.to = d.def
		if text := getenv(d.name); text != "" {
			v, err := ParseDuration(text)
			if err != nil {
				return Env{}, sdk.Errorf(sdk.CodeInvalid, d.name, "%s", err.(*sdk.Error).Message)
			}
			*d.to = v
		}
	}
	for _, v := range []struct{ name, value string }{
		{"MESOS_FRAMEWORK_ID", string(e.FrameworkID)},
		{"MESOS_EXECUTOR_ID", string(e.ExecutorID)},
		{"MESOS_AGENT_ENDPOINT", e.Endpoint + e.DomainSocket},
	} {
		if v.value == "" {
			return Env{}, sdk.Errorf(sdk.CodeInvalid, v.name, "is not set: an executor is started by an agent, which sets it")
		}
	}
	return e, nil
}

// durationUnits are Mesos's, longest first.
func durationUnits() []struct {
	name string
	unit time.Duration
} {
	return []struct {
		name string
		unit time.Duration
	}{
		{"weeks", 7 * 24 * time.Hour}, {"days", 24 * time.Hour}, {"hrs", time.Hour}, {"mins", time.Minute},
		{"secs", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
	}
}

// ParseDuration reads Mesos's form of a duration: a number and one of ns, us, ms,
// secs, mins, hrs, days, weeks, without a blank.
func ParseDuration(text string) (time.Duration, error) {
	for _, u := range durationUnits() {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(number, 64)
		if v *= float64(u.unit); err != nil || v != v || v < -1<<63 || v >= 1<<63 {
			break
		}
		return time.Duration(v), nil
	}
	return 0, sdk.Errorf(sdk.CodeInvalid, "", "is %q; a duration is a number and one of ns, us, ms, secs, mins, hrs, days, weeks, such as 5secs", text)
}

// FormatDuration writes Mesos's form, in the largest unit that needs no fraction.
func FormatDuration(d time.Duration) string {
	for _, u := range durationUnits() {
		if d%u.unit == 0 && (d != 0 || u.unit == time.Second) {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d), 10) + "ns"
}
