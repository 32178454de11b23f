package executor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Spawn connects to the launcher of a runtime directory. If none serves it starts
// `binary launcher --runtime DIR`, in a session of its own and with its log in
// DIR/launcher.log, and waits for it until ctx ends.
func Spawn(ctx context.Context, binary, runtime string) (*Launcher, error) {
	socket := filepath.Join(runtime, LauncherSocket)
	if l, err := Dial(ctx, socket); err == nil {
		return l, nil
	}
	if err := os.MkdirAll(runtime, 0o711); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(runtime, "launcher.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(binary, "launcher", "--runtime", runtime)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the launcher: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	l, err := awaitLauncher(ctx, socket, log.Name(), ended)
	if err != nil || l.PID() != cmd.Process.Pid {
		// Another one serves, or none can: ours must not take over some day.
		_ = cmd.Process.Kill()
	}
	return l, err
}

func awaitLauncher(ctx context.Context, socket, log string, ended <-chan error) (*Launcher, error) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		l, dialErr := Dial(ctx, socket)
		if dialErr == nil {
			return l, nil
		}
		select {
		case err := <-ended:
			// Perhaps another was quicker; it serves then.
			if l, dialErr := Dial(ctx, socket); dialErr == nil {
				return l, nil
			}
			return nil, fmt.Errorf("the launcher ended at its start (%v); %s says why", err, log)
		case <-ctx.Done():
			return nil, fmt.Errorf("the launcher does not answer: %w (%v)", ctx.Err(), dialErr)
		case <-tick.C:
		}
	}
}
