// Wordcount is a map-reduce framework for Proffer, as a third party would write
// one: a scheduler (scheduler.go), an executor of its own (executor.go), the jobs
// that pass between them (job.go), what they count (count.go), and what is kept of it
// in the store (progress.go). It counts the words of the Go toolchain's sources with
// mappers on at least two agents, kills one of them on purpose and runs it again,
// reduces, and compares with a direct count of the same text. Killed at any moment
// and started again, it goes on where it was.
//
//	go build . && proffer run --framework wordcount -- $PWD/wordcount
//
// or, from anywhere with PROFFER_ADDR and PROFFER_TOKEN set, just ./wordcount. It
// ends with 0 only when both counts are equal. As a service (wordcount.json), which
// is started again when it ends, it stays (-stay). WORDCOUNT_BREAK=1 breaks one count,
// to show that the comparison sees it.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "executor" {
		exit(runExecutor())
	}
	var c config
	flag.StringVar(&c.root, "goroot", goroot(), "Go toolchain whose sources are the text")
	flag.IntVar(&c.megabytes, "mb", 20, "size of the text in MiB")
	flag.IntVar(&c.pieces, "pieces", 8, "number of mappers")
	flag.IntVar(&c.reducers, "reducers", 4, "number of reducers")
	flag.StringVar(&c.host, "host", cmp.Or(os.Getenv("HOST"), "127.0.0.1"), "this machine as the agents reach it")
	flag.DurationVar(&c.bound, "bound", 2*time.Minute, "give up after this long")
	flag.BoolVar(&c.stay, "stay", false, "afterwards wait for SIGTERM")
	flag.Parse()
	exit(run(c))
}

type config struct {
	root, host                  string
	megabytes, pieces, reducers int
	bound                       time.Duration
	stay                        bool
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "wordcount:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run counts, and stays if it is to.
func run(c config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := countAll(ctx, c); err != nil || !c.stay {
		return err
	}
	<-ctx.Done()
	return nil
}

// countAll serves the text, has it counted by the cluster, and compares.
func countAll(ctx context.Context, c config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.bound, fmt.Errorf("not done within %v", c.bound))
	defer cancel()
	text, files, err := readText(c.root, c.megabytes<<20)
	if err != nil {
		return err
	}
	fmt.Printf("the text: %.1f MB in %d files of %s/src\n", float64(len(text))/1e6, files, c.root)
	p, err := resume(ctx, fmt.Sprintf("%d bytes in %d pieces for %d reducers", len(text), c.pieces, c.reducers))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.host, "0"))
	if err != nil {
		return err
	}
	defer listener.Close()
	go serve(listener, text, p)

	s := newScheduler("http://"+listener.Addr().String(), split(text, c.pieces), c, p)
	fmt.Printf("life %d: %d of %d jobs are done\n", p.life, s.done(), len(s.jobs))
	if err := s.run(ctx); err != nil {
		return err
	}
	fmt.Println("the cluster is done; counting directly")
	total := p.reduced(c.reducers)
	if os.Getenv("WORDCOUNT_BREAK") != "" {
		total["func"]++
	}
	return compare(total, count(text))
}

// compare tells whether two counts are the same, and where they are not.
func compare(total, direct map[string]int) error {
	words, all := 0, 0
	var wrong []string
	for word, n := range direct {
		words, all = words+1, all+n
		if total[word] != n {
			wrong = append(wrong, fmt.Sprintf("%q: the cluster counted %d, a direct count gives %d", word, total[word], n))
		}
	}
	for word, n := range total {
		if direct[word] == 0 {
			wrong = append(wrong, fmt.Sprintf("%q: the cluster counted %d, a direct count has none", word, n))
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return fmt.Errorf("the counts differ in %d words, such as %s", len(wrong), wrong[0])
	}
	fmt.Printf("equal: %d different words, %d in all, as in a direct count\n", words, all)
	return nil
}
