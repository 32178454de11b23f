package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A file of a stream is named stream.OFFSET, with the absolute offset of its first
// byte in digits, so that names sort by time.
const offsetDigits = 20

func fileName(dir, stream string, base int64) string {
	return filepath.Join(dir, fmt.Sprintf("%s.%0*d", stream, offsetDigits, base))
}

// bases lists the offsets at which the files of a stream begin, oldest first. A
// directory that does not exist has none.
func bases(dir, stream string) ([]int64, error) {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, stream+".")
		if !ok || len(digits) != offsetDigits {
			continue
		}
		if base, err := strconv.ParseInt(digits, 10, 64); err == nil && base >= 0 {
			all = append(all, base)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Bounds tells the absolute offsets of the oldest byte kept and of the end.
func Bounds(dir, stream string) (start, end int64, err error) {
	for {
		all, err := bases(dir, stream)
		if err != nil || len(all) == 0 {
			return 0, 0, err
		}
		last := all[len(all)-1]
		st, err := os.Stat(fileName(dir, stream, last))
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated away meanwhile
		}
		if err != nil {
			return 0, 0, err
		}
		return all[0], last + st.Size(), nil
	}
}
