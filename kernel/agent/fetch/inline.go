package fetch

import (
	"bytes"
	"fmt"

	"github.com/profferhq/proffer/kernel/agent/users"
)

// writeInline writes files that travelled inside the task.
func writeInline(items []item, t Task) error {
	var owner *users.Identity
	if t.User.Switch {
		owner = &t.User
	}
	b, err := openBox(t.Sandbox, owner)
	if err != nil {
		return err
	}
	defer b.close()
	for i := range items {
		if err := b.inline(&items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *box) inline(it *item) error {
	h := it.digest.hash()
	if h != nil {
		h.Write(it.content)
	}
	if err := it.check(h); err != nil {
		return err
	}
	if err := b.write(it.name, it.modeOf(), bytes.NewReader(it.content)); err != nil {
		return fmt.Errorf("write the file %s into the sandbox: %w", it.name, err)
	}
	return nil
}
