package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
)

// playLauncherLoop starts container after container until it is killed.
func playLauncherLoop() {
	dir := os.Getenv("DIR")
	lock, err := unix.Open(filepath.Join(dir, "lock"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil || unix.Flock(lock, unix.LOCK_EX) != nil {
		os.Exit(3)
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		s, err := Start(crashSpec(dir, fmt.Sprintf("%s-%d", os.Getenv("ROUND"), i)))
		if err != nil {
			fmt.Println(err)
			os.Exit(4)
		}
		s.Close()
	}
}

func crashSpec(dir, id string) *sdk.LaunchSpec {
	return &sdk.LaunchSpec{Version: sdk.LaunchVersion, ContainerID: id, FrameworkID: "f", ExecutorID: "e", TaskID: sdk.TaskID(id),
		Path: "/bin/sh", Args: []string{"sh", "-c", "echo $$ >> " + filepath.Join(dir, "runs", id)}, Dir: dir,
		RuntimeDir: filepath.Join(dir, ContainersDir, id), LogDir: filepath.Join(dir, "logs")}
}

// P5, F14: a launcher that is killed at any instruction leaves launches that either
// ran once, with the pid on record, or never and never will.
func TestKilledAtAnyInstruction(t *testing.T) {
	dir := memoryDir(t)
	if err := os.Mkdir(filepath.Join(dir, "runs"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := unix.Open(filepath.Join(dir, "lock"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(lock)
	launched, again := 0, 0
	for round := range 100 {
		killInTheMiddle(t, dir, round)
		if err := unix.Flock(lock, unix.LOCK_EX); err != nil { // also: no child is on its way
			t.Fatal(err)
		}
		dirs, err := Containers(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dirs {
			launched++
			r, s, err := Adopt(d)
			if sdk.CodeOf(err) == sdk.CodeNotFound {
				again++
				startAgain(t, dir, d)
			} else if err != nil {
				t.Fatal(err)
			} else {
				checkAdopted(t, dir, r)
				s.Close()
			}
			if err := os.RemoveAll(d); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Flock(lock, unix.LOCK_UN); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d launches, %d cut off before the program", launched, again)
	if launched < 100 {
		t.Errorf("only %d launches were seen", launched)
	}
}

func killInTheMiddle(t *testing.T, dir string, round int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), partEnv+"=launcher-loop", "DIR="+dir, fmt.Sprint("ROUND=", round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := out.Read(line); err != nil {
		t.Fatal(err)
	}
	// At any moment.
	kill := time.AfterFunc(time.Duration(rand.Intn(12_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Wait(); !strings.Contains(err.Error(), "killed") {
		t.Fatal(err)
	}
}

// startAgain does a launch that never came to the program; it runs then once.
func startAgain(t *testing.T, dir, runtimeDir string) {
	t.Helper()
	s, err := Start(crashSpec(dir, filepath.Base(runtimeDir)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	await(t, s)
	if b, err := os.ReadFile(filepath.Join(dir, "runs", filepath.Base(runtimeDir))); strings.Count(string(b), "\n") != 1 {
		t.Errorf("%s ran as %q, %v", runtimeDir, b, err)
	}
}

// checkAdopted sees that the launch ran once, as the process on record.
func checkAdopted(t *testing.T, dir string, r *Record) {
	t.Helper()
	if r.Process.PID <= 0 {
		t.Errorf("%s began, and its pid is not on record", r.Spec.ContainerID)
		return
	}
	want := fmt.Sprintln(r.Process.PID)
	file := filepath.Join(dir, "runs", r.Spec.ContainerID)
	for late, over := time.After(20*time.Second), false; ; {
		b, err := os.ReadFile(file)
		if string(b) == want {
			return
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || len(b) > 0 || over {
			t.Errorf("%s ran as %q, %v; on record is %d", r.Spec.ContainerID, b, err, r.Process.PID)
			return
		}
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			over = true // looks once more
		}
	}
}

// playDying plays a launcher that is killed at one step.
func playDying(part string) {
	var spec sdk.LaunchSpec
	if err := json.Unmarshal([]byte(os.Getenv("SPEC")), &spec); err != nil {
		panic(err)
	}
	l := launch{spec: &spec, pidfd: -1, group: -1}
	var err error
	if err = l.mkdir(spec.RuntimeDir); err == nil {
		l.marker, err = createMarker(&spec)
	}
	if err == nil {
		l.fds.marker = int(l.marker.file.Fd())
		err = l.open()
	}
	if err != nil {
		panic(err)
	}
	if part == "die-after-fork" {
		b := &birth{}
		b.script(&spec, l.fds)
		b.clone.parentTID = uint64(l.marker.pidWord())
		if _, errno := b.fork(); errno != 0 {
			panic(errno)
		}
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

func die(t *testing.T, part string, spec *sdk.LaunchSpec) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), partEnv+"="+part, "SPEC="+string(text))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestKilledBetweenMarkerAndFork(t *testing.T) {
	spec := testSpec(t, "exit 7")
	die(t, "die-before-fork", spec)
	if _, err := Start(spec); sdk.CodeOf(err) != sdk.CodeConflict {
		t.Errorf("a launch with a marker is done again, or refused as %v", err)
	}
	if _, _, err := Adopt(spec.RuntimeDir); sdk.CodeOf(err) != sdk.CodeNotFound {
		t.Fatalf("adopted what never was: %v", err)
	}
	s, err := Start(spec)
	if err != nil {
		t.Fatalf("the cut-off launch cannot be done after its adoption: %v", err)
	}
	defer s.Close()
	if status := await(t, s); status != 7<<8 {
		t.Errorf("wait status %x", status)
	}
}

// The child lives, and its parent had no time to write down which process it is.
func TestKilledBetweenForkAndRecord(t *testing.T) {
	spec := testSpec(t, "read x < gate; echo out; exit 7")
	if err := unix.Mkfifo(filepath.Join(spec.Dir, "gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	runtime := filepath.Dir(filepath.Dir(spec.RuntimeDir))
	reaper, err := NewReaper(runtime, "test", func(int) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	defer reaper.Close()
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	die(t, "die-after-fork", spec)

	r, s, err := Adopt(spec.RuntimeDir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !r.Began || s.PIDFD < 0 || s.Process.StartTime == 0 || !Alive(s.Process) {
		t.Fatalf("adopted as %+v, began %v", s, r.Began)
	}
	if _, ok, err := FindExit(runtime, s.Process, s.PIDFD); ok || err != nil {
		t.Errorf("a living process has an end: %v", err)
	}
	if err := os.WriteFile(filepath.Join(spec.Dir, "gate"), []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	// We inherited it; the record comes before the reaping.
	awaitReap(t, reaper, s.Process)
	e, ok, err := FindExit(runtime, s.Process, -1)
	if err != nil || !ok || !e.Known || e.WaitStatus != 7<<8 {
		t.Errorf("the end is %+v, %v, %v", e, ok, err)
	}
	if got := output(t, s.Stdout); got != "out\n" {
		t.Errorf("stdout is %q", got)
	}
}

func awaitReap(t *testing.T, r *Reaper, p sdk.Process) {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		ended, err := r.Reap()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range ended {
			if e.Process == p {
				return
			}
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-late:
			t.Fatal("the orphan is not inherited")
		}
	}
}

// The end of a process that was reaped without a record is told by the kernel when
// a pidfd was open before, and else told as unknown.
func TestEndWithoutRecord(t *testing.T) {
	s, err := Start(testSpec(t, "exit 7"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	await(t, s)
	e, ok, err := FindExit(t.TempDir(), s.Process, -1)
	if err != nil || !ok || e.Known {
		t.Errorf("without a pidfd: %+v, %v, %v", e, ok, err)
	}
	if _, known := kernelExit(s.PIDFD); !known {
		skip(t, "needs PIDFD_GET_INFO with the exit status (Linux 6.15)")
	}
	e, ok, err = FindExit(t.TempDir(), s.Process, s.PIDFD)
	if err != nil || !ok || !e.Known || e.WaitStatus != 7<<8 {
		t.Errorf("with a pidfd: %+v, %v, %v", e, ok, err)
	}
}
