package users

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profferhq/proffer/sdk"
)

func machine(t *testing.T) *Names {
	t.Helper()
	dir := t.TempDir()
	n := &Names{Passwd: filepath.Join(dir, "passwd"), Group: filepath.Join(dir, "group")}
	put(t, n.Passwd, `root:x:0:0:root:/root:/bin/sh
toor:x:0:0::/root:/bin/sh
nobody:x:65534:65534::/:/bin/false
web:x:1001:1001:a:b:c
games:x:12:12::/:/bin/false
alice:x:1001:1002::/home/alice:/bin/sh
web:x:7:7:second line of the same name:/:/bin/sh
broken line
bad:x:abc:1::/:/bin/sh
`)
	put(t, n.Group, "root:x:0:\nadm:x:4:web,alice\nweb:x:1001:web\ndocs:x:50:alice,ghost\nbad:x:no:web\n")
	return n
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLookup(t *testing.T) {
	n := machine(t)
	for _, tt := range []struct {
		name string
		want string // empty: unknown
	}{
		{"root", "root 0 0 []"},
		{"web", "web 1001 1001 [4]"},
		{"alice", "alice 1001 1002 [4 50]"},
		{"1001", "alice 1001 1002 [4 50]"}, // the first by name of those with that number
		{"4711", ""}, {"bad", ""}, {"ghost", ""}, {"", ""}, {"-1", ""},
	} {
		id, ok, err := n.Lookup(tt.name)
		got := ""
		if ok {
			got = fmt.Sprintf("%s %d %d %v", id.Name, id.UID, id.GID, id.Groups)
		}
		if err != nil || got != tt.want || ok && !id.Switch {
			t.Errorf("%q: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	// A user who is made while the agent runs is known at once.
	put(t, n.Passwd, "new:x:5:5::/:/bin/sh\n")
	if _, ok, err := n.Lookup("new"); !ok || err != nil {
		t.Errorf("a new user: %v, %v", ok, err)
	}
	if _, ok, _ := n.Lookup("web"); ok {
		t.Error("a removed user is still known")
	}
	if err := os.Remove(n.Passwd); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Lookup("new"); err == nil {
		t.Error("a machine without users was not told")
	}
}

func TestResolve(t *testing.T) {
	names := machine(t)
	p := Policy{TaskUser: "nobody", Grants: []Grant{{"ops", "root"}, {"ops", "web"}, {"odd", "toor"}, {"", "web"}, {"ops", "ghost"}, {"*", "games"}, {"any", "*"}}, Root: true}
	for _, tt := range []struct {
		name string
		wish Wish
		root bool
		want string // user, then "own uid", then the note
		err  string
	}{
		{"nothing asked", Wish{}, true, "nobody; runs as user nobody", ""},
		{"the task user by name", Wish{User: "nobody"}, true, "nobody", ""},
		{"root without the right", Wish{User: "root", Principal: "dev"}, true, `nobody; runs as user nobody: principal "dev" may not run tasks as root`, ""},
		{"root by number", Wish{User: "0", Principal: "dev"}, true, `nobody; runs as user nobody: principal "dev" may not run tasks as root`, ""},
		{"root with the right", Wish{User: "root", Principal: "ops"}, true, "root", ""},
		{"root by another name", Wish{User: "toor", Principal: "dev"}, true, "", "--allow-user dev:toor"},
		{"granted by that name", Wish{User: "toor", Principal: "odd"}, true, "toor", ""},
		{"another user without the right", Wish{User: "web", Principal: "dev"}, true, "", `"dev" may not run tasks as user "web"`},
		{"another user with the right", Wish{User: "web", Principal: "ops"}, true, "web", ""},
		{"nobody has rights by having no name", Wish{User: "web"}, true, "", "may not"},
		{"granted to everybody", Wish{User: "games", Principal: "dev"}, true, "games", ""},
		{"granted to everybody, also without a name", Wish{User: "games"}, true, "games", ""},
		{"any user", Wish{User: "root", Principal: "any"}, true, "root", ""},
		{"an unknown user", Wish{User: "ghost", Principal: "ops"}, true, "", `this machine knows no user "ghost"`},
		{"an unknown user without the right", Wish{User: "ghost", Principal: "dev"}, true, "", `this machine knows no user "ghost"`},
		{"a token", Wish{Token: true}, true, "nobody, own uid; runs as user nobody", ""},
		{"a token and another user", Wish{User: "web", Principal: "ops", Token: true}, true, "web", ""},
		{"without root", Wish{}, false, "nobody; runs as the agent's own user: the agent lacks root", ""},
		{"without root, the task user", Wish{User: "nobody"}, false, "nobody", ""},
		{"without root, another user", Wish{User: "web", Principal: "ops"}, false, `web; runs as the agent's own user: the agent lacks root and cannot change to "web"`, ""},
	} {
		p.Root = tt.root
		d, err := p.Resolve(tt.wish, names.Lookup)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "command.user") {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		got := d.User.Name
		if d.NeedsUID {
			got += ", own uid"
		}
		if d.Note != "" {
			got += "; " + d.Note
		}
		if err != nil || got != tt.want || d.User.Switch != tt.root {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	p = Policy{TaskUser: "toor", Root: true}
	if d, err := p.Resolve(Wish{}, names.Lookup); err != nil || d.User.UID != 0 {
		t.Errorf("an operator may choose root for all: %+v, %v", d, err)
	}
}

func TestPool(t *testing.T) {
	p := NewPool(100, 102)
	take := func(c string) uint32 {
		uid, err := p.Take(c)
		if err != nil {
			t.Fatal(err)
		}
		return uid
	}
	p.Reserve("old", 101)
	got := []uint32{take("a"), take("b"), take("a")}
	if !slices.Equal(got, []uint32{100, 102, 100}) {
		t.Errorf("%v", got)
	}
	if _, err := p.Take("c"); sdk.CodeOf(err) != sdk.CodeExhausted {
		t.Errorf("all taken: %v", err)
	}
	p.Release("b")
	p.Release("b")
	if uid := take("c"); uid != 102 {
		t.Errorf("%d", uid)
	}
	for range 2 { // a uid that was just released rests as long as it can
		p.Release("a")
		p.Release("old")
		if a, b := take("a"), take("old"); a != 100 || b != 101 {
			t.Errorf("%d %d", a, b)
		}
	}
	if _, err := NewPool(0, 0).Take("x"); sdk.CodeOf(err) != sdk.CodeUnavailable || !strings.Contains(err.Error(), "--first-uid") {
		t.Errorf("no range: %v", err)
	}
	top := NewPool(1<<32-1, 1<<32-1)
	if uid, err := top.Take("x"); err != nil || uid != 1<<32-1 {
		t.Errorf("the last uid: %d, %v", uid, err)
	}
}

func TestCheckReachNamesTheDirectory(t *testing.T) {
	// Not t.TempDir: what is above it may be closed on its own.
	base, err := os.MkdirTemp("/tmp", "reach")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	shut, open := filepath.Join(base, "shut"), filepath.Join(base, "shut", "open")
	link, program := filepath.Join(base, "link"), filepath.Join(base, "program")
	for _, err := range []error{os.Chmod(base, 0o755), os.Mkdir(shut, 0o700), os.Mkdir(open, 0o755), os.Symlink(open, link), os.WriteFile(program, nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	other := Identity{Name: "nobody", UID: 65534, GID: 65534, Switch: true}
	me := Identity{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Switch: true}
	for _, tt := range []struct {
		path string
		who  Identity
		says string
	}{
		{base, other, ""},
		{open, other, "the directory " + shut + " has mode 0700 and stands in the way"},
		{link, other, "the directory " + shut},
		{open, me, ""},
		{open, Identity{UID: 65534, GID: uint32(os.Getgid()), Switch: true}, "the directory " + shut},
		{open, Identity{UID: 0, Switch: true}, ""},
		{open, Identity{UID: 65534}, ""}, // nothing is switched: the agent reaches it itself
		{program, other, "the file " + program},
		{filepath.Join(base, "none"), other, "no such file"},
	} {
		err := CheckReach(tt.path, tt.who)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s by %s: %v, want %q", tt.path, tt.who, err, tt.says)
		}
	}
	if err := os.Chmod(shut, 0o710); err != nil {
		t.Fatal(err)
	}
	if err := CheckReach(open, Identity{UID: 65534, GID: 1, Groups: []uint32{uint32(os.Getgid())}, Switch: true}); err != nil {
		t.Errorf("by a supplementary group: %v", err)
	}
}
