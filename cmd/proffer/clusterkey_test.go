package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profferhq/proffer/kernel/credential"
)

// TestClusterKeyAndToken: what the commands make is what masters and clients read, and
// nothing that exists is overwritten with another key.
func TestClusterKeyAndToken(t *testing.T) {
	dir := t.TempDir()
	run := func(code int, args ...string) said {
		t.Helper()
		got := command(t, nil, append([]string{"cluster"}, args...)...)
		if got.code != code {
			t.Fatalf("%s: exit code %d, want %d: %s", strings.Join(args, " "), got.code, code, got.talk)
		}
		return got
	}
	keyFile, tokenFile := filepath.Join(dir, "key"), filepath.Join(dir, "token")
	if got := run(exitOK, "key", keyFile); got.out != "" {
		t.Errorf("a key that goes into a file is printed too: %s", got.out)
	}
	key, err := credential.ReadKeyFile(keyFile) // as masters and agents read it; refuses other modes than 0600
	if err != nil {
		t.Fatal(err)
	}
	if got := run(exitConflict, "key", keyFile); !strings.Contains(got.talk, "exists already") || !strings.Contains(got.talk, keyFile) {
		t.Errorf("a second key: %s", got.talk)
	}
	if again, err := credential.ReadKeyFile(keyFile); err != nil || again != key {
		t.Errorf("the key was overwritten: %v", err)
	}
	printed, err := credential.ParseKey(run(exitOK, "key").out)
	if err != nil || printed == key {
		t.Errorf("the printed key: %v", err)
	}

	run(exitOK, "token", "--key", keyFile, tokenFile)
	run(exitOK, "token", "--key", keyFile, "--principal", "anna", tokenFile) // replaced
	token, err := credential.ReadTokenFile(tokenFile)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := key.Verify(token)
	if err != nil || claims.Kind != credential.KindOperator || claims.Principal != "anna" || claims.Issued == 0 {
		t.Errorf("the token says %+v: %v", claims, err)
	}
	if claims, err = key.Verify(strings.TrimSpace(run(exitOK, "token", "--key", keyFile).out)); err != nil || claims.Principal != "operator" {
		t.Errorf("the printed token says %+v: %v", claims, err)
	}
	if _, err := printed.Verify(token); err == nil {
		t.Error("another cluster's key verifies the token")
	}

	t.Setenv("PROFFER_MASTER_KEY", "")
	run(exitUsage, "token")
	run(exitUsage, "token", "--key", keyFile, "--principal", "a/b")
	run(exitFailure, "token", "--key", filepath.Join(dir, "none"))
	if got := run(exitFailure, "token", "--key", tokenFile); !strings.Contains(got.talk, "64 hexadecimal digits") || strings.Contains(got.talk, token) {
		t.Errorf("a token for a key: %s", got.talk)
	}
	if got := run(exitFailure, "token", "--key", keyFile, dir); !strings.Contains(got.talk, "not a regular file") {
		t.Errorf("a token into a directory: %s", got.talk)
	}
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := run(exitFailure, "token", "--key", keyFile); !strings.Contains(got.talk, "can be read by others") {
		t.Errorf("a key that others can read: %s", got.talk)
	}
}
