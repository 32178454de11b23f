package users

import (
	"slices"

	"github.com/profferhq/proffer/sdk"
)

// Decision is the answer to a Wish.
type Decision struct {
	User     Identity
	NeedsUID bool   // a uid of its own must be taken from the Pool
	Note     string // for the task's status when it runs as someone else than it asked for
}

// Allows says whether the principal may run tasks as that user. "*" in a grant
// stands for everybody, or for any user. An empty principal has no rights beyond
// the task user and what everybody has.
func (p Policy) Allows(principal, user string) bool {
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		who := g.Principal == "*" || principal != "" && g.Principal == principal
		return who && (g.User == "*" || g.User == user)
	})
}

// Resolve decides as whom the task runs. The lookup is (*Names).Lookup. A user that
// the policy does not allow or the machine does not know is an error for the
// status; what the machine does not know is told first, whatever the rights are.
func (p Policy) Resolve(w Wish, lookup func(string) (Identity, bool, error)) (Decision, error) {
	var d Decision
	name, instead := w.User, false
	switch {
	case name == "":
		d.Note = "runs as user " + p.TaskUser
		name = p.TaskUser
	case name == p.TaskUser || p.Allows(w.Principal, name):
	case name == "root" || name == "0":
		d.Note = "runs as user " + p.TaskUser + ": principal " + quote(w.Principal) + " may not run tasks as root"
		name, instead = p.TaskUser, true
	}
	id, known, err := lookup(name)
	if err != nil {
		return d, err
	}
	if !known {
		return d, sdk.Errorf(sdk.CodeInvalid, "command.user", "this machine knows no user %q", name)
	}
	if name != p.TaskUser && !p.Allows(w.Principal, name) {
		return d, sdk.Errorf(sdk.CodeDenied, "command.user",
			"principal %s may not run tasks as user %q; the agent's operator can allow it with --allow-user %s:%s",
			quote(w.Principal), w.User, orPrincipal(w.Principal), w.User)
	}
	d.User = id
	if !p.Root {
		d.User.Switch = false
		switch {
		case instead || w.User != "" && w.User != p.TaskUser:
			d.Note = "runs as the agent's own user: the agent lacks root and cannot change to " + quote(w.User)
		case w.User == "":
			d.Note = "runs as the agent's own user: the agent lacks root"
		}
		return d, nil
	}
	// A uid of its own keeps other tasks from reading its environment and killing
	// it. Who asked for another user by right has one already.
	d.NeedsUID = w.Token && name == p.TaskUser
	return d, nil
}

func quote(principal string) string {
	if principal == "" {
		return "(none)"
	}
	return `"` + principal + `"`
}

func orPrincipal(principal string) string {
	if principal == "" {
		return "PRINCIPAL"
	}
	return principal
}
