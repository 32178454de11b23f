package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// goroot is where the Go toolchain is: that of the environment, or the one that
// built this program.
func goroot() string {
	if root := os.Getenv("GOROOT"); root != "" {
		return root
	}
	if out, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	return runtime.GOROOT() //lint:ignore SA1019 the last resort, where no go command is in the PATH
}

// readText joins Go files below root until there are at least size bytes.
func readText(root string, size int) (text []byte, files int, err error) {
	err = filepath.WalkDir(filepath.Join(root, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return nil
		}
		if len(text) >= size {
			return filepath.SkipAll
		}
		data, err := os.ReadFile(path)
		text, files = append(append(text, data...), '\n'), files+1
		return err
	})
	if err == nil && len(text) < size {
		err = fmt.Errorf("%s/src has only %d bytes of Go sources", root, len(text))
	}
	return text, files, err
}

// piece is a part of the text, in bytes.
type piece struct{ From, To int }

// split cuts the text into n pieces between words.
func split(text []byte, n int) []piece {
	var pieces []piece
	for from := 0; from < len(text); {
		to := min(from+len(text)/n+1, len(text))
		if gap := bytes.IndexByte(text[to:], '\n'); gap >= 0 {
			to += gap
		} else {
			to = len(text)
		}
		pieces = append(pieces, piece{from, to})
		from = to
	}
	return pieces
}

// count counts words: what stands between spaces.
func count(text []byte) map[string]int {
	found := map[string]*int{} // a look-up by bytes makes no string, an assignment does
	for word := range bytes.FieldsSeq(text) {
		if n := found[string(word)]; n != nil {
			*n++
		} else {
			n := 1
			found[string(word)] = &n
		}
	}
	counts := make(map[string]int, len(found))
	for word, n := range found {
		counts[word] = *n
	}
	return counts
}

// share is the part of the counts that one of n reducers gets.
func share(counts map[string]int, reducer, n int) map[string]int {
	part := map[string]int{}
	for word, times := range counts {
		h := fnv.New32a()
		_, _ = io.WriteString(h, word)
		if int(h.Sum32()%uint32(n)) == reducer {
			part[word] = times
		}
	}
	return part
}

// serve gives agents the executor's program, and executors the text and a place
// for their results.
func serve(l net.Listener, text []byte, p *progress) {
	mux := http.NewServeMux()
	mux.Handle("/out/", p)
	mux.HandleFunc("/text", func(w http.ResponseWriter, req *http.Request) {
		http.ServeContent(w, req, "text", time.Time{}, bytes.NewReader(text))
	})
	mux.HandleFunc("/wordcount", func(w http.ResponseWriter, req *http.Request) {
		http.ServeFile(w, req, "/proc/self/exe")
	})
	_ = http.Serve(l, mux)
}
