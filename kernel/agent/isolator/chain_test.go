package isolator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/profferhq/proffer/kernel/agent/isolator"
	"github.com/profferhq/proffer/kernel/agent/usage"
	"github.com/profferhq/proffer/sdk"
)

// double writes down what is asked of it, and fails where it is told to.
type double struct {
	name string
	log  *[]string
	fail map[string]error
}

func (d *double) note(what string) error {
	*d.log = append(*d.log, d.name+" "+what)
	return d.fail[what]
}

func (d *double) Name() string { return d.name }
func (d *double) Prepare(context.Context, *isolator.Container, *sdk.LaunchSpec) error {
	return d.note("prepare")
}
func (d *double) Cleanup(context.Context, *isolator.Container) error { return d.note("cleanup") }
func (d *double) Destroy(context.Context, *isolator.Container) error { return d.note("destroy") }

// full has every optional interface.
type full struct {
	double
	orphans []string
	reached *isolator.Limitation
}

func (f *full) CanEmpty() bool { return true }
func (f *full) Recover(context.Context, []*isolator.Container) ([]string, error) {
	return f.orphans, f.note("recover")
}
func (f *full) Reached(context.Context, *isolator.Container) (*isolator.Limitation, error) {
	return f.reached, f.note("reached")
}
func (f *full) Watch(ctx context.Context, tell func(string, isolator.Limitation)) error {
	tell(f.name, isolator.Limitation{})
	<-ctx.Done()
	return ctx.Err()
}
func (f *full) Sample(_ context.Context, _ *isolator.Container, into *usage.Sample) error {
	into.Threads++
	return f.note("sample")
}

func chain(log *[]string, fails map[string]error) isolator.Chain {
	var ch isolator.Chain
	for _, name := range []string{"a", "b", "c"} {
		d := double{name: name, log: log, fail: map[string]error{}}
		for key, err := range fails {
			if n, what, _ := strings.Cut(key, " "); n == name {
				d.fail[what] = err
			}
		}
		if name == "b" {
			ch = append(ch, &full{double: d, orphans: []string{"y", "x", "x"}})
		} else {
			ch = append(ch, &d)
		}
	}
	return ch
}

func TestChainOrder(t *testing.T) {
	boom := errors.New("boom")
	ctx, c := context.Background(), &isolator.Container{ID: "c1"}
	prepare := func(ch isolator.Chain) error { return ch.Prepare(ctx, c, &sdk.LaunchSpec{}) }
	cleanup := func(ch isolator.Chain) error { return ch.Cleanup(ctx, c) }
	destroy := func(ch isolator.Chain) error { return ch.Destroy(ctx, c) }
	for _, tt := range []struct {
		name  string
		do    func(isolator.Chain) error
		fails map[string]error
		log   string
		err   string
	}{
		{"prepare in order", prepare, nil, "a prepare, b prepare, c prepare", ""},
		{"undone in reverse", prepare, map[string]error{"b prepare": boom}, "a prepare, b prepare, b cleanup, a cleanup", "prepare b: boom"},
		{"undoing fails, too", prepare, map[string]error{"b prepare": boom, "a cleanup": errors.New("stuck")}, "a prepare, b prepare, b cleanup, a cleanup", "clean up a: stuck"},
		{"cleanup in reverse, past errors", cleanup, map[string]error{"b cleanup": boom}, "c cleanup, b cleanup, a cleanup", "clean up b: boom"},
		{"destroy stops at who is not empty", destroy, map[string]error{"b destroy": boom}, "c destroy, b destroy", "destroy by b: boom"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log []string
			err := tt.do(chain(&log, tt.fails))
			if got := strings.Join(log, ", "); got != tt.log {
				t.Errorf("%s\nwant %s", got, tt.log)
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestChainRefusesIDsThatAreNoNames(t *testing.T) {
	for _, id := range []string{"", "..", "a/b", strings.Repeat("x", 256)} {
		var log []string
		if err := chain(&log, nil).Prepare(context.Background(), &isolator.Container{ID: id}, nil); sdk.CodeOf(err) != sdk.CodeInvalid || len(log) > 0 {
			t.Errorf("%q: %v, %v", id, err, log)
		}
	}
}

func TestChainOptional(t *testing.T) {
	var log []string
	ch := chain(&log, nil)
	ctx, c := context.Background(), &isolator.Container{ID: "c1"}
	if ids, err := ch.Recover(ctx, nil); err != nil || !slices.Equal(ids, []string{"x", "y"}) {
		t.Errorf("orphans %v, %v", ids, err)
	}
	if !ch.CanEmpty() || (isolator.Chain{ch[0]}).CanEmpty() {
		t.Error("who can tell that a container is empty is not known")
	}
	if l, err := ch.Reached(ctx, c); l != nil || err != nil {
		t.Errorf("%v, %v", l, err)
	}
	ch[1].(*full).reached = &isolator.Limitation{Message: "full"}
	if l, _ := ch.Reached(ctx, c); l == nil || l.Message != "full" {
		t.Errorf("%v", l)
	}
	var u usage.Sample
	if err := ch.Sample(ctx, c, &u); err != nil || u.Threads != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	if err := ch.Watch(ctx, func(id string, _ isolator.Limitation) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestP17ReasonOf(t *testing.T) {
	for err, want := range map[error]sdk.Reason{
		fmt.Errorf("make the sandbox: %w", syscall.ENOSPC): sdk.ReasonContainerLimitationDisk,
		fmt.Errorf("make the sandbox: %w", syscall.EDQUOT): sdk.ReasonContainerLimitationDisk,
		syscall.EACCES: sdk.ReasonContainerLaunchFailed,
	} {
		if got := isolator.ReasonOf(err); got != want {
			t.Errorf("%v is told as %s", err, got)
		}
	}
}

func TestScalarSumsInThousandths(t *testing.T) {
	c := isolator.Container{Resources: []sdk.Resource{sdk.NewScalar("cpus", 0.1), sdk.NewScalar("cpus", 0.2), sdk.NewScalar("mem", 5), sdk.NewSet("cpus", "x")}}
	if got := c.Scalar("cpus"); got != 0.3 {
		t.Errorf("%v", got)
	}
}
