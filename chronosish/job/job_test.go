package job

import (
	"slices"
	"testing"
	"time"
)

func TestProgram(t *testing.T) {
	other := "x; y"
	for _, c := range []struct {
		j       Job
		instead *string
		shell   bool
		command string
		args    []string
	}{
		{Job{Command: "date", Shell: true}, nil, true, "date", nil},
		{Job{Command: "echo", Shell: true, Arguments: []string{"a;", "b"}}, nil, true, "echo a b", nil},
		{Job{Command: "echo", Shell: true, Arguments: []string{"a"}}, &other, true, "echo x y", nil},
		{Job{Command: "echo", Arguments: []string{"a;", "b"}}, nil, false, "echo", []string{"a;", "b"}},
		{Job{Command: "echo", Arguments: []string{"a"}}, &other, false, "echo", []string{"x;", "y"}},
	} {
		if shell, command, args := c.j.Program(c.instead); shell != c.shell || command != c.command || !slices.Equal(args, c.args) {
			t.Errorf("%+v: %v %q %q", c.j, shell, command, args)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{"PT0S": 0, "PT90S": 90 * time.Second, "PT15M": 15 * time.Minute, "P1DT12H": 36 * time.Hour, "P1W": 168 * time.Hour, "PT0.25S": 250 * time.Millisecond, "PT0,5S": 500 * time.Millisecond} {
		if d, err := ParseDuration(text); err != nil || d.Length != want || d.Text != text {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "P1M", "P1Y", "5m", "-PT5M", "PT-5M", "pt5m", "PT1.5M", "P999999999W", "PT5M "} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func TestSame(t *testing.T) {
	a := &Job{Name: "a", Schedule: "R/2026-01-01T00:00:00Z/PT1H", Epsilon: &Duration{"PT5M", 5 * time.Minute}, Arguments: []string{"x"}}
	b := a.Clone()
	b.Version, b.Created = 7, time.Unix(1, 0)
	if !a.Same(b) || !b.Continues(a) {
		t.Error("a clone in another version is another job")
	}
	b.Epsilon.Length, b.Arguments[0] = 0, "y"
	if a.Same(b) || a.Epsilon.Length == 0 || a.Arguments[0] != "x" {
		t.Error("a clone shares what can be changed")
	}
	now := &Job{Schedule: "R1//PT2M", Created: time.Unix(1, 0)}
	later := now.Clone()
	if later.Version = 3; !now.Same(later) || !later.Continues(now) {
		t.Error("what starts now is another in another version")
	}
	if later.Created = time.Unix(2, 0); now.Same(later) || later.Continues(now) {
		t.Error("what starts now goes on when it is sent again")
	}
	if w, ok := a.Window(); w != 5*time.Minute || !ok {
		t.Errorf("the window is %v, %v", w, ok)
	}
}
