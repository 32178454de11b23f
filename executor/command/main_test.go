package command

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/executor/launcher"
	"github.com/profferhq/proffer/sdk/executor"
)

// The tests kill real processes, so the test binary is the launcher and the
// executor as well.
const roleEnv = "PROFFER_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(roleEnv) {
	case "":
		if len(os.Args) > 1 && os.Args[1] == "launcher" { // as sdk/executor.Spawn calls it
			err = serveLauncher(os.Args[3])
			break
		}
		os.Exit(m.Run())
	case "executor":
		err = serveExecutor()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func testLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
}

func serveLauncher(runtime string) error {
	l, err := launcher.New(launcher.Options{Runtime: runtime, Log: testLog()})
	if err != nil {
		return err
	}
	return l.Run(context.Background())
}

func serveExecutor() error {
	env, err := executor.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	e, err := New(Options{Env: env, Runtime: os.Getenv("PROFFER_TEST_RUNTIME"), Log: testLog()})
	if err != nil {
		return err
	}
	upgrade := make(chan os.Signal, 1)
	signal.Notify(upgrade, unix.SIGUSR2)
	go func() {
		<-upgrade
		if self, err := os.Executable(); err == nil {
			e.Upgrade(self)
		}
	}()
	return e.Run(context.Background())
}
