// Command proffer-executor is the parent of processes on an agent's machine:
//
//	proffer-executor launcher --runtime DIR   the parent of executors, one per agent
//	proffer-executor executor [--runtime DIR] the default executor, one per framework
//
// Both are started by the agent. They are a binary of their own, without the rest
// of Proffer, because there are many of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/profferhq/proffer/executor/command"
	"github.com/profferhq/proffer/executor/launcher"
	"github.com/profferhq/proffer/sdk/executor"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "proffer-executor:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("which one? Usage: proffer-executor launcher|executor [--runtime DIR]")
	}
	flags := flag.NewFlagSet("proffer-executor "+args[0], flag.ContinueOnError)
	flags.SetOutput(out)
	dir := flags.String("runtime", "", "runtime directory of the agent")
	level := flags.String("log-level", "info", "debug, info, warn or error")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	var min slog.Level
	if err := min.UnmarshalText([]byte(*level)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: min})).With("pid", os.Getpid())
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	switch args[0] {
	case "launcher":
		return runLauncher(ctx, *dir, log)
	case "executor":
		return runExecutor(ctx, *dir, log)
	}
	return fmt.Errorf("%q is neither launcher nor executor", args[0])
}

func runLauncher(ctx context.Context, dir string, log *slog.Logger) error {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("--runtime is %q; an absolute directory is needed", dir)
	}
	l, err := launcher.New(launcher.Options{Runtime: dir, Log: log})
	if err != nil {
		return err
	}
	return l.Run(ctx)
}

func runExecutor(ctx context.Context, dir string, log *slog.Logger) error {
	env, err := executor.FromEnv(os.Getenv)
	if err != nil {
		return err
	}
	if dir == "" {
		dir = filepath.Dir(env.DomainSocket)
	}
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("--runtime is %q and MESOS_DOMAIN_SOCKET %q; one must tell the absolute runtime directory", dir, env.DomainSocket)
	}
	e, err := command.New(command.Options{Env: env, Runtime: dir, Log: log.With("framework", env.FrameworkID, "executor", env.ExecutorID)})
	if err != nil {
		return err
	}
	upgrade := make(chan os.Signal, 1)
	signal.Notify(upgrade, unix.SIGUSR2)
	go func() {
		for range upgrade {
			if self, err := os.Executable(); err == nil { // where it lay at our start; a newer one by now
				e.Upgrade(self)
			}
		}
	}()
	return e.Run(ctx)
}
