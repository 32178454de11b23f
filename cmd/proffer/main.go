// Command proffer is the whole product's one binary: the daemons (master, agent), the
// supervisor of a cluster on one machine (up), and the client (every other verb).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// The launch function lets locked threads die; the main thread must not be one of them.
func init() { runtime.LockOSThread() }

// version is set by the linker.
var version = "0.1.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, os.Args[1:], &client{io: stdio{os.Stdin, os.Stdout, os.Stderr}})
	stop()
	os.Exit(code)
}

// execute runs one command line and gives its exit code.
func execute(ctx context.Context, args []string, c *client) int {
	root := newRoot(c)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit exitCode
	if errors.As(err, &exit) {
		return int(exit)
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(c.io.err, "proffer:", err)
	return codeOf(err)
}
