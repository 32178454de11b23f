package users

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names looks users up in the machine's passwd and group files. It reads them anew
// when they have changed, so that a user made while the agent runs is known. There
// is no cgo in the binaries, so other sources (LDAP, NSS) are not asked; a user of
// theirs is refused by name.
type Names struct {
	Passwd string // "/etc/passwd" when empty
	Group  string // "/etc/group" when empty

	mu     sync.Mutex
	stamps [2]stamp
	users  map[string]Identity
}

// stamp is what tells one version of a file from the next.
type stamp struct {
	mod  time.Time
	size int64
}

// Lookup finds a user by name, or by number if it is written so and exists.
func (n *Names) Lookup(name string) (Identity, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.refresh(); err != nil {
		return Identity{}, false, err
	}
	if id, ok := n.users[name]; ok {
		return id, true, nil
	}
	if uid, err := strconv.ParseUint(name, 10, 32); err == nil {
		// Several names may share a number: the first by name, always the same one.
		var found []string
		for other, id := range n.users {
			if id.UID == uint32(uid) {
				found = append(found, other)
			}
		}
		if len(found) > 0 {
			return n.users[slices.Min(found)], true, nil
		}
	}
	return Identity{}, false, nil
}

func (n *Names) refresh() error {
	files := [2]string{n.Passwd, n.Group}
	if files[0] == "" {
		files[0] = "/etc/passwd"
	}
	if files[1] == "" {
		files[1] = "/etc/group"
	}
	var now [2]stamp
	for i, f := range files {
		// A machine without groups is odd but usable; one without users is not.
		st, err := os.Stat(f)
		if err != nil && i == 0 {
			return fmt.Errorf("look up users: %w", err)
		}
		if err == nil {
			now[i] = stamp{st.ModTime(), st.Size()}
		}
	}
	if n.users != nil && now == n.stamps {
		return nil
	}
	users, err := readPasswd(files[0])
	if err != nil {
		return fmt.Errorf("look up users: %w", err)
	}
	if err := readGroups(files[1], users); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("look up users: %w", err)
	}
	n.users, n.stamps = users, now
	return nil
}

func readPasswd(path string) (map[string]Identity, error) {
	users := map[string]Identity{}
	err := eachLine(path, 4, func(f []string) {
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if _, dup := users[f[0]]; f[0] == "" || dup || err1 != nil || err2 != nil {
			return // the first line of a name counts, as in libc
		}
		users[f[0]] = Identity{Name: f[0], UID: uint32(uid), GID: uint32(gid), Switch: true}
	})
	return users, err
}

func readGroups(path string, users map[string]Identity) error {
	return eachLine(path, 4, func(f []string) {
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			return
		}
		for _, name := range strings.Split(f[3], ",") {
			id, ok := users[name]
			if ok && uint32(gid) != id.GID && !slices.Contains(id.Groups, uint32(gid)) {
				id.Groups = append(id.Groups, uint32(gid))
				users[name] = id
			}
		}
	})
}

// eachLine calls f for each line of at least fields colon-separated fields.
func eachLine(path string, fields int, f func([]string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20) // groups can have very many members
	for lines.Scan() {
		if parts := strings.Split(lines.Text(), ":"); len(parts) >= fields {
			f(parts)
		}
	}
	return lines.Err()
}
