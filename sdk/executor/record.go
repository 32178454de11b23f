package executor

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/wire"
)

// Record is what the runtime directory of a container tells of its launch.
type Record struct {
	Spec    sdk.LaunchSpec
	Process sdk.Process // PID 0: the process was never made
	Began   bool        // the child got as far as executing the program
	Exit    *Exit       // nil while it runs, or when its parent died before it
	Kill    *KillNote   // why it is being killed, if it is
	Settled bool        // its terminal update was acknowledged
}

// Exit is the end of a process.
type Exit struct {
	ContainerID string      `wire:"1,container_id"` // empty for an inherited process of no known container
	Process     sdk.Process `wire:"2,process"`
	Known       bool        `wire:"3,known"`       // false: it ended, and its status could not be collected
	WaitStatus  int32       `wire:"4,wait_status"` // the raw status of wait(2), when known
	Nanos       int64       `wire:"5,nanos"`       // wall clock of the observation, nanoseconds since 1970
	Cgroup      string      `wire:"6,cgroup"`      // its v2 group, where the kernel still told
}

// Time is when the end was observed.
func (e Exit) Time() time.Time { return time.Unix(0, e.Nanos) }

// KillNote is the reason that a killer leaves before its first signal, so that a
// successor goes on with the same escalation and the same final state.
type KillNote struct {
	Reason KillReason
	At     time.Time     // when SIGTERM was sent
	Grace  time.Duration // from SIGTERM to SIGKILL
}

// KillReason is why a task is killed. The numbers are on disk.
type KillReason uint8

// The reasons for a kill.
const (
	KillAsked    KillReason = 1 // by the framework, or the executor is shut down
	KillDeadline KillReason = 2 // max_completion_time
	KillGroup    KillReason = 3 // another task of its group failed
	// KillUnhealthy is for a task whose health check failed too often in a row.
	KillUnhealthy KillReason = 4
)

const (
	exitKnown   = 1
	exitUnknown = 2
)

// ReadRecord reads the record of the container whose runtime directory is given.
// CodeNotFound: no launch was begun there, or it was cut off before there was any
// process. CodeUnsupported: a newer version of Proffer wrote it. CodeInternal: it is
// damaged; whether a process was begun, and what became of it, is not known.
func ReadRecord(runtimeDir string) (*Record, error) {
	b, err := os.ReadFile(filepath.Join(runtimeDir, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, sdk.Errorf(sdk.CodeNotFound, "", "no launch was begun in %s", runtimeDir)
	}
	if err != nil {
		return nil, err
	}
	return parseRecord(runtimeDir, b)
}

func parseRecord(dir string, b []byte) (*Record, error) {
	damaged := func(what string) error {
		return sdk.Errorf(sdk.CodeInternal, "", "the launch record %s is damaged (%s): whether its process was begun, and what became of it, is lost; it is not begun again", filepath.Join(dir, markerFile), what)
	}
	if len(b) < headSize || string(b[:offVersion]) != markerMagic {
		return nil, damaged("it has no head")
	}
	if v := b[offVersion]; v > markerVersion {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "", "the launch record in %s has format %d; this version reads up to %d", dir, v, markerVersion)
	}
	spec := b[headSize:]
	if int(le.Uint32(b[offSpec:])) != len(spec) || le.Uint32(b[offSpec+4:]) != sum(spec) {
		return nil, damaged("its specification does not fit its check sum")
	}
	r := &Record{Began: b[offBegan] != 0, Settled: b[offSettled] == 1} // in doubt it has begun
	if err := wire.Unmarshal(wire.Msgpack, spec, &r.Spec); err != nil {
		return nil, damaged(err.Error())
	}
	r.Process = sdk.Process{PID: int32(le.Uint32(b[offPID:])), BootID: string(b[offBoot : offBoot+bootIDSize])}
	var p [16]byte
	copy(p[:4], b[offPID:])
	copy(p[8:], b[offStart:offStart+8])
	if le.Uint32(b[offStart+8:]) == sum(p[:]) {
		r.Process.StartTime = le.Uint64(b[offStart:])
	}
	if k := b[offKill : offKill+28]; k[0] != 0 && le.Uint32(k[24:]) == sum(k[:24]) {
		r.Kill = &KillNote{Reason: KillReason(k[0]), Grace: time.Duration(le.Uint64(k[8:])), At: time.Unix(0, int64(le.Uint64(k[16:])))}
	}
	if x := b[offExit : offExit+20]; x[0] != 0 && le.Uint32(x[16:]) == sum(x[:16]) {
		r.Exit = &Exit{ContainerID: r.Spec.ContainerID, Process: r.Process, Known: x[0] == exitKnown,
			WaitStatus: int32(le.Uint32(x[4:])), Nanos: int64(le.Uint64(x[8:]))}
	}
	return r, nil
}

// NoteExit writes the end of a container's process into its record; whoever waits
// for the process calls it before it reaps.
func NoteExit(runtimeDir string, e Exit) error {
	var x [20]byte
	x[0] = exitUnknown
	if e.Known {
		x[0] = exitKnown
	}
	le.PutUint32(x[4:], uint32(e.WaitStatus))
	le.PutUint64(x[8:], uint64(e.Nanos))
	le.PutUint32(x[16:], sum(x[:16]))
	return writeFact(runtimeDir, x[:], offExit)
}

// NoteKill writes why the container's process is about to be killed.
func NoteKill(runtimeDir string, n KillNote) error {
	var k [28]byte
	k[0] = byte(n.Reason)
	le.PutUint64(k[8:], uint64(n.Grace))
	le.PutUint64(k[16:], uint64(n.At.UnixNano()))
	le.PutUint32(k[24:], sum(k[:24]))
	return writeFact(runtimeDir, k[:], offKill)
}

// NoteSettled writes that the container's terminal update is acknowledged.
func NoteSettled(runtimeDir string) error {
	return writeFact(runtimeDir, []byte{1}, offSettled)
}

// writeFact overwrites bytes that the file has already, so a full disk can not
// forbid it.
func writeFact(runtimeDir string, b []byte, at int64) error {
	fd, err := unix.Open(filepath.Join(runtimeDir, markerFile), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: filepath.Join(runtimeDir, markerFile), Err: err}
	}
	defer unix.Close(fd)
	if n, err := unix.Pwrite(fd, b, at); err != nil || n != len(b) {
		return errors.Join(err, io.ErrShortWrite)
	}
	return nil
}
