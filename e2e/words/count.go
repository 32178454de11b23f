package words

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Text joins the Go sources below goroot, size bytes of them.
func Text(goroot string, size int) ([]byte, error) {
	var text []byte
	err := filepath.WalkDir(filepath.Join(goroot, "src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		if text = append(text, data...); len(text) >= size {
			return fs.SkipAll
		}
		return err
	})
	if err == nil && len(text) < size {
		err = fmt.Errorf("%s/src has only %d bytes of Go sources", goroot, len(text))
	}
	if err != nil {
		return nil, err
	}
	return append(text[:size-1], '\n'), nil
}

// Count counts the words of a text: runs of ASCII letters, digits and underscores.
func Count(text []byte) map[string]int {
	counts := map[string]int{}
	for word := range bytes.FieldsFuncSeq(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		counts[string(word)]++
	}
	return counts
}

// Compare tells how a result, lines of a word and its number, differs from a count.
func Compare(result string, direct map[string]int) error {
	seen := map[string]bool{}
	for line := range strings.Lines(result) {
		word, number, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("%q is no line of a result", line)
		}
		if seen[word] {
			return fmt.Errorf("%q stands in the result twice", word)
		}
		if seen[word] = true; direct[word] != n {
			return fmt.Errorf("%q: the jobs counted %d, a direct count gives %d", word, n, direct[word])
		}
	}
	for word, n := range direct {
		if !seen[word] {
			return fmt.Errorf("%q: the jobs counted none, a direct count gives %d", word, n)
		}
	}
	return nil
}
