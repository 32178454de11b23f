// Web is a service as marathonish runs it: it answers every request with the index
// of its instance, and says at /health whether it is well. web.json is its app.
//
//	go build . && sed "s|@WEB@|$PWD/web|" web.json > /tmp/web.json && proffer service deploy /tmp/web.json
//
// It listens on $HOST:$PORT0. After SIGTERM it goes on serving for $GRACE (2s), so
// that whoever still has its address is answered, finishes the requests that it has,
// and ends with 0. Set for tests: $TRUTH names a file that gets a line at each start
// and end; /health answers 503 while the file that $SICK names is there.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// last bounds how long requests that it has may take after the grace.
const last = 10 * time.Second

func serve() error {
	grace := 2 * time.Second
	if text := os.Getenv("GRACE"); text != "" {
		var err error
		if grace, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("GRACE: %w", err)
		}
	}
	port := os.Getenv("PORT0")
	if port == "" {
		return fmt.Errorf("PORT0 is not set: it is the port to listen on")
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	listen, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), port))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listen) }()
	if err := tell("start"); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-term:
	}
	select {
	case err := <-failed:
		return err
	case <-time.After(grace):
	}
	ctx, cancel := context.WithTimeout(context.Background(), last)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	return tell("end")
}

func handler() http.Handler {
	index, version, sick := os.Getenv("MARATHON_INSTANCE_INDEX"), os.Getenv("MARATHON_APP_VERSION"), os.Getenv("SICK")
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(sick); sick != "" && err == nil {
			http.Error(w, "sick", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "well")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Version", version)
		w.Header().Set("X-Pid", fmt.Sprint(os.Getpid()))
		fmt.Fprintln(w, index)
	})
	return mux
}

// tell appends a line about this process to the truth file:
//
//	start pid=PID born=TICKS index=N at=SECONDS version=VERSION
//
// born is the start time of the process in the kernel's ticks since boot, which with
// the pid names it for ever; at is seconds since 1970.
func tell(what string) error {
	path := os.Getenv("TRUTH")
	if path == "" {
		return nil
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	line := fmt.Sprintf("%s pid=%d born=%s index=%s at=%.6f version=%s\n", what, os.Getpid(), fields[19],
		os.Getenv("MARATHON_INSTANCE_INDEX"), float64(time.Now().UnixMicro())/1e6, os.Getenv("MARATHON_APP_VERSION"))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
