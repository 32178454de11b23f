package users

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/profferhq/proffer/sdk"
)

// CheckReach makes sure that the user can walk to the path, and, where the path is
// a regular file, run it. The error names the directory that stands in the way and
// what to do about it. Access lists beyond the mode bits are not looked at.
func CheckReach(path string, id Identity) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	// Links are followed as the kernel would: what counts is the real way.
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("check that user %s can reach %s: %w", id, path, err)
	}
	for _, dir := range ways(real) {
		st, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("check that user %s can reach %s: %w", id, path, err)
		}
		ok, err := mayExecute(st, id)
		if err != nil {
			return err
		}
		if !ok {
			kind, hint := "directory", "chmod o+x "+dir+", or choose another place"
			if !st.IsDir() {
				kind, hint = "file", "chmod o+rx "+dir
			}
			return sdk.Errorf(sdk.CodeDenied, "", "user %s cannot reach %s: the %s %s has mode %#o and stands in the way (%s)",
				id, path, kind, dir, st.Mode().Perm(), hint)
		}
	}
	return nil
}

// ways lists the path and every directory above it, the highest first.
func ways(path string) []string {
	var out []string
	for {
		out = append(out, path)
		up := filepath.Dir(path)
		if up == path {
			slices.Reverse(out)
			return out
		}
		path = up
	}
}

func mayExecute(st fs.FileInfo, id Identity) (bool, error) {
	if id.UID == 0 || !id.Switch {
		return true, nil
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return false, errors.New("this file system does not tell owners")
	}
	mode := st.Mode().Perm()
	switch {
	case sys.Uid == id.UID:
		return mode&0o100 != 0, nil
	case sys.Gid == id.GID || slices.Contains(id.Groups, sys.Gid):
		return mode&0o010 != 0, nil
	default:
		return mode&0o001 != 0, nil
	}
}
